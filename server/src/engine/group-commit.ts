import type { Attempt } from '../domain/attempt.ts'
import { backoff } from '../domain/backoff.ts'
import type { FirstPublish } from '../domain/idempotency.ts'
import type { ApplicationId, LeaseId, MessageId, Millis } from '../domain/ids.ts'
import { Problem } from '../domain/problem.ts'
import type {
  CommitResult,
  HealthTurn,
  NewDelivery,
  NewMessage,
  PublishKey,
  RoadStore,
  Settlement,
  Told,
} from '../ports/store.ts'
import type { Timer, World } from '../ports/world.ts'
import { batchOf } from './commit-batch.ts'
import {
  CommitQueue,
  halvesOf,
  type Load,
  type Stretch,
  type WaitingMessage,
  type WaitingRecord,
} from './commit-queue.ts'
import type { Observer } from './observer.ts'

/** What became of a message that was handed to a commit. */
export type Kept =
  | { readonly kind: 'stored' }
  | { readonly kind: 'event-id-taken'; readonly by: MessageId }
  | { readonly kind: 'repeated'; readonly first: FirstPublish }
  /** Not stored: what it was matched against is not what is committed. */
  | { readonly kind: 'stale' }

const stored: Kept = { kind: 'stored' }
const stale: Kept = { kind: 'stale' }

/** A message with everything that is to be stored of it. */
export interface PlannedMessage {
  readonly message: NewMessage
  readonly deliveries: readonly NewDelivery[]
  /** What it was matched against (see `Routes`). */
  readonly version: number
  /** Until when its `eventId` is taken; null: as long as it is kept. */
  readonly eventIdUntil?: Millis | null
}

// A full house means the disk has stopped keeping up: better a clear 503 than a growing heap.
const mostWaitingBytes = 16 * 1024 * 1024
// Callers are answered within two seconds, whatever the store does; half a second is left to everything else.
const answerWithinMs: Millis = 1_500
// What a commit beside one that is under way must be worth: with fewer rows, waiting for the next costs less than it. Of 64
// instead of 32, a process delivers a twentieth more on SQLite and on PostgreSQL, where p99 of publish goes from 24 to 30 ms; of 8
// the same as of 32, of 128 less (bench publish in turns, 2026-11).
const worthOneMore = 64

interface UnderWay {
  readonly load: Load
  readonly startedAt: Millis
  /** It has taken so long that its callers were told something else. */
  late: boolean
}

/** The store takes nothing now, or it is not known that it does. */
interface Down {
  /** Null: somebody is finding out whether it does again. */
  readonly rest: Timer | null
}

/**
 * Group commit: while commits are on their way, whatever arrives (and what arrives in the rest of this turn of the event
 * loop) rides in the next one. It batches by itself, pushes back by itself, and needs no timer and no tuning.
 * How many may be on their way is the store's to say.
 *
 * After a commit that failed, or did not end in time, the store is down: callers are told so at once, records are kept
 * (no more of them than deliveries are held in memory), and it is tried again, now and then, with these alone or with a
 * `ping`. The first success opens the road again.
 */
export class GroupCommit {
  readonly #store: RoadStore
  readonly #world: World
  readonly #lease: LeaseId
  readonly #observer: Observer
  readonly #ping: () => Promise<unknown>
  readonly #queue = new CommitQueue()
  readonly #underWay = new Set<UnderWay>()
  #down: Down | null = null
  /** Since the last commit that succeeded. */
  #failures = 0
  #gathering = false
  #watch: Timer | null = null
  #closed = false
  #idle: (() => void)[] = []
  /** Of what is recorded now. */
  #stretch: Stretch = { left: 0, written: [] }
  /** This one is the last. */
  readonly #stretches: Stretch[] = [this.#stretch]

  /** `ping`: writes something, where nothing waits to be written, to find out whether the store takes it. */
  constructor(store: RoadStore, world: World, lease: LeaseId, observer: Observer, ping: () => Promise<unknown>) {
    this.#store = store
    this.#world = world
    this.#lease = lease
    this.#observer = observer
    this.#ping = ping
  }

  /** Commits on their way to the store. */
  get underWay(): number {
    return this.#underWay.size
  }

