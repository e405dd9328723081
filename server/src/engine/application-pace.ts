import type { ApplicationId, Millis } from '../domain/ids.ts'
import { forgettableAt, paced } from '../domain/rate.ts'
import type { Timer, World } from '../ports/world.ts'
import { Fifo } from './fifo.ts'
import type { Lane } from './lane.ts'

interface Pace {
  /** What `nextAt` was worked out with. */
  perSecond: number
  nextAt: Millis
  timer: Timer | null
  /** Those that wait for their turn, in the order they came: no endpoint of an application is always the last. */
  readonly waiting: Fifo<Lane>
  readonly inLine: Set<Lane>
}

/** The rates of whole applications, which their endpoints share in turn. */
export class ApplicationPaces {
  readonly #world: World
  readonly #paces = new Map<ApplicationId, Pace>()
  /** A lane may try again. */
  readonly #turn: (lane: Lane) => void

  constructor(world: World, turn: (lane: Lane) => void) {
    this.#world = world
    this.#turn = turn
  }

  /** Whether this lane may send now; if not, it is told when its turn has come. */
  mayGo(lane: Lane, perSecond: number, now: Millis): boolean {
    const pace = this.#paces.get(lane.applicationId)
    if (pace === undefined) return true
    if (pace.perSecond !== perSecond) this.#change(lane.applicationId, pace, perSecond, now)
    const isNext = pace.waiting.size === 0 || pace.waiting.first === lane
    if (pace.nextAt <= now && isNext) {
      if (pace.waiting.first === lane) pace.inLine.delete(pace.waiting.shift() as Lane)
      return true
    }
    if (!pace.inLine.has(lane)) {
      pace.inLine.add(lane)
      pace.waiting.push(lane)
    }
    this.#arrange(lane.applicationId, pace, now)
    return false
  }

  /** From when the rate lets the next one of the application go; 0: now. */
  opensAt(applicationId: ApplicationId): Millis {
    return this.#paces.get(applicationId)?.nextAt ?? 0
  }

  /** So many messages go out now, at `perSecond` for the application, which so many nodes share; 0: no limit. */
  spend(lane: Lane, messages: number, perSecond: number, nodes: number, now: Millis): void {
    if (perSecond === 0) return
    const pace = this.#paces.get(lane.applicationId) ?? {
      perSecond,
      nextAt: 0,
      timer: null,
      waiting: new Fifo<Lane>(),
      inLine: new Set<Lane>(),
    }
    pace.nextAt = paced(pace.nextAt, now, perSecond / (messages * nodes))
    this.#paces.set(lane.applicationId, pace)
    if (pace.waiting.size > 0) this.#arrange(lane.applicationId, pace, now)
  }

  /** Lets go of what nobody has used for a while. */
  forgetUnused(now: Millis): void {
    for (const [applicationId, { nextAt, waiting, timer }] of this.#paces) {
      if (timer === null && waiting.size === 0 && forgettableAt(nextAt) <= now) this.#paces.delete(applicationId)
    }
  }

  stop(): void {
    for (const { timer } of this.#paces.values()) timer?.cancel()
  }

  #arrange(applicationId: ApplicationId, pace: Pace, now: Millis): void {
    pace.timer ??= this.#world.after(Math.max(0, pace.nextAt - now), () => this.#look(applicationId, pace))
  }

  #look(applicationId: ApplicationId, pace: Pace): void {
    pace.timer = null
    const now = this.#world.now()
    // It fired late, and somebody else saw before it that it was time: the next is not due yet, and keeps its turn.
    if (pace.nextAt > now) {
      this.#arrange(applicationId, pace, now)
      return
    }
    const lane = pace.waiting.first
    if (lane === undefined) return
    this.#turn(lane)
    // It had nothing to send any more, or was not allowed to: the next one's turn.
    if (pace.waiting.first === lane) pace.inLine.delete(pace.waiting.shift() as Lane)
    if (pace.waiting.size > 0) this.#arrange(applicationId, pace, now)
  }

  /** Somebody said another rate: it counts from now on, without what is owed to the old one. */
  #change(applicationId: ApplicationId, pace: Pace, perSecond: number, now: Millis): void {
    pace.perSecond = perSecond
    pace.nextAt = 0
    pace.timer?.cancel()
    pace.timer = null
    if (pace.waiting.size > 0) this.#arrange(applicationId, pace, now)
  }
}
