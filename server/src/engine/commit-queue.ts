import type { Attempt } from '../domain/attempt.ts'
import type { Millis } from '../domain/ids.ts'
import type { HealthTurn, NewDelivery, NewMessage, PublishKey, Settlement, Told } from '../ports/store.ts'
import type { Kept } from './group-commit.ts'

export interface WaitingMessage {
  readonly message: NewMessage
  readonly deliveries: readonly NewDelivery[]
  /** What it was matched against (see `Routes`). */
  readonly version: number
  readonly publishKey: PublishKey | null
  readonly eventIdUntil: Millis | null
  /** It must be in the commit of the one before it. */
  readonly joined: boolean
  /** When it came to wait. */
  readonly since: Millis
  readonly resolve: (kept: Kept) => void
  readonly reject: (error: unknown) => void
}

/** Records handed over between two moments at which somebody asked whether all before is on disk. */
export interface Stretch {
  left: number
  readonly written: (() => void)[]
}

export interface WaitingRecord {
  /** Null: something turned without a try. */
  readonly attempt: Attempt | null
  readonly settlement: Settlement | null
  readonly turns: readonly HealthTurn[]
  readonly done: () => void
  readonly told: Told | null
  readonly stretch: Stretch
  /** In a commit that failed, or was lost sight of: it may be on disk. */
  sentBefore?: true
}

/** What rides in one commit. */
export interface Load {
  readonly messages: readonly WaitingMessage[]
  readonly records: readonly WaitingRecord[]
  /** Some of it has its place in a sequence: no other commit may overtake it with what comes behind. */
  readonly sequenced: boolean
}

/** The same in two, in its order; null where what is left of it must stay together. */
export function halvesOf({ messages, records, sequenced }: Load): readonly [Load, Load] | null {
  if (messages.length > 0 && records.length > 0)
    return [
      { messages, records: [], sequenced },
      { messages: [], records, sequenced },
    ]
  const divide = (messagesUntil: number, recordsUntil: number): readonly [Load, Load] => [
    { messages: messages.slice(0, messagesUntil), records: records.slice(0, recordsUntil), sequenced },
    { messages: messages.slice(messagesUntil), records: records.slice(recordsUntil), sequenced },
  ]
  if (records.length > 1) return divide(0, records.length >> 1)
  const ends = messages.flatMap(({ joined }, at) => (at > 0 && !joined ? [at] : []))
  const middle = ends[ends.length >> 1]
  return middle === undefined ? null : divide(middle, 0)
}

// Past a few hundred rows a commit gets no cheaper per row, and everybody in it waits for all of it.
const mostMessages = 500
const mostRecords = 1_000

class Line {
  messages: WaitingMessage[] = []
  records: WaitingRecord[] = []

  get rows(): number {
    return this.messages.length + this.records.length
  }

  /** Up to `limit` messages, or more where they must stay together. */
  takeMessages(limit: number): WaitingMessage[] {
    let count = Math.max(0, Math.min(limit, this.messages.length))
    while (count > 0 && this.messages[count]?.joined === true) count += 1
    return this.messages.splice(0, count)
  }
}

/**
 * What waits for its commit. Where several commits are under way at once, any of them may be the first to be done. For most
 * that is all the same: a delivery has one record at a time. But of what stands in an order, and of the turns of an
 * endpoint (failing, then well again), the later must not be written first: these wait in a line of their own, from which
 * one commit at a time is served.
 */
export class CommitQueue {
  readonly #free = new Line()
  readonly #sequenced = new Line()
  #sequenceUnderWay = false
  #bytes = 0

  /** Payload characters that wait. */
  get bytes(): number {
    return this.#bytes
  }

  get isEmpty(): boolean {
    return this.#free.rows + this.#sequenced.rows === 0
  }

  /** Rows that could be in a commit that begins now. */
  get ready(): number {
    return this.#free.rows + (this.#sequenceUnderWay ? 0 : this.#sequenced.rows)
  }

  /** Since when the first message has waited; infinite: there is none. */
  get oldest(): Millis {
    return Math.min(
      ...[this.#free, this.#sequenced].map(({ messages }) => messages[0]?.since ?? Number.POSITIVE_INFINITY),
    )
  }

  /** All of them in one commit. */
  addMessages(messages: readonly WaitingMessage[]): void {
    const ordered = messages.some(({ deliveries }) => deliveries.some(({ orderKey }) => orderKey != null))
    const line = ordered ? this.#sequenced : this.#free
    for (const waiting of messages) {
      this.#bytes += waiting.message.payload.length
      line.messages.push(waiting)
    }
  }

  addRecord(record: WaitingRecord): void {
    const line = record.turns.length > 0 || record.settlement?.orderKey != null ? this.#sequenced : this.#free
    line.records.push(record)
  }

  /** What goes into the next commit. `ended`, or `putBack`, says when it is over. */
  take(): Load {
    const own = this.#sequenceUnderWay ? new Line() : this.#sequenced
    const messages = own.takeMessages(mostMessages)
    const records = own.records.splice(0, mostRecords)
    const sequenced = messages.length + records.length > 0
    if (sequenced) this.#sequenceUnderWay = true
    messages.push(...this.#free.takeMessages(mostMessages - messages.length))
    records.push(...this.#free.records.splice(0, mostRecords - records.length))
    for (const { message } of messages) this.#bytes -= message.payload.length
    return { messages, records, sequenced }
  }

  ended(load: Load): void {
    if (load.sequenced) this.#sequenceUnderWay = false
  }

  /** These records of it were not written after all: they are the first of those that wait. */
  putBack(load: Load, records: readonly WaitingRecord[]): void {
    this.ended(load)
    const line = load.sequenced ? this.#sequenced : this.#free
    line.records.unshift(...records)
  }

  /** Those that have waited since `since` or longer are not going to be in any commit. */
  dropMessages(since: Millis): readonly WaitingMessage[] {
    return [this.#free, this.#sequenced].flatMap((line) => {
      const late = line.messages.findIndex((waiting) => waiting.since > since)
      const dropped = line.messages.splice(0, late < 0 ? line.messages.length : late)
      for (const { message } of dropped) this.#bytes -= message.payload.length
      return dropped
    })
  }

  dropRecords(): void {
    this.#free.records = []
    this.#sequenced.records = []
  }
}