  /** As `publish` for each, all of them in one commit. */
  publishAll(plans: readonly PlannedMessage[], publishKeys: readonly PublishKey[] | null): Promise<readonly Kept[]> {
    this.#demandRoom()
    const together: WaitingMessage[] = []
    const kept = plans.map((plan, at) => this.#gather(plan, publishKeys?.[at] ?? null, together))
    this.#add(together)
    return Promise.all(kept)
  }

  /**
   * Resolves when message and deliveries (and the publisher's key, if there is one) are on disk, or were before. Throws
   * Problem `unavailable`: nothing of it is on disk, or nobody knows yet.
   */
  publish(plan: PlannedMessage, publishKey: PublishKey | null = null): Promise<Kept> {
    this.#demandRoom()
    const alone: WaitingMessage[] = []
    const kept = this.#gather(plan, publishKey, alone)
    this.#add(alone)
    return kept
  }

  #demandRoom(): void {
    if (this.#down !== null) throw refusal()
    if (this.#queue.bytes <= mostWaitingBytes) return
    throw new Problem('unavailable', 'The store is not keeping up; nothing was accepted.', [], 1)
  }

  #gather(
    { message, deliveries, version, eventIdUntil = null }: PlannedMessage,
    publishKey: PublishKey | null,
    into: WaitingMessage[],
  ): Promise<Kept> {
    const joined = into.length > 0
    const since = this.#world.now()
    return new Promise((resolve, reject) => {
      into.push({ message, deliveries, version, publishKey, eventIdUntil, joined, since, resolve, reject })
    })
  }

  #add(waiting: readonly WaitingMessage[]): void {
    this.#queue.addMessages(waiting)
    this.#watch ??= this.#world.after(answerWithinMs, () => this.#answerLate())
    this.#start()
  }

  /** `done` is called when the record, and what is told of it, is on disk. What cannot be written now is kept and written later. */
  record(
    attempt: Attempt,
    settlement: Settlement,
    turns: readonly HealthTurn[],
    done: () => void,
    told: Told | null = null,
  ): void {
    this.#addRecord({ attempt, settlement, turns, told, done, stretch: this.#stretch })
  }

  /** An endpoint turned without a try: as `record`. */
  turned(turn: HealthTurn, told: Told | null, done: () => void): void {
    this.#addRecord({ attempt: null, settlement: null, turns: [turn], told, done, stretch: this.#stretch })
  }

  #addRecord(record: WaitingRecord): void {
    if (this.#closed) return
    record.stretch.left += 1
    this.#queue.addRecord(record)
    this.#start()
  }

  /** Resolves when all that was recorded before is on disk. */
  written(): Promise<void> {
    return new Promise((resolve) => {
      this.#stretch.written.push(resolve)
      this.#stretch = { left: 0, written: [] }
      this.#stretches.push(this.#stretch)
      this.#tellWritten()
    })
  }

  #tellWritten(): void {
    while (this.#stretches.length > 1 && this.#stretches[0]?.left === 0)
      for (const resolve of this.#stretches.shift()?.written ?? []) resolve()
  }

  /** Resolves when nothing is waiting to be written. */
  idle(): Promise<void> {
    if (this.#isIdle) return Promise.resolve()
    return new Promise((resolve) => this.#idle.push(resolve))
  }

  /** Writes nothing more: what is recorded from now on is forgotten. */
  close(): void {
    this.#closed = true
    this.#queue.dropRecords()
    this.#down?.rest?.cancel()
    this.#tellIdle()
  }

  get #isIdle(): boolean {
    return this.#queue.isEmpty && this.#underWay.size === 0
  }

  #tellIdle(): void {
    if (!this.#isIdle) return
    this.#watch?.cancel()
    this.#watch = null
    for (const resolve of this.#idle.splice(0)) resolve()
  }

  get #mayBegin(): boolean {
    if (this.#down !== null) return false
    const underWay = this.#underWay.size
    return this.#queue.ready >= (underWay === 0 ? 1 : worthOneMore) && underWay < this.#store.commitsInFlight
  }

  #start(): void {
    if (this.#gathering || !this.#mayBegin) return
    this.#gathering = true
    // At the end of this turn: what the same network read brought along rides too.
    this.#world.atTurnEnd(() => {
      this.#gathering = false
      if (!this.#mayBegin) return
      void this.#commit()
      this.#start()
    })
  }

  async #commit(): Promise<void> {
    const load = this.#queue.take()
    const startedAt = this.#world.now()
    const underWay = { load, startedAt, late: false }
    this.#underWay.add(underWay)
    // All of it, and where the store does not take that as it is, what is left of it, in parts.
    let left: readonly Load[] = [load]
    try {
      for (let part = left[0]; part !== undefined; part = left[0]) {
        const result = await this.#store.commit(batchOf(this.#lease, startedAt, part.messages, part.records))
        left = [...this.#after(part, result, startedAt), ...left.slice(1)]
        if (this.#closed)
          left = left.map((rest) => ({ ...rest, records: [] })).filter(({ messages }) => messages.length > 0)
      }
      this.#underWay.delete(underWay)
      this.#queue.ended(load)
      this.#succeeded()
    } catch (error) {
      // Nothing of it is on disk, or nobody knows: what is sent again is not stored twice. Callers are told at once, those
      // who come behind it too; what already happened out there must still be written.
      this.#underWay.delete(underWay)
      const records = left.flatMap((part) => part.records)
      for (const record of records) record.sentBefore = true
      this.#queue.putBack(load, records)
      if (this.#closed) this.#queue.dropRecords()
      this.#observer.commitFailed()
      this.#failed(error)
      for (const { messages } of left) for (const { reject } of messages) reject(refusal())
    }
    this.#tellIdle()
  }

  /** Tells those who wait for it what became of it; returns what is still to be written. */
  #after(part: Load, result: CommitResult, startedAt: Millis): readonly Load[] {
    if (result.refused !== undefined) return halvesOf(part) ?? this.#refused(part, result.refused)
    if (result.stale.size > 0) return this.#sift(part, result.stale)
    return this.#stored(part, result, startedAt)
  }

  #stored({ messages, records }: Load, result: CommitResult, startedAt: Millis): readonly [] {
    this.#observer.committed(messages.length + records.length, this.#world.now() - startedAt)
    for (const { message, resolve } of messages) resolve(keptOf(message.id, result))
    this.#done(records)
    return []
  }

  /** Nothing was stored: messages of these applications are told so, and the rest is written without them. */
  #sift({ messages, records, sequenced }: Load, applications: ReadonlySet<ApplicationId>): readonly Load[] {
    const isStale = ({ message }: WaitingMessage): boolean => applications.has(message.applicationId)
    for (const waiting of messages) if (isStale(waiting)) waiting.resolve(stale)
    const current = messages.filter((waiting) => !isStale(waiting))
    return current.length + records.length === 0 ? [] : [{ messages: current, records, sequenced }]
  }

  /** One alone that can never be stored must not keep all others from it. */
  #refused({ messages, records }: Load, why: string): readonly [] {
    for (const { reject } of messages) reject(new Error(`the store cannot keep it: ${why}`))
    for (const { attempt } of records) this.#observer.recordRefused(attempt, why)
    this.#done(records)
    return []
  }

