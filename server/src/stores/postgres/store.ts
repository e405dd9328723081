// POSTGRES: the store that several nodes share. A server of its own does what SQLite's threads do, so all of this runs
// beside the road; what must not wait for people's lists has connections of its own.

import { randomUUID } from 'node:crypto'
import type { PostgresTarget } from '../../domain/database-target.ts'
import { Problem } from '../../domain/problem.ts'
import type { CommitBatch, CommitResult, Store } from '../../ports/store.ts'
import { type Db, UniqueViolation } from '../db.ts'
import { ListTurns, longLists } from '../queries/list-turns.ts'
import { nouns } from '../queries/nouns.ts'
import { packBatch } from '../queries/packed-batch.ts'
import { type ConnectionManner, PostgresDb } from './connection.ts'
import { Connections } from './connections.ts'
import { dropDays } from './drop-days.ts'
import { Listener } from './listener.ts'
import { cutOff, isLost, isUnavailable, sqlState, Unreachable } from './lost.ts'
import { migrate } from './migrate.ts'
import { dayMs, ensurePartitions, expectedDays, missingDayOf } from './partitions.ts'
import { Pulse } from './pulse.ts'

export interface PostgresManner {
  /** Connections of this process, at most. */
  readonly connections: number
  /** Behind a pooler that changes servers between transactions (PgBouncer's pool_mode = transaction). */
  readonly pooled: boolean
}

/** More would only make smaller commits: the server's log is flushed for those that wait together anyway. */
const commitsInFlight = 3
const largestClaim = { visits: 64, deliveries: 128 }
// A publish is answered within 2 s, whatever the database does.
const roadWithinMs = 1_500
const peopleWithinMs = 30_000
const mostRepeats = 20
// One row each, or the endpoints of one application: on whatever connection that was lost without a word, a publish does
// not wait for them.
const publishesWaitFor: ReadonlySet<string> = new Set([
  ...['keys.byHash', 'portalTokens.byHash', 'environments.find', 'eventTypes.find', 'endpoints.all'],
  ...['applications.find', 'applications.byId', 'applications.routes', 'applications.operational'],
])

/**
 * Opens the database, and brings its schema to this program's version. Throws when it cannot be reached or used, or was
 * last used by a newer Posthorn that this one does not understand.
 */
