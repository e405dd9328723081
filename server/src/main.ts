import { readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { makeDoor } from './api/door.ts'
import { createApi } from './api/http.ts'
import { type Settings, serverControl, storeManner } from './config.ts'
import type { RecallAsk } from './domain/change.ts'
import { openSecrets } from './domain/endpoint-seal.ts'
import { type ApplicationId, isId, type Millis, makeIds } from './domain/ids.ts'
import { leaseOf } from './domain/lease.ts'
import { makePublish } from './engine/accept.ts'
import { Chores } from './engine/chores.ts'
import { Claimer } from './engine/claimer.ts'
import { makeDeliver, makeEnd, makeTurned } from './engine/deliver.ts'
import { Directory } from './engine/directory.ts'
import { Dispatcher } from './engine/dispatch.ts'
import { Expunger } from './engine/expunge.ts'
import { Fleet } from './engine/fleet.ts'
import { giveBack } from './engine/give-back.ts'
import { GroupCommit } from './engine/group-commit.ts'
import { Teller } from './engine/operational.ts'
import { Recall } from './engine/recall.ts'
import { Retention } from './engine/retention.ts'
import { SeenEventTypes } from './engine/seen-event-types.ts'
import { TaskRunner } from './engine/tasks.ts'
import { makeVet } from './engine/vetting.ts'
import { makeInbound } from './inbound/inbound.ts'
import { presetBook } from './inbound/presets.ts'
import { makeJudge } from './judge/judge.ts'
import { type Manage, makeManage } from './manage/manage.ts'
import { masterKeyFor } from './master-key.ts'
import type { Fetcher } from './ports/fetcher.ts'
import type { Store } from './ports/store.ts'
import type { World } from './ports/world.ts'
import { stepName } from './stores/migrations.ts'
import { type OpenedStore, openStore } from './stores/open.ts'
import type { Log } from './telemetry/log.ts'
import { Metrics } from './telemetry/metrics.ts'
import { makeObserver } from './telemetry/observer.ts'
import { createHttpTransport } from './transports/http/client.ts'
import { createFetcher } from './transports/http/fetcher.ts'

export const version: string = (
  JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }
).version

/** A running Posthorn. */
export interface Running {
  /** Where it listens, with the real port. */
  readonly url: string
  /** The key that was made because the database had none; null when there was one. Shown once, stored only as a hash. */
  readonly newKey: string | null
  readonly store: Store
  /**
   * Answers health with 503 and goes on serving for the drain; then stops accepting, finishes what is in flight within the
   * grace, puts the rest back due now.
   */
  stop(): Promise<void>
}

/**
 * Wires everything and starts it: the store first, then the road, the listener last. Throws with a plain word on a bad
 * setting. `fetcher`: another than our own, for tests of what providers have on their hosts.
 */
