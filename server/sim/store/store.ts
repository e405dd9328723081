import type { DeliveryState } from '../../src/domain/delivery.ts'
import type { Endpoint } from '../../src/domain/endpoint.ts'
import type { EndpointId, MessageId } from '../../src/domain/ids.ts'
import type { PageSearch } from '../../src/domain/page.ts'
import type { CommitBatch, NodeStore, RoadStore, Store } from '../../src/ports/store.ts'
import type { Scenario } from '../scenario.ts'
import type { Wire } from '../wire.ts'
import { claim } from './claim.ts'
import { commit } from './commit.ts'
import type { Tables } from './tables.ts'

/** What one life of a node hears of the store, beside what it asks for. */
export interface StoreWatch {
  /** A commit of this node was done, whether it hears of it or not. */
  committed(batch: CommitBatch): void
  /** This node has been told of all changes up to that number. */
  heard(changeNumber: number): void
  /** This node has changed what an endpoint wants; what it returns is called when it is answered, or learns that nobody knows. */
  ruled(endpointId: EndpointId): (inDoubt: boolean) => void
}

/** A noun of which the road needs only these methods. */
const noun = <Name extends keyof Store>(name: Name, own: Partial<Store[Name]>): Store[Name] =>
  new Proxy(own as object, {
    get: (_, method: string) =>
      (own as Readonly<Record<string, unknown>>)[method] ??
      (() => Promise.reject(new Error(`the simulated store has no ${name}.${method}`))),
  }) as Store[Name]

/** The store as one life of a node has it: every call goes over its wire. */
export function storeOf(tables: Tables, wire: Wire, scenario: Scenario, watch: StoreWatch): Store {
  const none = async (): Promise<number> => 0
  const ask = <Result>(work: () => Result): Promise<Result> => wire.call('other', work)
  // Each life has a connection of its own: what it has changed itself it is not told of.
  const origin = {}
  return {
    road: roadOf(tables, wire, scenario, watch, origin),
    nodes: nodesOf(tables, ask),
    environments: noun('environments', {
      find: (id) => ask(() => (tables.environment.id === id ? tables.environment : null)),
    }),
    applications: noun('applications', {
      find: (_, id) => ask(() => [...tables.applications.values()].find((row) => row.id === id) ?? null),
      byId: (id) => ask(() => tables.applications.get(id) ?? null),
      routes: (id) =>
        ask(() => ({ environmentId: tables.environment.id, application: tables.routesOf(id), environment: 0 })),
      operational: () => ask(() => null),
    }),
    endpoints: noun('endpoints', {
      all: (id) => ask(() => tables.endpointsOf(id)),
      find: (_, id) => ask(() => [...tables.endpoints.values()].find((row) => row.id === id) ?? null),
      update: (row) => {
        let told: ((inDoubt: boolean) => void) | null = null
        const updated = ask(() => {
          const result = tables.updateEndpoint(row, origin)
          if (result === 'done') told = watch.ruled(row.id)
          return result
        })
        return answering(updated, (inDoubt) => told?.(inDoubt))
      },
    }),
    messages: noun('messages', {
      find: (_, id) => ask(() => [...tables.messages.values()].find((row) => row.id === id) ?? null),
    }),
    attempts: noun('attempts', {
      destinations: (messageId, search) => ask(() => destinationsOf(tables, messageId, search)),
    }),
    eventTypes: noun('eventTypes', { noteSeen: async () => {} }),
    changes: {
      since: (number) =>
        ask(() => tables.changesSince(number, origin)).then((changes) => {
          watch.heard(changes.number)
          return changes
        }),
      note: (scope) => ask(() => tables.note(scope, origin)),
      sweep: none,
    },
    portalTokens: noun('portalTokens', { sweepExpired: none }),
    answers: noun('answers', { sweepLapsed: none }),
    sources: noun('sources', { sweepTokens: none }),
    quarantine: noun('quarantine', { sweep: none }),
    keys: noun('keys', {}),
    expunge: noun('expunge', {}),
    retention: noun('retention', {}),
    tasks: noun('tasks', {}),
    tallies: noun('tallies', {}),
    received: noun('received', {}),
    onChange: () => {},
    ping: () => ask(() => {}),
    close: async () => {},
  }
}

