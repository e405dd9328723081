import type { Application } from '../domain/application.ts'
import { type Control, controlOf } from '../domain/control.ts'
import { type DisabledBecause, type Endpoint, ownControl } from '../domain/endpoint.ts'
import type { EnvironmentSettings } from '../domain/environment.ts'
import { latestSchema } from '../domain/event-type.ts'
import type { ApplicationId, EndpointId, EnvironmentId, Millis } from '../domain/ids.ts'
import type { Signer } from '../domain/signature.ts'
import type { RoutesCounts, Store } from '../ports/store.ts'
import { Opened } from './opened.ts'
import type { Demands } from './vetting.ts'

/** An endpoint as the road needs it: opened, prepared, in memory. */
export interface Destination {
  readonly id: EndpointId
  readonly uid: string | null
  readonly applicationId: ApplicationId
  readonly application: Application
  readonly url: string
  readonly eventTypes: readonly string[] | null
  readonly channels: readonly string[] | null
  readonly filter: string | null
  disabledBecause: DisabledBecause | null
  failingSince: Millis | null
  readonly paused: boolean
  /** Of the endpoint's row. */
  readonly revision: number
  breakerOpenedAt: Millis | null
  /** How its deliveries are made, as all levels together say. */
  readonly control: Control
  /** Deliveries a second to all endpoints of its application together; 0: no limit. */
  readonly applicationRate: number
  /** The owner's extra headers, flat. */
  readonly extraHeaders: readonly string[]
  /** The signer of this moment: a former secret drops out when its overlap ends. */
  signerAt(now: Millis): Signer
}

/** One application with everything a message is matched against. */
export interface Routes {
  readonly application: Application
  /** What counts for its messages, before any endpoint says something. */
  readonly control: Control
  readonly destinations: readonly Destination[]
  /** Both counts of `RoutesCounts` together, as they were before all of this was read. */
  readonly version: number
  /** Some destination has a filter. */
  readonly filtered: boolean
  readonly demands: Demands | null
  /** Whether anything must be asked before a message is accepted: `filtered`, or there are demands. */
  readonly asks: boolean
}

/** What counts of a declared event type for a publish. */
export interface DeclaredType {
  readonly archived: boolean
  /** The latest schema, as JSON text. */
  readonly schema: string | null
}

// Applications kept prepared. Past this the one that was read longest ago is read anew when it is next published to.
const mostApplications = 10_000
const mostEventTypes = 10_000

/**
 * What the road knows of applications and endpoints, so that a publish asks the store nothing. Every change made through
 * this process calls `forget` before it is answered, so the next publish sees it; a change by another process is
 * noticed by `ChangeStore.since` (see chores).
 */
export class Directory {
  readonly #store: Store
  readonly #opened: Opened
  readonly #serverControl: Control
  // By `environment name`, where the name is the id or the uid the caller used, in the order they were read.
  readonly #byName = new Map<string, Routes>()
  readonly #namesOf = new Map<ApplicationId, Set<string>>()
  readonly #loading = new Map<string, Promise<Routes | null>>()
  /** Where operational webhooks go; null: nobody in the environment has asked for any. */
  readonly #operational = new Map<EnvironmentId, Routes | null>()
  // By `environment name`; null: it is not declared.
  readonly #eventTypes = new Map<string, DeclaredType | null>()
  /** The newest count that was seen of each: what was read of event types is no older. */
  readonly #environments = new Map<EnvironmentId, number>()
  #generation = 0
  #typesGeneration = 0

  constructor(store: Store, masterKey: Uint8Array, serverControl: Control) {
    this.#store = store
    this.#opened = new Opened(masterKey)
    this.#serverControl = serverControl
  }

