import { disturbed, type Evidence } from './evidence.ts'
import { type EndpointState, type Fact, factOf, statesWithin, type Try } from './ledger.ts'
import { limitedRate } from './load.ts'
import type { Life } from './node.ts'
import type { Request } from './receiver.ts'
import { mayHaveComeAt, pausedWithin } from './slowness.ts'
import { heldByNobodyElse, nobodys, recordedOnce, sentUnderLease } from './verdict-of-leases.ts'

/** What must hold, whatever was done to the fleet. `broken` finds each breach, with the ids it takes to look into it. */
export interface Rule {
  readonly name: string
  readonly broken: (evidence: Evidence) => readonly string[]
}

// A machine that does three nodes, two databases, callers and receiver on two cores is late now and then. Where it was
// later than that, the time for which node or callers stood still is counted beside it, as it was measured.
const latenessMs = 1_000
const mostRssBytes = 400 * 1024 * 1024
/** Changes are seen by every node within a second; the rest is lateness. */
const changesSeenMs = 1_000 + latenessMs

const isGood = ({ answered }: Request): boolean => answered !== null && answered.status < 300

const wants = (state: EndpointState | null, { eventType }: Fact): boolean =>
  state !== null && !state.disabled && state.eventTypes.includes(eventType)

/** Each accepted fact with each endpoint of its application, and what that was while the fact was accepted. */
function* meetings({ ledger }: Evidence) {
  for (const fact of ledger.facts) {
    if (fact.accepted === null) continue
    for (const [endpoint, { application, changes }] of ledger.changes) {
      if (application !== fact.application) continue
      const states = statesWithin(changes, fact.beganAt, fact.accepted.at)
      yield { fact, id: fact.accepted.id, endpoint, states, deleted: changes.some(({ to }) => to === null) }
    }
  }
}

function undelivered(evidence: Evidence): readonly string[] {
  const got = new Set(evidence.requests.filter(isGood).map(({ messageId, endpoint }) => `${messageId} ${endpoint}`))
  return [...meetings(evidence)].flatMap(({ fact, id, endpoint, states, deleted }) =>
    !deleted && states.every((state) => wants(state, fact)) && !got.has(`${id} ${endpoint}`)
      ? [`fact ${fact.number} (${id}, ${fact.eventType}) did not reach ${endpoint}`]
      : [],
  )
}

/** Also what was delivered from memory in time, before the database forgot it. */
function forgotten({ ledger, messages }: Evidence): readonly string[] {
  const stored = new Set(messages.map(({ id }) => id))
  return ledger.facts.flatMap(({ number, accepted, tries }) =>
    accepted === null || stored.has(accepted.id)
      ? []
      : [
          `fact ${number} (${accepted.id}), accepted by ${tries.at(-1)?.node} at ${new Date(accepted.at).toISOString()}`,
        ],
  )
}

function misdelivered(evidence: Evidence): readonly string[] {
  const got = new Map(evidence.requests.map((request) => [`${request.messageId} ${request.endpoint}`, request]))
  return [...meetings(evidence)].flatMap(({ fact, id, endpoint, states }) => {
    const request = got.get(`${id} ${endpoint}`)
    if (request === undefined || states.some((state) => wants(state, fact))) return []
    const accepting = fact.tries.at(-1)?.node
    return [
      `fact ${fact.number} (${id}, ${fact.eventType}), accepted by ${accepting}, reached ${endpoint}, sent by ${request.life}; it was ${JSON.stringify(states)}`,
    ]
  })
}

const changedBytes = ({ requests, ledger }: Evidence): readonly string[] =>
  requests
    .filter(({ body }) => ledger.facts[factOf(body)]?.payload !== body)
    .map(({ messageId, body }) => `${messageId}: ${body.slice(0, 100)}`)

function storedTwice({ ledger, requests, messages }: Evidence): readonly string[] {
  const ids = ledger.facts.map(({ accepted }) => new Set(accepted === null ? [] : [accepted.id]))
  for (const { body, messageId } of requests) ids[factOf(body)]?.add(messageId)
  for (const { id, payload } of messages) ids[factOf(payload ?? '')]?.add(id)
  return ids.flatMap((of, number) => (of.size > 1 ? [`fact ${number} is ${[...of].join(' and ')}`] : []))
}

