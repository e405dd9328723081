import type { Attempt } from '../domain/attempt.ts'
import type { FirstPublish } from '../domain/idempotency.ts'
import type { LeaseId, MessageId, Millis } from '../domain/ids.ts'
import { Problem } from '../domain/problem.ts'
import type {
  CommitBatch,
  CommitResult,
  HealthTurn,
  NewDelivery,
  NewMessage,
  PublishKey,
  RoadStore,
  Settlement,
  Told,
} from '../ports/store.ts'
import type { World } from '../ports/world.ts'
import type { Observer } from './observer.ts'

/** What became of a message that was handed to a commit. */
export type Kept =
  | { readonly kind: 'stored' }
  | { readonly kind: 'event-id-taken'; readonly by: MessageId }
  | { readonly kind: 'repeated'; readonly first: FirstPublish }

const stored: Kept = { kind: 'stored' }

/** A message with everything that is to be stored of it. */
export interface PlannedMessage {
  readonly message: NewMessage
  readonly deliveries: readonly NewDelivery[]
  /** Until when its `eventId` is taken; null: as long as it is kept. */
  readonly eventIdUntil?: Millis | null
}

interface WaitingMessage {
  readonly message: NewMessage
  readonly deliveries: readonly NewDelivery[]
  readonly publishKey: PublishKey | null
  readonly eventIdUntil: Millis | null
  /** It must be in the commit of the one before it. */
  readonly joined: boolean
  readonly resolve: (kept: Kept) => void
  readonly reject: (error: unknown) => void
}

interface WaitingRecord {
  /** Null: something turned without a try. */
  readonly attempt: Attempt | null
  readonly settlement: Settlement | null
  readonly turns: readonly HealthTurn[]
  readonly done: () => void
  readonly told: Told | null
}

// Past a few hundred rows a commit gets no cheaper per row, and everybody in it waits for all of it.
const mostMessages = 500
const mostRecords = 1_000
// A full house means the disk has stopped keeping up: better a clear 503 than a growing heap.
const mostWaitingBytes = 16 * 1024 * 1024
const retryCommitMs = 250

/**
 * Single-flight group commit: one commit is on its way; whatever arrives meanwhile, and in the rest of this turn of the
 * event loop, rides in the next one. It batches by itself, pushes back by itself, and needs no timer and no tuning
 * (DESIGN §4). Tried: two in flight, so that the store's thread need not be woken for each. It was neither faster nor
 * slower, with smaller commits (bench publish in turns, 2 cores, 2026-11).
 */
export class GroupCommit {
  readonly #store: RoadStore
  readonly #world: World
  readonly #lease: LeaseId
  readonly #observer: Observer
  #messages: WaitingMessage[] = []
  #records: WaitingRecord[] = []
  #waitingBytes = 0
  /** A commit is gathering, on its way, or resting after one that failed. */
  #busy = false
  #closed = false
  #idle: (() => void)[] = []
  /** Records handed over, and those of them that are on disk; who waits for how many. */
  #recorded = 0
  #written = 0
  #writtenWaits: { readonly records: number; readonly resolve: () => void }[] = []

  constructor(store: RoadStore, world: World, lease: LeaseId, observer: Observer) {
    this.#store = store
    this.#world = world
    this.#lease = lease
    this.#observer = observer
  }