export async function start(settings: Settings, world: World, log: Log, fetcher?: Fetcher): Promise<Running> {
  const database = await openStore(settings.database, 'road', storeManner(settings))
  const { store, migrated } = database
  if (migrated.applied.length > 0)
    log.info({ steps: migrated.applied.map(stepName) }, 'the schema was brought up to date')
  if (migrated.newer.length > 0)
    log.warn(
      { steps: migrated.newer.map(stepName) },
      'the schema is that of a newer version, which this one can work with',
    )
  const { key: masterKey, from: masterKeyFrom } = await keyOf(database, settings.masterKey, world)
  if (!(await opens(store, masterKey))) {
    await database.close()
    throw new Error(
      `The secrets in ${database.shown} are sealed with another master key than the one from ${masterKeyFrom}. Start with the key they were sealed with: without it no delivery can be signed.`,
    )
  }
  const newId = makeIds(world.now, world.randomBytes)

  const control = serverControl(settings)
  const directory = new Directory(store, masterKey, control)
  const teller = new Teller({ world, newId, directory })
  const metrics: Metrics = new Metrics({
    inFlight: () => dispatcher.inFlight,
    hot: () => dispatcher.hot,
    stored: () => store.road.backlog(10_000_000),
    commitsUnderWay: () => commits.underWay,
    nodes: () => fleet.alive,
    leads: () => fleet.leads,
    clockDifference: () => fleet.clockDifference,
  })
  const observer = makeObserver(log, metrics)
  const fleet = new Fleet({
    ...{ store: store.nodes, world, leaseMs: settings.leaseDuration, alone: database.alone, observer },
    node: { id: newId('node'), name: `${hostname()}/${process.pid}`, version },
  })
  try {
    await fleet.join()
  } catch (error) {
    await database.close()
    throw error
  }
  const lease = leaseOf(fleet.id)
  const commits = new GroupCommit(store.road, world, lease, observer, () => fleet.beat())
  const transport = createHttpTransport({
    allow: settings.egressAllow,
    world,
    maxConnectionsPerOrigin: settings.globalInFlight,
  })
  const userAgent = `Posthorn/${version} (+${settings.publicUrl}/docs)`
  const outside = fetcher ?? createFetcher({ allow: settings.egressAllow, world, userAgent })
  const dispatcher: Dispatcher = new Dispatcher({
    world,
    store: store.road,
    directory,
    observer,
    lease,
    limits: {
      endpointInFlight: settings.endpointInFlight,
      globalInFlight: settings.globalInFlight,
      hotDeliveries: settings.hotDeliveries,
      leaseMs: settings.leaseDuration,
    },
    sharers: () => fleet.sharers(),
    heard: () => fleet.heard,
    deliver: makeDeliver({
      world,
      newId,
      transport,
      commits,
      teller,
      observer,
      userAgent,
      jitter: settings.retryJitter,
      disableAfterMs: settings.disableAfter,
      expect: (dueAt) => claimer.expect(dueAt),
    }),
    turned: makeTurned({ world, commits, observer, teller, expect: (dueAt) => claimer.expect(dueAt) }),
    end: makeEnd({ world, newId, commits }),
    written: () => commits.written(),
  })
  const claimer = new Claimer(store.road, world, dispatcher, observer)
  const recall = new Recall({ store, world, fleet, lease })
  const expunger = new Expunger({ store, dispatcher, commits, recall, world, newId })
  const retention = new Retention({ store, world, newId, control, observer, leads: () => fleet.leads })
  const forgotten = (applicationId: ApplicationId): void => {
    directory.forget(applicationId)
    if (isId('source', applicationId)) inbound.changed(applicationId)
  }
  const letGo = async ({ kind, applicationId, messageIds }: RecallAsk): Promise<void> => {
    if (kind === 'expunge') await expunger.expungeHot(applicationId, messageIds)
    else await Promise.all(messageIds.map((id) => dispatcher.messages.cancel(applicationId, id)))
  }
  const chores = new Chores({
    store,
    world,
    dispatcher,
    claimer,
    retention,
    fleet,
    wakeTasks: () => tasks.wake(),
    quarantineAge: settings.quarantineAge,
    changedElsewhere(changed) {
      for (const one of changed) {
        switch (one.kind) {
          case 'cancel':
          case 'expunge':
            // Twice: what was claimed before it was asked back may still be on its way here. Where the store fails on the
            // way, whoever asked is told so by its own part of the work.
            letGo(one).catch(() => {})
            claimer
              .arrived()
              .then(() => letGo(one))
              .catch(() => {})
            break
          case 'application':
            forgotten(one.id)
            dispatcher.changedElsewhere(one.id)
            break
          default:
            directory.forgetAll()
            if (one.kind === 'everything') inbound.changedAll()
            if (one.kind !== 'event-types') dispatcher.changedAllElsewhere()
        }
      }
    },
  })

  const judge = makeJudge(world)
  const tasks: TaskRunner = new TaskRunner({
    ...{ store, directory, judge, world, teller, observer },
    wakeRoad: () => claimer.wake(),
    leads: () => fleet.leads,
    expunge: (...span) => expunger.expungeBetween(...span),
  })

  const seen = new SeenEventTypes(store.eventTypes, world)
  const vet = makeVet({ directory, judge, observer })
  const accept = { world, newId, directory, commits, dispatcher, observer, seen, vet }
  const { publish, publishAll, take } = makePublish(accept)
  const inbound = makeInbound({
    ...{ store, world, newId, masterKey, judge, take, fetcher: outside, observer },
    publicUrl: settings.publicUrl,
    trustedProxies: settings.trustedProxies,
    quarantine: { count: settings.quarantineCount, bytes: settings.quarantineSize, age: settings.quarantineAge },
    capture: (source, secret) => manage.sources.capture(source, secret),
    onKeyFailure: (url, detail) =>
      log.warn({ url, detail }, 'a key of a provider could not be had: its requests are answered 503'),
  })

  const manage: Manage = makeManage({
    store,
    world,
    newId,
    masterKey,
    egressAllow: settings.egressAllow,
    judge,
    presets: presetBook,
    control,
    told: (environmentId, facts) => teller.told(environmentId, facts),
    changed(applicationId) {
      forgotten(applicationId)
      dispatcher.changed(applicationId)
      chores.sweep()
      claimer.wake()
    },
    // Rare: knowing which of the applications in memory are its own would cost more than reading them anew.
    changedEnvironment() {
      directory.forgetAll()
      dispatcher.changedAll()
      claimer.wake()
    },
    // With them every application of the environment has another version.
    changedEventTypes: () => directory.forgetAll(),
    expunge: (applicationId, messageIds) => expunger.expunge(applicationId, messageIds),
    wake: () => claimer.wake(),
    wakeTasks: () => tasks.wake(),
    recall: (ask) => recall.fromOthers(ask),
    cancelHot: (applicationId, messageId) => dispatcher.messages.cancel(applicationId, messageId),
    hotWaits: (applicationId, messageId) => dispatcher.messages.waits(applicationId, messageId),
    resumed(endpointId, applicationId) {
      dispatcher.resumed(endpointId, applicationId)
      claimer.wake()
    },
    probe(endpointId) {
      dispatcher.probe(endpointId)
      claimer.wake()
    },
  })
  const newKey = await ensureKey(manage, settings.apiKey)

  const recovered = await store.road.recover(world.now())
  if (recovered > 0) log.info({ deliveries: recovered }, 'deliveries of the process before are due now')
  // By the clock of this machine, from which the ids of messages come: no publish then has to wait for its day's tables.
  await store.retention.prepare(world.now())
  await chores.start()
  fleet.onShare = () => dispatcher.shared()
  fleet.onLead = () => chores.lead()
  fleet.onReturn = () => chores.renewAll()
  claimer.wake()
  tasks.start()

  let draining = false
  const api = createApi({
    store,
    draining: () => draining,
    fleet,
    world,
    manage,
    publish,
    publishAll,
    reverify: inbound.reverify,
    trigger: inbound.trigger,
    detect: inbound.detect,
    door: makeDoor({
      ...{ receive: inbound.receive, world, log, publicUrl: settings.publicUrl },
      maxBodyBytes: settings.maxInboundBody,
      trustedProxies: settings.trustedProxies,
    }),
    metrics,
    log,
    publicUrl: settings.publicUrl,
    maxBodyBytes: settings.maxBody,
    requestsPerSecond: settings.apiRate,
    crossOrigins: settings.corsOrigins,
    version,
  })
  const url = await api.listen({ host: settings.listen.host, port: settings.listen.port })
  log.info({ url, database: database.shown, masterKeyFrom, version }, 'posthorn is listening')

  return {
    url,
    newKey,
    store,
    async stop() {
      draining = true
      await passed(world, settings.shutdownDrain)
      // Callers that do not read their answers, and receivers that do not give theirs, get the grace and no more.
      const graceEnds = world.now() + settings.shutdownGrace
      const left = (): Millis => Math.max(0, graceEnds - world.now())
      const closed = api.close()
      if (!(await inTime(world, left(), closed))) api.server.closeAllConnections()
      await closed
      chores.stop()
      await inTime(world, left(), tasks.stop())
      await claimer.stop()
      await inTime(
        world,
        left(),
        dispatcher.stop().then(() => commits.idle()),
      )
      chores.end()
      // What ends from here on ends because of us: it is no attempt, and the next start makes it again.
      commits.close()
      // Nothing of it is on the wire when others may have it.
      await transport.close()
      await giveBack(store.road, dispatcher, world.now()).catch((error) => {
        log.error(
          { err: error },
          'the store did not take the deliveries back: they are due again at the next start, or when their leases are over',
        )
      })
      await fleet.leave().catch(() => {}) // Others take it for dead in a moment.
      await outside.close()
      await inbound.stop()
      await judge.close()
      await seen.flush()
      await database.close()
      log.info('posthorn has stopped')
    },
  }
}

