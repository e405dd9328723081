import { randomUUID } from 'node:crypto'
import { DatabaseSync } from 'node:sqlite'
import type { ExpungeStore, RetentionStore, Store } from '../../ports/store.ts'
import { longLists } from '../queries/list-turns.ts'
import { packBatch } from '../queries/packed-batch.ts'
import type { road } from '../queries/road.ts'
import { Lister } from './lister.ts'
import { migrate } from './migrate.ts'
import { makeFile } from './schema.ts'
import { Thread } from './thread-calls.ts'

// What does not change anything goes to the reader, so that no commit waits for it.
const reads: ReadonlySet<string> = new Set([
  ...['all', 'alive', 'applications', 'backlog', 'byHash', 'byId', 'byName', 'byToken', 'countAttempts'],
  ...['countTokens', 'destinations', 'find', 'handshakes', 'heldByOthers', 'idsBetween', 'list', 'look'],
  ...['oldest', 'operational', 'results', 'routes', 'running', 'secretUses', 'settled', 'since'],
  ...['subscriptions', 'totals', 'unsent', 'waiting'],
])

const commitsBetweenCopies = 100
// Each waits 10 ms at most: a reader that stays in the log for longer than all of them is not one of ours.
const mostEmptyings = 50
// 16 MiB: past this the log is started anew.
const longLogPages = 4_000

/**
 * Opens (and if need be makes) the database at `path` and its threads: one that writes, one that reads, and one for long lists,
 * when somebody asks for one. Throws when the file cannot be used, or was last used by a newer Posthorn. Several processes may
 * have it open; only `holdAlone` may run the road on it.
 */
export async function openSqliteStore(path: string): Promise<Store> {
  makeFile(path)
  const database = new DatabaseSync(path, { timeout: 5_000 })
  try {
    database.exec('pragma journal_mode = wal; pragma synchronous = full')
    migrate(database)
  } finally {
    database.close()
  }
  const origin = randomUUID()
  const writer = new Thread(path, 'writer', origin)
  const reader = new Thread(path, 'reader', origin)
  const lister = new Lister(() => new Thread(path, 'lister', origin))
  const forCall = (name: string, method: string): Pick<Thread, 'call'> => {
    if (longLists.has(`${name}.${method}`)) return lister
    return reads.has(method) ? reader : writer
  }
  await Promise.all([writer.call('process', 'ping', []), reader.call('process', 'ping', [])])

  /** A noun's methods, as `queries/` has them, but for those that SQLite has of its own. */
  const noun = <Methods extends object>(name: string, own: Partial<Methods> = {}): Methods =>
    new Proxy(own, {
      get: (_, method: string) =>
        (own as Readonly<Record<string, unknown>>)[method] ??
        ((...parameters: unknown[]) => forCall(name, method).call(name, method, parameters)),
    }) as Methods

  // A commit that copied a long log itself would hold up all that wait for it, for 50 ms and more (bench tenth, 2026-11).
  let commits = 0
  let copying = false
  const keepLogShort = (): void => {
    commits += 1
    if (copying || commits % commitsBetweenCopies !== 0) return
    copying = true
    const copy = async (): Promise<void> => {
      const pages = await reader.call<number>('process', 'checkpoint', [])
      if (pages > longLogPages) await writer.call('process', 'restartLog', [])
    }
    copy()
      .catch(() => {}) // A longer log costs space only; the next copy takes it along.
      .finally(() => {
        copying = false
      })
  }

  // One emptying of the log serves all that wait for one and had removed theirs before it began.
  let emptying: Promise<boolean> | null = null
  let next: Promise<boolean> | null = null
  const emptyLog = (): Promise<boolean> => lister.without(emptyLogNow)
  const emptyLogNow = async (): Promise<boolean> => {
    for (let tries = 0; tries < mostEmptyings; tries++) {
      // Most of it is copied beside the running commits; and when this is answered the reader is through with what it had.
      await reader.call('process', 'checkpoint', [])
      if (await writer.call<boolean>('process', 'emptyLog', [])) return true
    }
    return false
  }
  const forGood = (): Promise<boolean> => {
    const begin = (): Promise<boolean> => {
      next = null
      emptying = emptyLog().finally(() => {
        emptying = null
      })
      return emptying
    }
    if (emptying === null) return begin()
    next ??= emptying.then(begin, begin)
    return next
  }

  const expunging = noun<ExpungeStore>('expunge')
  const packed = noun<{ [Method in keyof typeof road]: (...parameters: unknown[]) => Promise<never> }>('road')
  return {
    road: {
      // One file has one writer, which does one commit after the other. With the next one waiting at it, it need not wait until
      // the main thread has heard of the last: that one, all else being equal, was busy for 83 % of the time with one commit
      // under way, and 90 % with two, three or four (bench publish on two cores, 8 windows of 3 s each, 2026-11).
      commitsInFlight: 2,
      largestClaim: { visits: 64, deliveries: 512 },
      commit: (batch) => {
        keepLogShort()
        return packed.commit(packBatch(batch))
      },
      claim: (ask) => packed.claim(ask),
      renew: (lease, until, deliveries) => packed.renew(lease, until, deliveries),
      release: (lease, deliveries) => packed.release(lease, deliveries),
      recover: (now) => packed.recover(now),
      sweepDeleted: (limit) => packed.sweepDeleted(limit),
      resend: (key) => packed.resend(key),
      end: (attempts, now) => packed.end(attempts, now),
      heldByOthers: (lease, messageIds) => packed.heldByOthers(lease, messageIds),
      backlog: (most) => packed.backlog(most),
    },
    environments: noun('environments'),
    keys: noun('keys'),
    sources: noun('sources'),
    quarantine: noun('quarantine'),
    received: noun('received'),
    portalTokens: noun('portalTokens'),
    applications: noun('applications'),
    endpoints: noun('endpoints'),
    eventTypes: noun('eventTypes'),
    messages: noun('messages'),
    attempts: noun('attempts'),
    answers: noun('answers'),
    expunge: {
      messages: (applicationId, ids, ending) => expunging.messages(applicationId, ids, ending),
      attempt: (messageId, attemptId) => expunging.attempt(messageId, attemptId),
      idsBetween: (applicationId, above, below, limit) => expunging.idsBetween(applicationId, above, below, limit),
      forGood,
    },
    retention: noun<RetentionStore>('retention', {
      // Every message is removed by itself: one file has no parts that could be dropped.
      grain: 0,
      prepare: async () => {},
      dropOlder: async () => ({ messages: 0, attempts: 0, payloads: 0, deliveries: 0 }),
    }),
    tasks: noun('tasks'),
    tallies: noun('tallies'),
    nodes: noun('nodes'),
    changes: noun('changes'),
    onChange: () => {},
    ping: async () => {
      await Promise.all([writer.call('process', 'ping', []), reader.call('process', 'ping', [])])
    },
    close: async () => {
      await lister.close()
      await reader.close()
      await writer.close()
    },
  }
}