/** At an endpoint that is sent one message of a key after the other, the next comes after the one before was taken. */
function outOfOrder({ ledger, requests }: Evidence): readonly string[] {
  const at = Map.groupBy(
    requests.filter(({ endpoint }) => endpoint === 'ordered'),
    ({ body }) => factOf(body),
  )
  const keys = Map.groupBy(
    ledger.facts.filter(({ orderingKey, number }) => orderingKey !== null && at.has(number)),
    ({ orderingKey }) => orderingKey,
  )
  return [...keys].flatMap(([key, facts]) =>
    facts.slice(1).flatMap((fact, before) => {
      const earlier = at.get(facts[before]?.number ?? -1)?.find(isGood)
      const first = at.get(fact.number)?.[0]
      if (first === undefined || (earlier?.answered && earlier.answered.at <= first.at)) return []
      const [was, is] = [facts[before], fact].map((one) => `fact ${one?.number} (${one?.accepted?.id})`)
      return [`${key}: ${is}, sent by ${first.life}, came before ${was} was taken`]
    }),
  )
}

/**
 * In no stretch of time more than the rate, the 50 ms that each node may have saved up of its share, and one that each
 * may send at once at its start. What arrives is seen as late as the machine lets us see it: after a pause of ours all of
 * it at once.
 */
function tooFast({ requests, nodes, pauses }: Evidence): readonly string[] {
  const times = requests.filter(({ endpoint }) => endpoint === 'limited').map(({ at }) => at)
  const found: string[] = []
  for (const [from, first] of times.entries()) {
    const since = mayHaveComeAt(pauses, first)
    for (let to = from + 1; to < times.length; to++) {
      const stretch = (times[to] ?? 0) - since
      const allowed = nodes.length + (limitedRate * (stretch + 50 + latenessMs / 4)) / 1_000
      if (to - from + 1 > allowed) {
        found.push(`${to - from + 1} within ${stretch} ms from ${new Date(first).toISOString()}`)
        break
      }
    }
  }
  return found
}

function sentToOldPlace(evidence: Evidence): readonly string[] {
  return evidence.requests.flatMap((request) => {
    const changes = evidence.ledger.changes.get(request.endpoint)?.changes
    const node = nodeNameOf(request.life)
    // Who could not reach the database goes by what it knew, for as long as its leases last.
    if (changes === undefined || disturbed(evidence, node, request.at - 6_000, request.at)) return []
    const seenMs = changesSeenMs + heldUpMs(evidence, node, request.at - changesSeenMs, request.at)
    const states = statesWithin(changes, request.at - seenMs, request.at)
    if (states.some((state) => state === null || state.version === request.version)) return []
    return [
      `request ${request.number} (${request.messageId}) of ${request.life} to ${request.endpoint}/${request.version}`,
    ]
  })
}

function badAnswers(evidence: Evidence): readonly string[] {
  const { ledger, nodes } = evidence
  const besideAnother = besideTheirFirst(ledger.facts)
  return ledger.tries.flatMap((one) => {
    const { what, node: name, from, until, became, retryAfter, said } = one
    const node = nodes.find((one) => one.name === name)
    const told = `${what} at ${name}, ${until - from} ms after ${new Date(from).toISOString()}`
    const gone = what.startsWith('DELETE ') && became === 404
    if (typeof became === 'number') {
      if (became === 503 && retryAfter === null) return [`${told}: 503 without Retry-After`]
      if (became === 409 && said.includes('idempotency-key-running') && besideAnother.has(one)) return []
      if (became >= 300 && became !== 503 && !gone) return [`${told}: ${became} ${said}`]
    }
    if (!node?.lives.some((life) => ranWell(life, from, until))) return []
    const heldUp = heldUpMs(evidence, name, from, until)
    if (until - from > 2_000 + latenessMs + heldUp) {
      return [`${told}: ${became}, too late (held up for ${Math.round(heldUp)} ms)`]
    }
    return typeof became === 'string' ? [`${told}: ${became}, though it listens`] : []
  })
}

/** For how long node and callers could not run within a span, since others had the processors. */
function heldUpMs({ nodes, pauses }: Evidence, node: string, from: number, until: number): number {
  const lives = nodes.find(({ name }) => name === node)?.lives ?? []
  return lives.reduce((sum, { starved }) => sum + starved.within(from, until), pausedWithin(pauses, from, until))
}

