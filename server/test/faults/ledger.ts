/** What publishers say happened. Times are `Date.now()`. */
export interface Fact {
  /** In the order in which publishers began with them. */
  readonly number: number
  readonly application: string
  readonly eventType: string
  readonly orderingKey: string | null
  readonly eventId: string | null
  readonly payload: string
  readonly beganAt: number
  readonly tries: Try[]
  accepted: { readonly at: number; readonly id: string } | null
}

/** One call of the API. */
export interface Try {
  readonly what: string
  readonly node: string
  readonly from: number
  until: number
  /** A status, or why there is none. */
  became: number | string
  /** Of a 503. */
  retryAfter: string | null
  /** Of any other refusal. */
  said: string
}

/** What is said of an endpoint; null in its place: it is not there. */
export interface EndpointState {
  readonly eventTypes: readonly string[]
  readonly disabled: boolean
  /** Of its URL. */
  readonly version: number
}

/** What one writer, one change after the other, made of an endpoint. `ackedAt` is infinite until it was acknowledged. */
export interface Change {
  readonly to: EndpointState | null
  readonly beganAt: number
  ackedAt: number
}

/** Everything that was asked of the fleet and what it answered: what it is held to. */
export class Ledger {
  readonly facts: Fact[] = []
  /** By the endpoint's uid. */
  readonly changes = new Map<string, { readonly application: string; readonly changes: Change[] }>()
  /** Of publishes and of changes. */
  readonly tries: Try[] = []

  begin(fact: Pick<Fact, 'application' | 'eventType' | 'orderingKey' | 'eventId'>, filling: string): Fact {
    const number = this.facts.length
    // A number that no double holds, spaces and escapes: bytes are to arrive as they are spelled.
    const payload = `{"fact": ${number},"big":9007199254740993, "text":"\\u0041 é","filling":"${filling}"}`
    const one: Fact = { ...fact, number, payload, beganAt: Date.now(), tries: [], accepted: null }
    this.facts.push(one)
    return one
  }

  change(application: string, endpoint: string, to: EndpointState | null): Change {
    const change: Change = { to, beganAt: Date.now(), ackedAt: Number.POSITIVE_INFINITY }
    const known = this.changes.get(endpoint)
    if (known) known.changes.push(change)
    else this.changes.set(endpoint, { application, changes: [change] })
    return change
  }

  try(what: string, node: string): Try {
    const until = Number.POSITIVE_INFINITY
    const one: Try = { what, node, from: Date.now(), until, became: 'open', retryAfter: null, said: '' }
    this.tries.push(one)
    return one
  }
}

/**
 * What an endpoint may have been at some moment of a span: as the last change acknowledged before it says, and as those
 * say that were under way within it.
 */
export function statesWithin(
  changes: readonly Change[],
  from: number,
  until: number,
): readonly (EndpointState | null)[] {
  const settled = changes.findLastIndex(({ ackedAt }) => ackedAt < from)
  const underWay = changes.slice(settled + 1).filter(({ beganAt }) => beganAt <= until)
  return [changes[settled]?.to ?? null, ...underWay.map(({ to }) => to)]
}

/** Which fact a payload tells of. */
export const factOf = (payload: string): number => Number(/^\{"fact": (\d+),/.exec(payload)?.[1] ?? -1)