  /** As `publish` for each, all of them in one commit. */
  publishAll(plans: readonly PlannedMessage[], publishKeys: readonly PublishKey[] | null): Promise<readonly Kept[]> {
    this.#demandRoom()
    return Promise.all(plans.map((plan, at) => this.#add(plan, publishKeys?.[at] ?? null, at > 0)))
  }

  /** Resolves when message and deliveries (and the publisher's key, if there is one) are on disk, or were before. */
  publish(plan: PlannedMessage, publishKey: PublishKey | null = null): Promise<Kept> {
    this.#demandRoom()
    return this.#add(plan, publishKey, false)
  }

  #demandRoom(): void {
    if (this.#waitingBytes <= mostWaitingBytes) return
    throw new Problem('unavailable', 'The store is not keeping up; nothing was accepted.', [], 1)
  }

  #add(
    { message, deliveries, eventIdUntil = null }: PlannedMessage,
    publishKey: PublishKey | null,
    joined: boolean,
  ): Promise<Kept> {
    this.#waitingBytes += message.payload.length
    return new Promise((resolve, reject) => {
      this.#messages.push({ message, deliveries, publishKey, eventIdUntil, joined, resolve, reject })
      this.#start()
    })
  }

  /** `done` is called when the record, and what is told of it, is on disk. What cannot be written now is kept and written later. */
  record(
    attempt: Attempt,
    settlement: Settlement,
    turns: readonly HealthTurn[],
    done: () => void,
    told: Told | null = null,
  ): void {
    if (this.#closed) return
    this.#records.push({ attempt, settlement, turns, done, told })
    this.#recorded += 1
    this.#start()
  }

  /** An endpoint turned without a try: as `record`. */
  turned(turn: HealthTurn, told: Told | null, done: () => void): void {
    if (this.#closed) return
    this.#records.push({ attempt: null, settlement: null, turns: [turn], done, told })
    this.#recorded += 1
    this.#start()
  }

  /** Resolves when all that was recorded before is on disk. */
  written(): Promise<void> {
    const records = this.#recorded
    if (this.#written === records) return Promise.resolve()
    return new Promise((resolve) => this.#writtenWaits.push({ records, resolve }))
  }

  /** Resolves when nothing is waiting to be written. */
  idle(): Promise<void> {
    if (!this.#busy) return Promise.resolve()
    return new Promise((resolve) => this.#idle.push(resolve))
  }

  /** Writes nothing more: what is recorded from now on is forgotten. */
  close(): void {
    this.#closed = true
    this.#records = []
  }

  #start(): void {
    if (this.#busy) return
    this.#busy = true
    // At the end of this turn: what the same network read brought along rides too.
    setImmediate(() => void this.#run())
  }

  /** How many of the waiting go into the next commit: those that must stay together are not parted. */
  #nextMessages(): number {
    let count = Math.min(mostMessages, this.#messages.length)
    while (this.#messages[count]?.joined === true) count += 1
    return count
  }

  async #run(): Promise<void> {
    while (this.#messages.length + this.#records.length > 0) {
      const messages = this.#messages.splice(0, this.#nextMessages())
      const records = this.#records.splice(0, mostRecords)
      for (const { message } of messages) this.#waitingBytes -= message.payload.length
      const startedAt = this.#world.now()
      try {
        const result = await this.#store.commit(batchOf(this.#lease, startedAt, messages, records))
        this.#observer.committed(messages.length + records.length, this.#world.now() - startedAt)
        for (const { message, resolve } of messages) resolve(keptOf(message.id, result))
        for (const { done } of records) done()
        this.#written += records.length
        while (this.#writtenWaits[0] && this.#writtenWaits[0].records <= this.#written)
          this.#writtenWaits.shift()?.resolve()
      } catch (error) {
        // Nothing of it is on disk. Callers are told at once; what already happened out there must still be written.
        this.#observer.commitFailed(error)
        for (const { reject } of messages) {
          reject(new Problem('unavailable', 'The store could not take this; nothing was accepted.', [], 1))
        }
        if (!this.#closed) this.#records.unshift(...records)
        await new Promise<void>((resolve) => this.#world.after(retryCommitMs, resolve))
      }
      // What the answer set off in this turn (the next publishes and outcomes) rides along.
      await new Promise<void>((resolve) => setImmediate(resolve))
    }
    this.#busy = false
    for (const resolve of this.#idle.splice(0)) resolve()
  }
}

/** Everything that rides in one commit. A loop, not a chain of lists: it runs for every message there is. */
function batchOf(
  lease: LeaseId,
  now: Millis,
  messages: readonly WaitingMessage[],
  records: readonly WaitingRecord[],
): CommitBatch {
  const eventIdsUntil = new Map<MessageId, Millis>()
  const publishKeys: PublishKey[] = []
  const deliveries: NewDelivery[] = []
  const turns: HealthTurn[] = []
  const written: NewMessage[] = []
  const add = (told: Told): void => {
    written.push(...told.messages)
    deliveries.push(...told.deliveries)
  }
  for (const waiting of messages) {
    written.push(waiting.message)
    for (const delivery of waiting.deliveries) deliveries.push(delivery)
    if (waiting.publishKey) publishKeys.push(waiting.publishKey)
    if (waiting.eventIdUntil !== null) eventIdsUntil.set(waiting.message.id, waiting.eventIdUntil)
  }
  const attempts: Attempt[] = []
  const settlements: Settlement[] = []
  for (const record of records) {
    if (record.attempt) attempts.push(record.attempt)
    if (record.settlement) settlements.push(record.settlement)
    for (const turn of record.turns) turns.push(turn)
    if (record.told) add(record.told)
  }
  return { lease, now, messages: written, eventIdsUntil, publishKeys, deliveries, attempts, settlements, turns }
}

function keptOf(id: MessageId, { taken, repeated }: CommitResult): Kept {
  const by = taken.get(id)
  if (by !== undefined) return { kind: 'event-id-taken', by }
  const first = repeated.get(id)
  return first === undefined ? stored : { kind: 'repeated', first }
}