/** Asked of a node that had the same ask already, from a caller who did not wait for the answer. */
function besideTheirFirst(facts: readonly Fact[]): ReadonlySet<Try> {
  return new Set(
    facts.flatMap(({ tries }) =>
      tries.filter(({ node }, at) =>
        tries.slice(0, at).some((before) => before.node === node && typeof before.became === 'string'),
      ),
    ),
  )
}

/** It listened all the while, and nobody held it up or told it to end. */
const ranWell = ({ listeningAt, toldToEndAt, ended, frozen }: Life, from: number, until: number): boolean =>
  listeningAt !== null &&
  listeningAt < from &&
  (toldToEndAt === null || toldToEndAt > until) &&
  (ended === null || ended.at > until) &&
  !frozen.some((span) => span.from <= until && span.until >= from - 500)

function lostNodes(evidence: Evidence): readonly string[] {
  const lost = evidence.nodes.flatMap(({ name, lives }) =>
    lives.flatMap(({ name: life, listeningAt, startedAt, ended, complaints }) => {
      if (ended?.how !== 'by itself') return []
      if (listeningAt !== null) return [`${life} ended by itself with ${ended.code}: ${complaints.at(-1)}`]
      if (disturbed(evidence, name, startedAt, ended.at)) return []
      return [`${life} could not start: ${complaints.at(-1)}`]
    }),
  )
  const badStops = evidence.nodes.flatMap(({ lives }) =>
    lives.flatMap(({ name, ended }) =>
      ended?.how === 'stopped' && ended.code !== 0 ? [`${name} was stopped and ended with ${ended.code}`] : [],
    ),
  )
  return [...lost, ...badStops, ...evidence.refusedAtTheEnd]
}

const tooLarge = ({ nodes }: Evidence): readonly string[] =>
  nodes
    .flatMap(({ lives }) => lives)
    .filter((life) => life.mostRssBytes > mostRssBytes)
    .map((life) => `${life.name}: ${Math.round(life.mostRssBytes / 1024 / 1024)} MiB`)

// Lines that say what was done to it, not what is wrong with it.
const expectedLines = /store|database|heartbeat|lease|leader|retention|changes|node/i

function unexpectedLines(evidence: Evidence): readonly string[] {
  return evidence.nodes.flatMap(({ lives }) =>
    lives.flatMap(({ name, complaints, listeningAt }) =>
      complaints
        .filter((line) => {
          if (listeningAt === null && line.startsWith('posthorn: cannot start')) return false
          const message = line.split(' | ')[1]
          return message === undefined || message === 'incident' || !expectedLines.test(message)
        })
        .map((line) => `${name}: ${line.slice(0, 600)}`),
    ),
  )
}

const nodeNameOf = (life: string): string => life.replace(/-life-\d+$/, '')

export const rules: readonly Rule[] = [
  { name: 'every message that was answered 202 reaches every endpoint it was for', broken: undelivered },
  { name: 'every message that was answered 202 is stored, whatever became of its database', broken: forgotten },
  { name: 'no message reaches an endpoint that was not for it when its publish began', broken: misdelivered },
  { name: 'bytes arrive as they were given', broken: changedBytes },
  { name: 'the same publish is stored once', broken: storedTwice },
  {
    name: 'a delivery under a lease is touched by its holder only, and settled by nobody else',
    broken: heldByNobodyElse,
  },
  { name: 'it is known of which node each touch of a delivery was', broken: nobodys },
  { name: 'nothing is sent by who does not hold its lease', broken: sentUnderLease },
  { name: 'every request is recorded once, but for what was under way at a kill', broken: recordedOnce },
  { name: 'messages of one key arrive one after the other', broken: outOfOrder },
  { name: 'the rate is never exceeded', broken: tooFast },
  { name: 'an endpoint that was moved is sent nothing at its old place after that was seen', broken: sentToOldPlace },
  { name: 'callers get 2xx, or 503 with Retry-After, within two seconds', broken: badAnswers },
  { name: 'no node ends by itself, and each takes publishes again when all is well', broken: lostNodes },
  { name: 'nothing is left in the queue', broken: ({ left }) => left },
  { name: 'memory is bounded', broken: tooLarge },
  { name: 'nothing unexpected is logged', broken: unexpectedLines },
]
