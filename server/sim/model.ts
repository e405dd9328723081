import type { EndpointId, MessageId, Millis } from '../src/domain/ids.ts'
import type { Outcome } from '../src/domain/outcome.ts'
import type { CommitBatch, DeliveryKey, HealthTurn, Settlement } from '../src/ports/store.ts'
import type { Life } from './life.ts'
import type { Scenario } from './scenario.ts'
import { keyOf, type QueueWatch, type Row } from './store/queue.ts'
import type { Tables } from './store/tables.ts'
import type { Timeline } from './timeline.ts'

/** One request on the wire. */
export interface Send {
  readonly number: number
  readonly life: Life
  readonly endpointId: EndpointId
  readonly messageIds: readonly MessageId[]
  readonly startedAt: Millis
  /** As `Facts.moment`. */
  readonly startedIn: number
  /** When its node heard the answer, and by that node's clock; null: it has not, or never will. */
  endedAt: Millis | null
  nodeEndedAt: Millis | null
  outcome: Outcome | null
}

/** What is known of a delivery beside its row. */
interface Story {
  /** As `Facts.moment`. */
  addedIn: number
  firstClaimedIn: number | null
  claimedIn: number | null
  /** The last time that somebody asked for it by hand. */
  resentAt: Millis | null
  readonly sends: Send[]
}

/** Somebody, or a receiver, has said something of an endpoint that its sends are to follow. */
export interface Ruling {
  readonly endpointId: EndpointId
  /** Nothing may be sent; or again. */
  readonly closed: boolean
  readonly perSecond: number
  /** Of the change in the store. */
  readonly number: number
  readonly at: Millis
  readonly by: Life
  /** When who ruled was answered; null: not yet. */
  toldAt: Millis | null
  /** It was answered that nobody knows. */
  inDoubt: boolean
}

/** What waited of a message was ended; what was under way at that node is not tried again. */
export interface Cancel {
  readonly messageId: MessageId
  readonly by: Life
  /** When who asked was answered. */
  readonly at: Millis
}

/** What rules judge by. */
export interface Facts {
  readonly scenario: Scenario
  readonly timeline: Timeline
  readonly tables: Tables
  readonly lives: readonly Life[]
  /** A count of all that has happened to the store and on the wire: what came first. */
  readonly moment: number
  readonly sends: readonly Send[]
  readonly rulings: ReadonlyMap<EndpointId, readonly Ruling[]>
  /** Of which somebody has asked for it. */
  readonly canceled: ReadonlySet<MessageId>
  readonly cancels: readonly Cancel[]
  /** Up to which change each life has been told. */
  readonly heard: ReadonlyMap<Life, number>
  readonly storyOf: (key: DeliveryKey) => Readonly<Story>
}

/** One promise of the engine. Each method returns what speaks against it, or null. */
export interface Rule {
  readonly name: string
  begins?(send: Send): string | null
  ends?(send: Send): string | null
  committed?(life: Life, batch: CommitBatch): string | null
  settled?(row: Readonly<Row>, settlement: Settlement): string | null
  turned?(life: Life, turn: HealthTurn): string | null
  /** After everything that has happened. */
  always?(): string | null
  /** When all is calm, and everything should be over. */
  inTheEnd?(): string | null
}

export interface Violation {
  readonly rule: string
  readonly told: string
}

/** Follows what happens, and holds it against the rules. The first violation counts: what follows may follow from it. */
export class Model implements Facts, QueueWatch {
  readonly scenario: Scenario
  readonly timeline: Timeline
  readonly lives: Life[] = []
  readonly sends: Send[] = []
  readonly rulings = new Map<EndpointId, Ruling[]>()
  readonly canceled = new Set<MessageId>()
  readonly cancels: Cancel[] = []
  readonly heard = new Map<Life, number>()
  readonly #stories = new Map<string, Story>()
  readonly #rules: readonly Rule[]
  /** Those that look at all that happens. */
  readonly #watchful: readonly Rule[]
  readonly #note: ((line: string) => void) | null
  readonly tables: Tables
  moment = 0
  violation: Violation | null = null

  constructor(
    scenario: Scenario,
    timeline: Timeline,
    fill: (watch: QueueWatch) => Tables,
    rules: readonly ((facts: Facts) => Rule)[],
    note: ((line: string) => void) | null,
  ) {
    this.scenario = scenario
    this.timeline = timeline
    this.#note = note
    this.tables = fill(this)
    this.#rules = rules.map((make) => make(this))
    this.#watchful = this.#rules.filter(({ always }) => always !== undefined)
  }

  /** Made only when somebody reads it. */
  note(line: () => string): void {
    this.#note?.(`${`${this.timeline.elapsed}`.padStart(6)} ms  ${line()}`)
  }

  violated(rule: string, told: string): void {
    if (this.violation !== null) return
    this.violation = { rule, told }
    this.note(() => `AGAINST ${rule}: ${told}`)
  }