  #done(records: readonly WaitingRecord[]): void {
    for (const { done, stretch } of records) {
      stretch.left -= 1
      done()
    }
    this.#tellWritten()
  }

  #succeeded(): void {
    if (this.#failures > 0) this.#observer.storeBack()
    this.#failures = 0
    this.#open()
  }

  /** Only a commit shows that the store takes commits: until then nobody is told that it is back. */
  #open(): void {
    this.#down?.rest?.cancel()
    this.#down = null
    this.#start()
  }

  #failed(error: unknown): void {
    this.#failures += 1
    if (this.#failures === 1) this.#observer.storeDown(error)
    for (const { reject } of this.#queue.dropMessages(Number.POSITIVE_INFINITY)) reject(refusal())
    if (this.#down?.rest) return
    const wait = backoff(this.#failures, this.#world.random())
    this.#down = { rest: this.#closed ? null : this.#world.after(wait, () => this.#tryAgain()) }
  }

  #tryAgain(): void {
    this.#down = { rest: null }
    if (this.#queue.ready > 0) void this.#commit()
    else
      this.#ping().then(
        () => this.#open(),
        (error) => this.#failed(error),
      )
  }

  /** Those who have waited too long are told that nobody knows; a commit that does not end is a store that is down. */
  #answerLate(): void {
    const since = this.#world.now() - answerWithinMs
    let oldest = Number.POSITIVE_INFINITY
    for (const underWay of this.#underWay) {
      for (const waiting of underWay.load.messages) {
        if (waiting.since > since) oldest = Math.min(oldest, waiting.since)
        else waiting.reject(refusal())
      }
      if (underWay.startedAt > since || underWay.late) continue
      underWay.late = true
      if (this.#failures === 0) this.#observer.storeDown(new Error(`no answer within ${answerWithinMs} ms`))
      this.#failures += 1
      // Its end, whichever, says how to go on.
      this.#down ??= { rest: null }
    }
    const late = this.#queue.dropMessages(this.#down === null ? since : Number.POSITIVE_INFINITY)
    for (const { reject } of late) reject(refusal())
    oldest = Math.min(oldest, this.#queue.oldest)
    this.#watch =
      oldest === Number.POSITIVE_INFINITY ? null : this.#world.after(oldest - since, () => this.#answerLate())
  }
}

const refusal = (): Problem =>
  new Problem(
    'unavailable',
    'The store does not take this now; try again. What has a key or an eventId is stored once.',
    [],
    1,
  )

function keptOf(id: MessageId, { taken, repeated }: CommitResult): Kept {
  const by = taken.get(id)
  if (by !== undefined) return { kind: 'event-id-taken', by }
  const first = repeated.get(id)
  return first === undefined ? stored : { kind: 'repeated', first }
}