async function answering<Result>(answer: Promise<Result>, told: (inDoubt: boolean) => void): Promise<Result> {
  try {
    const result = await answer
    told(false)
    return result
  } catch (error) {
    told(true)
    throw error
  }
}

function roadOf(tables: Tables, wire: Wire, scenario: Scenario, watch: StoreWatch, origin: object): RoadStore {
  const { queue } = tables
  const ask = <Result>(work: () => Result): Promise<Result> => wire.call('other', work)
  return {
    commitsInFlight: scenario.commitsInFlight,
    largestClaim: scenario.claim,
    commit: (batch) => {
      const told: ((inDoubt: boolean) => void)[] = []
      const committed = wire.call('commit', () => {
        const result = commit(tables, batch, origin)
        if (result.stale.size > 0) return result
        watch.committed(batch)
        for (const { kind, endpointId } of batch.turns) if (kind === 'disable') told.push(watch.ruled(endpointId))
        return result
      })
      return answering(committed, (inDoubt) => {
        for (const tell of told) tell(inDoubt)
      })
    },
    claim: (wanted) => wire.call('claim', () => claim(tables, wanted)),
    renew: (lease, until, keys) => ask(() => queue.renew(lease, until, keys)),
    release: (lease, released) => ask(() => queue.release(lease, released)),
    // Where others may be alive, what a dead one held comes back when its leases are over.
    recover: (now) => ask(() => (scenario.fleet ? 0 : queue.recover(now))),
    sweepDeleted: async () => 0,
    resend: (key) => ask(() => queue.resend(key)),
    end: (attempts, now) =>
      ask(() => {
        const ended = attempts.filter((attempt) => queue.end(attempt, now))
        for (const attempt of ended) tables.addAttempt(attempt)
        return ended.length
      }),
    heldByOthers: (lease, messageIds) => ask(() => queue.heldByOthers(lease, messageIds)),
    backlog: async () => queue.size,
  }
}

const nodesOf = (tables: Tables, ask: <Result>(work: () => Result) => Promise<Result>): NodeStore => ({
  beat: (node, aliveMs) => ask(() => tables.beat(node, aliveMs)),
  leave: (id) => ask(() => tables.leave(id)),
  alive: (aliveMs) => ask(() => tables.alive(aliveMs)),
  sweep: async () => 0,
  lead: (chore, id, forMs) => ask(() => tables.lead(chore, id, forMs)),
  resign: (id) => ask(() => tables.leave(id)),
})

/** Where a message stands, at each endpoint that has seen it. */
function destinationsOf(
  tables: Tables,
  messageId: MessageId,
  { beyond }: PageSearch,
): readonly { readonly endpoint: Endpoint; readonly state: DeliveryState }[] {
  return [...tables.endpoints.values()].flatMap((endpoint) => {
    if (beyond !== null && endpoint.id <= beyond) return []
    const state = stateOf(tables, messageId, endpoint)
    return state === null ? [] : [{ endpoint, state }]
  })
}

function stateOf(tables: Tables, messageId: MessageId, { id: endpointId }: Endpoint): DeliveryState | null {
  const row = tables.queue.find(messageId, endpointId)
  if (row) return { kind: 'waiting', attempts: row.attempts, dueAt: row.dueAt, held: row.held, lease: row.lease }
  const last = tables.attemptsOf({ messageId, endpointId }).at(-1)
  if (last === undefined) return null
  if (last.ended !== null) return { kind: 'canceled' }
  return { kind: last.succeeded ? 'delivered' : 'failed' }
}