/** The master key, or nothing is left open. */
async function keyOf(
  database: OpenedStore,
  configured: Uint8Array | null,
  world: World,
): Promise<ReturnType<typeof masterKeyFor>> {
  try {
    return masterKeyFor(database.beside, configured, world.randomBytes)
  } catch (error) {
    await database.close()
    throw error
  }
}

/** Waits for something, but no longer than that. Resolves to whether it came. */
function inTime(world: World, ms: Millis, something: PromiseLike<unknown>): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = world.after(ms, () => resolve(false))
    const came = (): void => {
      timer.cancel()
      resolve(true)
    }
    something.then(came, came)
  })
}

function passed(world: World, ms: Millis): Promise<void> {
  return new Promise((resolve) => {
    if (ms === 0) resolve()
    else world.after(ms, resolve)
  })
}

/** Whether what is sealed in the store can be opened with this key. */
async function opens(store: Store, masterKey: Uint8Array): Promise<boolean> {
  const endpoint = await store.endpoints.any()
  try {
    if (endpoint) openSecrets(masterKey, endpoint)
    return true
  } catch {
    return false
  }
}

/** Sees to it that somebody can get in: the operator's own key, or one made now because there is none. */
async function ensureKey(manage: Manage, chosen: string | null): Promise<string | null> {
  if (chosen !== null) {
    await manage.keys.adopt({ environment: 'default', name: 'POSTHORN_API_KEY', scopes: ['admin'] }, chosen)
    return null
  }
  return manage.keys.createFirst({ environment: 'default', name: 'first start', scopes: ['admin'] })
}
