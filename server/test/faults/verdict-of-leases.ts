// Who held what, as the database saw it.
import type { Touch } from './audit.ts'
import { disturbed, type Evidence, keyOf, lifeOf, type StoredAttempt } from './evidence.ts'
import type { Life } from './node.ts'
import type { Request } from './receiver.ts'

/** A span in which one life of a node held a delivery. */
interface Hold {
  readonly life: Life | null
  readonly from: number
  readonly until: number
}

/** Endpoints that stay: of one that is deleted, anybody may sweep away what waits. */
function staying({ ledger, endpointIds }: Evidence): ReadonlyMap<string, string> {
  const stay = [...ledger.changes].filter(([, { changes }]) => changes.every(({ to }) => to !== null))
  return new Map(stay.flatMap(([uid]) => (endpointIds.has(uid) ? [[endpointIds.get(uid) ?? '', uid]] : [])))
}

/** Whose a lease is: whoever wrote it first. */
function ownersOf(touches: readonly Touch[]): ReadonlyMap<string, Life | null> {
  const owners = new Map<string, Life | null>()
  for (const { after, life } of touches) {
    if (after?.lease != null && !owners.has(after.lease)) owners.set(after.lease, life)
  }
  return owners
}

/** The rule below cannot speak of these. */
export const nobodys = ({ touches }: Evidence): readonly string[] =>
  touches
    .filter(({ life }) => life === null)
    .map(({ messageId, what, at }) => `${what} of ${messageId} at ${new Date(at).toISOString()}`)

export function heldByNobodyElse(evidence: Evidence): readonly string[] {
  const owners = ownersOf(evidence.touches)
  const stay = staying(evidence)
  return evidence.touches.flatMap(({ messageId, endpointId, what, at, life, before }) => {
    const endpoint = stay.get(endpointId)
    if (before === null || endpoint === undefined || life === null) return []
    const told = `${what} of ${messageId} to ${endpoint} by ${life.name} at ${new Date(at).toISOString()}`
    if (before.lease === null) return what === 'delete' ? [`${told}, which nobody held`] : []
    const owner = owners.get(before.lease)
    if (owner == null || owner === life) return []
    if (what === 'delete') return [`${told}, which ${owner.name} held`]
    return before.dueAt > at ? [`${told}, which ${owner.name} held for another ${before.dueAt - at} ms`] : []
  })
}

function holdsOf({ touches }: Evidence): ReadonlyMap<string, readonly Hold[]> {
  const owners = ownersOf(touches)
  const holds = new Map<string, Hold[]>()
  for (const [key, all] of Map.groupBy(touches, ({ messageId, endpointId }) => keyOf(messageId, endpointId))) {
    const own = all.flatMap(({ after, at }, place): readonly Hold[] => {
      if (after?.lease == null) return []
      const until = Math.min(all[place + 1]?.at ?? Number.POSITIVE_INFINITY, after.dueAt)
      return [{ life: owners.get(after.lease) ?? null, from: at, until }]
    })
    holds.set(key, own)
  }
  return holds
}

/**
 * A request begins when it is signed, which it says in whole seconds: somewhere in that second its node must have held
 * the delivery. What was already on its way when the lease ended, or when its node was suspended, may arrive later.
 */
export function sentUnderLease(evidence: Evidence): readonly string[] {
  const holds = holdsOf(evidence)
  return evidence.requests.flatMap(({ number, messageId, endpoint, life, signedAt, at }) => {
    const own = holds.get(keyOf(messageId, evidence.endpointIds.get(endpoint) ?? '')) ?? []
    const latest = Math.min(signedAt + 999, at)
    if (own.some((hold) => hold.life?.name === life && hold.from <= latest && hold.until >= signedAt)) return []
    const held = own.map((hold) => `${hold.life?.name} ${time(hold.from)}–${time(hold.until)}`)
    const told = `signed in ${time(signedAt)}, arrived ${time(at)}`
    return [
      `request ${number} of ${messageId} to ${endpoint} by ${life}, ${told}; held by ${held.join(', ') || 'nobody'}`,
    ]
  })
}