  /** Whether these are still what counts: nothing about their application has changed since they were read. */
  holds(routes: Routes): boolean {
    for (const name of this.#namesOf.get(routes.application.id) ?? []) {
      if (this.#byName.get(name) === routes) return true
    }
    return false
  }

  /** What is in memory; undefined: ask `load`. */
  cached(environmentId: EnvironmentId, idOrUid: string): Routes | undefined {
    return this.#byName.get(`${environmentId} ${idOrUid}`)
  }

  /** Resolves to null when the environment has no such application. */
  async load(environmentId: EnvironmentId, idOrUid: string): Promise<Routes | null> {
    const name = `${environmentId} ${idOrUid}`
    const underway = this.#loading.get(name)
    if (underway) return underway
    const loading = this.#read(environmentId, idOrUid, name).finally(() => this.#loading.delete(name))
    this.#loading.set(name, loading)
    return loading
  }

  /** The endpoints of one application as they are in the store now, for deliveries that are already on their way. */
  async destinations(applicationId: ApplicationId): Promise<readonly Destination[]> {
    return (await this.#routes(applicationId))?.destinations ?? []
  }

  /** Where operational webhooks of an environment go, as `cached`; null: nowhere. */
  cachedOperational(environmentId: EnvironmentId): Routes | null | undefined {
    return this.#operational.get(environmentId)
  }

  /** Resolves to null when nobody in the environment has asked for operational webhooks. */
  async loadOperational(environmentId: EnvironmentId): Promise<Routes | null> {
    for (;;) {
      const generation = this.#generation
      const application = await this.#store.applications.operational(environmentId)
      const routes = application && (await this.#routes(application.id))
      if (generation !== this.#generation) continue
      this.#operational.set(environmentId, routes)
      return routes
    }
  }

  /** Null: nobody has declared it. */
  async eventType(environmentId: EnvironmentId, name: string): Promise<DeclaredType | null> {
    const key = `${environmentId} ${name}`
    for (;;) {
      const known = this.#eventTypes.get(key)
      if (known !== undefined) return known
      const generation = this.#typesGeneration
      const found = await this.#store.eventTypes.find(environmentId, name)
      if (generation !== this.#typesGeneration) continue
      const schema = found ? latestSchema(found) : undefined
      const declared = found && {
        archived: found.archived,
        schema: schema === undefined ? null : JSON.stringify(schema),
      }
      this.#eventTypes.set(key, declared)
      for (const oldest of this.#eventTypes.keys()) {
        if (this.#eventTypes.size <= mostEventTypes) break
        this.#eventTypes.delete(oldest)
      }
      return declared
    }
  }

  /** Whether these are what is committed now. */
  async current({ application, version }: Routes): Promise<boolean> {
    const counts = await this.#store.applications.routes(application.id)
    return counts !== null && counts.application + counts.environment === version
  }

  /** These are not what is committed: what is read next must be newer. */
  outdated(routes: Routes): void {
    if (this.holds(routes)) this.forget(routes.application.id)
  }

  forget(applicationId: ApplicationId): void {
    this.#generation += 1
    for (const name of this.#namesOf.get(applicationId) ?? []) this.#byName.delete(name)
    this.#namesOf.delete(applicationId)
    this.#loading.clear()
    // What was not there may be what has just been made.
    for (const [environmentId, routes] of this.#operational) {
      if (routes === null || routes.application.id === applicationId) this.#operational.delete(environmentId)
    }
  }

  forgetAll(): void {
    this.#generation += 1
    this.#typesGeneration += 1
    this.#byName.clear()
    this.#namesOf.clear()
    this.#loading.clear()
    this.#operational.clear()
    this.#eventTypes.clear()
  }

  async #read(environmentId: EnvironmentId, idOrUid: string, name: string): Promise<Routes | null> {
    for (;;) {
      const generation = this.#generation
      const application = await this.#store.applications.find(environmentId, idOrUid)
      if (!application) return null
      const routes = await this.#routes(application.id)
      if (!routes) return null
      // Something changed while we read: what we hold may be the old world.
      if (generation !== this.#generation) continue
      this.#keep(name, routes)
      return routes
    }
  }

  async #routes(id: ApplicationId): Promise<Routes | null> {
    // Before all else: what is read after it may be newer than it says, never older.
    const counts = await this.#store.applications.routes(id)
    if (!counts) return null
    const [application, environment, endpoints] = await Promise.all([
      this.#store.applications.byId(id),
      this.#store.environments.find(counts.environmentId),
      this.#store.endpoints.all(id),
    ])
    if (!application) return null
    this.#seen(counts)
    const said = controlOf(this.#serverControl, environment?.settings.control ?? {}, application.control)
    const received = application.kind === 'source'
    // What came to a source goes on as it came, one by one; what it is called there, its environment need not know.
    const control = received ? { ...said, batchSize: 1 } : said
    const destinations = endpoints.map((row) => this.#prepare(row, application, control))
    const filtered = destinations.some(({ filter }) => filter !== null)
    const demands = environment && !received ? demandsOf(environment.settings) : null
    const version = counts.application + counts.environment
    return { application, control, destinations, version, filtered, demands, asks: filtered || demands !== null }
  }

  /** What was read of event types before its environment counted that far may be something else by now. */
  #seen({ environmentId, environment }: RoutesCounts): void {
    if (environment <= (this.#environments.get(environmentId) ?? -1)) return
    this.#environments.set(environmentId, environment)
    this.#typesGeneration += 1
    for (const key of this.#eventTypes.keys()) if (key.startsWith(`${environmentId} `)) this.#eventTypes.delete(key)
  }

  #keep(name: string, routes: Routes): void {
    this.#byName.set(name, routes)
    const names = this.#namesOf.get(routes.application.id) ?? new Set()
    names.add(name)
    this.#namesOf.set(routes.application.id, names)
    if (this.#byName.size <= mostApplications) return
    for (const [oldest, old] of this.#byName) {
      this.#byName.delete(oldest)
      this.#namesOf.get(old.application.id)?.delete(oldest)
      if (this.#namesOf.get(old.application.id)?.size === 0) this.#namesOf.delete(old.application.id)
      break
    }
  }

  #prepare(endpoint: Endpoint, application: Application, inherited: Control): Destination {
    const { extraHeaders, signerAt } = this.#opened.of(endpoint)
    return {
      id: endpoint.id,
      uid: endpoint.uid,
      applicationId: endpoint.applicationId,
      application,
      url: endpoint.url,
      eventTypes: endpoint.eventTypes,
      channels: endpoint.channels,
      filter: endpoint.filter,
      disabledBecause: endpoint.disabledBecause,
      failingSince: endpoint.failingSince,
      paused: endpoint.pausedAt !== null || application.pausedAt !== null,
      revision: endpoint.revision,
      breakerOpenedAt: endpoint.breakerOpenedAt,
      control: controlOf(
        inherited,
        application.kind === 'source' ? { ...ownControl(endpoint), batchSize: 1 } : ownControl(endpoint),
      ),
      applicationRate: application.throttleRate ?? 0,
      extraHeaders,
      signerAt,
    }
  }
}

const demandsOf = ({ schemaValidation, strictEventTypes }: EnvironmentSettings): Demands | null =>
  schemaValidation === 'off' && !strictEventTypes ? null : { schemaValidation, strictEventTypes }
