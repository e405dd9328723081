import type { Millis } from '../src/domain/ids.ts'
import { Problem } from '../src/domain/problem.ts'
import type { Chance } from '../test/faults/chance.ts'
import type { Life } from './life.ts'
import type { Weather } from './scenario.ts'
import type { Timeline } from './timeline.ts'

/** What is asked of the store, as far as the weather makes a difference. */
export type Call = 'commit' | 'claim' | 'other'

type Fate = 'done' | 'failed' | 'lost'

/** One node's way to the store: how long it takes, and what gets lost on it. */
export class Wire {
  readonly #timeline: Timeline
  readonly #life: Life
  readonly #weather: readonly Weather[]
  readonly #chance: Chance
  /** One file has one writer, which does one thing after the other. */
  readonly #oneByOne: boolean
  #lastEffectAt: Millis = 0
  /** What was sent and has not been done yet. */
  readonly #onTheirWay = new Set<{ cancel(): void; readonly effect: () => void }>()

  constructor(parts: {
    readonly timeline: Timeline
    readonly life: Life
    readonly weather: readonly Weather[]
    readonly chance: Chance
    readonly oneByOne: boolean
  }) {
    this.#timeline = parts.timeline
    this.#life = parts.life
    this.#weather = parts.weather
    this.#chance = parts.chance
    this.#oneByOne = parts.oneByOne
  }

  /** Does it in the store, all of it in one moment, and brings the answer back; or does not, as the weather is. */
  call<Result>(what: Call, effect: () => Result): Promise<Result> {
    const fate = this.#fateOf(what)
    const slow = this.#is('slow')
    if (fate !== 'done' || slow) this.#life.troubledAt = this.#timeline.now
    const there = slow && this.#chance.comesTrue(0.5) ? this.#chance.between(100, 2_500) : this.#chance.between(0, 2)
    const back = slow && this.#chance.comesTrue(0.3) ? this.#chance.between(100, 1_000) : this.#back()
    return new Promise((resolve, reject) => {
      const answer = (tell: () => void): void => {
        if (back === 0 && this.#isAwake) tell()
        else this.#timeline.after(back, this.#life, tell, this.#tie())
      }
      const run = (): void => {
        this.#onTheirWay.delete(sent)
        if (fate === 'failed') {
          answer(() => reject(unavailable()))
          return
        }
        try {
          const result = effect()
          answer(() => (fate === 'lost' ? reject(unavailable()) : resolve(result)))
        } catch (error) {
          answer(() => reject(error))
        }
      }
      // Not the node's own event: what was sent is done, whether its node sleeps or lives.
      const happening = this.#timeline.after(this.#delay(there), null, run, this.#oneByOne ? 0.5 : this.#tie())
      const sent = { cancel: () => happening.cancel(), effect: run }
      this.#onTheirWay.add(sent)
    })
  }

  /** The node has died: of what it had sent, some arrived. */
  cut(): void {
    let arrives = true
    for (const sent of [...this.#onTheirWay]) {
      // To a store with one writer, all up to a moment; elsewhere any of it, now or later.
      arrives = this.#oneByOne ? arrives && this.#chance.comesTrue(0.5) : this.#chance.comesTrue(0.5)
      if (arrives && !this.#oneByOne) continue
      sent.cancel()
      if (arrives) sent.effect()
    }
  }

  get #isAwake(): boolean {
    return !this.#life.dead && this.#life.asleepUntil <= this.#timeline.now
  }

  #tie(): number {
    return this.#chance.random()
  }

  #back(): Millis {
    return this.#oneByOne || this.#chance.comesTrue(0.6) ? 0 : this.#chance.between(1, 3)
  }

  #delay(there: Millis): Millis {
    if (!this.#oneByOne) return there
    this.#lastEffectAt = Math.max(this.#lastEffectAt, this.#timeline.now + there)
    return this.#lastEffectAt - this.#timeline.now
  }

  #is(kind: Weather['kind']): boolean {
    if (this.#weather.length === 0) return false
    const { elapsed } = this.#timeline
    return this.#weather.some(
      (spell) =>
        spell.kind === kind &&
        spell.from <= elapsed &&
        elapsed < spell.until &&
        (spell.node === null || spell.node === this.#life.place),
    )
  }

  #fateOf(what: Call): Fate {
    if (this.#weather.length === 0) return 'done'
    if (this.#is('away')) return 'failed'
    if (what === 'commit' && this.#is('commits-fail') && this.#chance.comesTrue(0.6)) return 'failed'
    if (what === 'claim' && this.#is('claims-fail') && this.#chance.comesTrue(0.6)) return 'failed'
    if (this.#is('answers-lost') && this.#chance.comesTrue(0.5)) return 'lost'
    return 'done'
  }
}

const unavailable = (): Problem => new Problem('unavailable', 'The simulated store does not answer.', [], 1)