export async function openPostgresStore(
  target: PostgresTarget,
  { connections, pooled }: PostgresManner,
): Promise<Store> {
  const manner: ConnectionManner = { applicationName: 'posthorn', pooled, origin: randomUUID() }
  // What claims and renews goes beside the commits; the rest is people's.
  const forRoad = commitsInFlight + 1
  const roadConnections = new Connections(target, manner, forRoad)
  const forPeople = Math.max(1, connections - forRoad - (pooled ? 0 : 1))
  const peoplesConnections = new Connections(target, manner, forPeople)
  const listTurns = new ListTurns(Math.max(1, Math.floor(forPeople / 2)))
  let listener: Listener | null = null
  const close = async (): Promise<void> => {
    await listener?.close()
    await Promise.all([roadConnections.close(), peoplesConnections.close()])
  }

  /** Runs `work` on a connection, again where only others were in its way. */
  const on = async <T>(connections: Connections, withinMs: number, work: (db: Db) => Promise<T>): Promise<T> => {
    for (let repeats = 0; ; repeats++) {
      try {
        const result = await connections.with((client) => {
          const whole = (): Promise<T> => work(new PostgresDb(client, manner, withinMs))
          return connections === roadConnections ? whole() : pulse.during(whole, () => cutOff(client))
        })
        pulse.heard()
        return result
      } catch (error) {
        if (repeats >= mostRepeats) throw error
        const missing = missingDayOf(error)
        if (missing.length > 0) await peoplesConnections.with((client) => ensurePartitions(client, missing))
        else if (!onlyOthersInTheWay(error)) throw error
      }
    }
  }
  const ask = () => on(roadConnections, roadWithinMs, (db) => db.all('select 1 as alive'))
  const pulse = new Pulse(ask)
  const call = (connections: Connections, withinMs: number, noun: string, method: string, parameters: unknown[]) =>
    on(connections, withinMs, (db) => nouns[noun]?.[method]?.(db, ...parameters) ?? Promise.reject(new Error(method)))

  /** A noun's methods, as `queries/` has them, but for those that PostgreSQL has of its own. */
  const noun = <Methods extends object>(
    name: string,
    connections: Connections,
    own: Partial<Methods> = {},
  ): Methods => {
    const ownWithinMs = connections === roadConnections ? roadWithinMs : peopleWithinMs
    return new Proxy(own, {
      get: (_, method: string) =>
        (own as Readonly<Record<string, unknown>>)[method] ??
        ((...parameters: unknown[]) => {
          const full = `${name}.${method}`
          const withinMs = publishesWaitFor.has(full) ? roadWithinMs : ownWithinMs
          const ask = () => call(connections, withinMs, name, method, parameters)
          return (longLists.has(full) ? listTurns.during(ask) : ask()).catch(tell)
        }),
    }) as Methods
  }
  const peoples = <Methods extends object>(name: string, own: Partial<Methods> = {}): Methods =>
    noun(name, peoplesConnections, own)

  /**
   * Where a connection was lost in the middle of a commit, nobody knows whether it was stored, and nobody needs to: it is
   * sent again, and what is stored already (everything has its id) is left as it is.
   */
  const commit = async (batch: CommitBatch): Promise<CommitResult> => {
    const until = performance.now() + roadWithinMs
    for (let packed = packBatch(batch); ; packed = { ...packed, sentBefore: true }) {
      try {
        return (await call(roadConnections, roadWithinMs, 'road', 'commit', [packed])) as CommitResult
      } catch (error) {
        // One that was given up here may still end there, and meet the one that is sent now.
        const again = error instanceof UniqueViolation ? packed.sentBefore : isLost(error)
        if (!again || error instanceof Unreachable || performance.now() >= until) throw error
      }
    }
  }

  try {
    await peoplesConnections.with(async (client) => {
      await migrate(client)
      await ensurePartitions(client, expectedDays(Date.now()))
    })
    await roadConnections.ready()
  } catch (error) {
    await close()
    throw error
  }

  return {
    road: noun<Store['road']>('road', roadConnections, {
      commitsInFlight,
      largestClaim,
      commit,
      // Other nodes are alive: what a dead one held comes back when its leases are over.
      recover: async () => 0,
    }),
    environments: peoples('environments'),
    keys: peoples('keys'),
    portalTokens: peoples('portalTokens'),
    applications: peoples('applications'),
    endpoints: peoples('endpoints'),
    eventTypes: peoples('eventTypes'),
    messages: peoples('messages'),
    attempts: peoples('attempts'),
    answers: peoples('answers'),
    retention: peoples<Store['retention']>('retention', {
      grain: dayMs,
      prepare: (now) => peoplesConnections.with((client) => ensurePartitions(client, expectedDays(now))),
      dropOlder: (before, now) =>
        peoplesConnections.with((client) =>
          dropDays(client, new PostgresDb(client, manner, peopleWithinMs), before, now),
        ),
    }),
    tasks: peoples('tasks'),
    tallies: peoples('tallies'),
    sources: peoples('sources'),
    quarantine: peoples('quarantine'),
    received: peoples('received'),
    // What nodes hear of each other must not wait behind people's lists.
    nodes: noun('nodes', roadConnections),
    changes: noun('changes', roadConnections),
    expunge: peoples<Store['expunge']>('expunge', {
      // What was removed is gone for everyone who asks; its bytes leave the files as vacuum and the log's recycling go on.
      forGood: async () => true,
    }),
    onChange: (heard) => {
      listener ??= pooled ? null : new Listener(peoplesConnections, heard)
    },
    ping: async () => {
      await ask()
    },
    close,
  }
}

/** Callers learn that it may pass; whoever reads the log, why it is so. */
function tell(error: unknown): never {
  if (!isUnavailable(error)) throw error
  const problem = new Problem('unavailable', 'The store does not answer; try again.', [], 1)
  problem.cause = error
  throw problem
}

/** Two transactions wanted the same rows in different orders, and this one was undone for it. */
const onlyOthersInTheWay = (error: unknown): boolean => ['40001', '40P01'].includes(sqlState(error) ?? '')