  readonly storyOf = (key: DeliveryKey): Story => {
    const name = keyOf(key)
    const known = this.#stories.get(name)
    if (known) return known
    const story: Story = { addedIn: this.moment, firstClaimedIn: null, claimedIn: null, resentAt: null, sends: [] }
    this.#stories.set(name, story)
    return story
  }

  begins(send: Send): void {
    this.moment += 1
    this.note(
      () =>
        `${send.life.name} sends #${send.number} to ${short(send.endpointId)}: ${send.messageIds.map(short).join(' ')}`,
    )
    this.#judge((rule) => rule.begins?.(send))
    this.sends.push(send)
    for (const messageId of send.messageIds) {
      this.storyOf({ messageId, endpointId: send.endpointId }).sends.push(send)
    }
  }

  ends(send: Send): void {
    this.moment += 1
    this.note(() => `${send.life.name} hears of #${send.number}: ${wordOf(send.outcome)}`)
    this.#judge((rule) => rule.ends?.(send))
  }

  added(row: Readonly<Row>): void {
    this.moment += 1
    this.storyOf(row).addedIn = this.moment
    this.note(() => `stored ${wordOfRow(row)}`)
  }

  claimed(row: Readonly<Row>): void {
    this.moment += 1
    const story = this.storyOf(row)
    story.claimedIn = this.moment
    story.firstClaimedIn ??= this.moment
    this.note(() => `claimed by ${this.nameOf(row.lease)}: ${wordOfRow(row)}`)
  }

  settled(row: Readonly<Row>, settlement: Settlement): void {
    this.moment += 1
    this.note(() => {
      const then = settlement.kind === 'retry' ? ` at ${this.#elapsed(settlement.dueAt)}` : ''
      return `settled by ${this.nameOf(row.lease)}: ${wordOfRow(row)} → ${settlement.kind}${then}`
    })
    this.#judge((rule) => rule.settled?.(row, settlement))
  }

  ended(row: Readonly<Row>): void {
    this.moment += 1
    this.note(() => `ended ${wordOfRow(row)}`)
  }

  resent(key: DeliveryKey): void {
    this.moment += 1
    this.storyOf(key).resentAt = this.timeline.now
    this.note(() => `resent ${short(key.messageId)} to ${short(key.endpointId)}`)
  }

  committed(life: Life, batch: CommitBatch): void {
    this.moment += 1
    for (const { kind, endpointId } of batch.turns)
      this.note(() => `stored by ${life.name}: ${short(endpointId)} ${kind}`)
    this.#judge((rule) => rule.committed?.(life, batch))
  }

  turned(life: Life, turn: HealthTurn): void {
    this.note(() => `${life.name} finds ${short(turn.endpointId)} ${turn.kind}`)
    this.#judge((rule) => rule.turned?.(life, turn))
  }

  ruled(ruling: Ruling): void {
    this.moment += 1
    const rulings = this.rulings.get(ruling.endpointId) ?? []
    rulings.push(ruling)
    this.rulings.set(ruling.endpointId, rulings)
    this.note(
      () =>
        `${short(ruling.endpointId)} is ${ruling.closed ? 'closed' : 'open'}, ${ruling.perSecond} a second, by ${ruling.by.name}`,
    )
  }

  always(): void {
    for (const rule of this.#watchful) this.#ask(rule, () => rule.always?.())
  }

  inTheEnd(): void {
    this.#judge((rule) => rule.inTheEnd?.())
  }

  nameOf(lease: string | null): string {
    return this.lives.find((life) => life.lease === lease)?.name ?? `${lease}`
  }

  #judge(ask: (rule: Rule) => string | null | undefined): void {
    for (const rule of this.#rules) this.#ask(rule, ask)
  }

  #ask(rule: Rule, ask: (rule: Rule) => string | null | undefined): void {
    try {
      const told = ask(rule)
      if (told != null) this.violated(rule.name, told)
    } catch (error) {
      // Whoever called may be the engine, which would take it for something else.
      this.violated(rule.name, `the rule itself broke: ${error instanceof Error ? error.stack : error}`)
    }
  }

  #elapsed(at: Millis): Millis {
    return at - this.timeline.now + this.timeline.elapsed
  }
}

/** What tells one id from the others of a run. */
export const short = (id: string): string => `${id.slice(0, id.indexOf('_'))}…${id.slice(-22, -16)}${id.slice(-2)}`

const wordOfRow = ({ messageId, endpointId, attempts, orderKey, held }: Readonly<Row>): string =>
  `${short(messageId)} for ${short(endpointId)}, ${attempts} tries${orderKey === null ? '' : `, in order '${orderKey}'`}${held ? `, ${held}` : ''}`

const wordOf = (outcome: Outcome | null): string => {
  if (outcome === null) return 'nothing'
  if (outcome.kind === 'unreachable') return outcome.reason
  const asked =
    outcome.kind === 'refused' && outcome.retryAfterMs !== null ? `, again in ${outcome.retryAfterMs} ms` : ''
  return `${outcome.status}${asked}`
}