const time = (at: number): string => (Number.isFinite(at) ? new Date(at).toISOString().slice(17, 23) : '…')

/**
 * Joins requests with attempts: by what was answered, or else by the second in which they began. A try whose connection
 * is reset under its request sends that once more on a new one, so one attempt may tell of two requests.
 */
export function recordedOnce(evidence: Evidence): readonly string[] {
  const attempts = Map.groupBy(evidence.attempts, ({ messageId, endpointId }) => keyOf(messageId, endpointId))
  const requests = Map.groupBy(evidence.requests, ({ messageId, endpoint }) =>
    keyOf(messageId, evidence.endpointIds.get(endpoint) ?? ''),
  )
  return [...requests].flatMap(([key, sent]) => recordedOnceOf(evidence, sent, attempts.get(key) ?? []))
}

/** Of one delivery. */
function recordedOnceOf(
  evidence: Evidence,
  sent: readonly Request[],
  attempts: readonly StoredAttempt[],
): readonly string[] {
  const found: string[] = []
  const left = new Set(attempts)
  const joined = new Map<StoredAttempt, Request[]>()
  const join = (attempt: StoredAttempt, request: Request): void => {
    left.delete(attempt)
    joined.set(attempt, [...(joined.get(attempt) ?? []), request])
  }
  const unmatched = sent.filter((request) => {
    const own = attempts.filter(({ response }) => response === `request ${request.number}`)
    for (const attempt of own) join(attempt, request)
    if (own.length > 1) found.push(`request ${request.number} is recorded as ${own.map(({ id }) => id).join(' and ')}`)
    return own.length === 0
  })
  for (const request of unmatched) {
    const own =
      [...left].find((attempt) => mayTellOf(attempt, request)) ??
      [...joined].find(([attempt, others]) => isOneTry(attempt, [...others, request]))?.[0]
    if (own) join(own, request)
    else if (!lostWithItsNode(evidence, request)) {
      const { number, messageId, endpoint, life, signedAt, at, answered } = request
      const all = attempts.map(({ startedAt, statusCode, response }) => `${time(startedAt)} ${statusCode} ${response}`)
      found.push(
        `request ${number} of ${messageId} to ${endpoint} by ${life}, signed in ${time(signedAt)}, arrived ${time(at)}, answered ${answered?.status ?? 'nothing'}, is not recorded; attempts are ${all.join(', ') || 'none'}`,
      )
    }
  }
  return found
}

/** A try without an answer, or whose answer came when its node had given up. */
const mayTellOf = ({ statusCode, startedAt }: StoredAttempt, { signedAt }: Request): boolean =>
  statusCode === 0 && startedAt >= signedAt && startedAt < signedAt + 1_000

/** Two requests of one signature: the first was reset, and the try had begun before that arrived. */
function isOneTry({ startedAt }: StoredAttempt, requests: readonly Request[]): boolean {
  const [first, second, ...more] = requests.toSorted((a, b) => a.number - b.number)
  if (first === undefined || second === undefined || more.length > 0) return false
  return first.reset && first.life === second.life && first.signedAt === second.signedAt && startedAt <= first.at
}

const seenLateMs = 1_000

/** Its node ended before it could write so down: at once, or because the database could not be had either. */
function lostWithItsNode(evidence: Evidence, request: Request): boolean {
  const life = lifeOf(evidence, request.life)
  const ended = life?.ended
  // What a node has sent may be seen only when it is dead.
  if (ended == null || ended.at + seenLateMs < request.at) return false
  const done = request.answered?.at ?? request.at + 1_000
  if (ended.at - done < 1_500) return true
  const node = request.life.replace(/-life-\d+$/, '')
  return disturbed(evidence, node, done - 500, ended.at - 100)
}
