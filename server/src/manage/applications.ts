import type { Application, Metadata } from '../domain/application.ts'
import type { ControlPart } from '../domain/control.ts'
import { type EnvironmentId, isId } from '../domain/ids.ts'
import { metadataFault } from '../domain/metadata.ts'
import type { Fact } from '../domain/operational.ts'
import type { Page, PageAsk } from '../domain/page.ts'
import { Problem } from '../domain/problem.ts'
import { uidAfterReplace, uidFault } from '../domain/uid.ts'
import type { Told } from '../ports/store.ts'
import { type Expectation, expectNothing, stored, untilFresh, written } from './change.ts'
import { refuse } from './checks.ts'
import type { ManageContext } from './context.ts'
import { readPage } from './page.ts'

/** What the operator can say about an application. */
export interface ApplicationWish {
  readonly name: string
  /** Undefined: none for a new one; the one it has where it is replaced. */
  readonly uid: string | null | undefined
  readonly throttleRate: number | null
  /** What it says after the change, given what it says now: clients that know nothing of it must not take it away. */
  readonly control: (held: ControlPart) => ControlPart
  readonly metadata: Metadata
}

/** Changes only what is named. */
export type ApplicationPatch = { readonly [Key in keyof ApplicationWish]?: ApplicationWish[Key] | undefined }

export interface ApplicationFilter {
  readonly withEndpointsOnly: boolean
  /** Leave out those that have endpoints, all of them disabled. */
  readonly notAllDisabled: boolean
}

const check = (wish: ApplicationPatch): void =>
  refuse([
    wish.uid == null ? null : uidFault(wish.uid, '/uid'),
    wish.metadata === undefined ? null : metadataFault(wish.metadata, '/metadata'),
  ])

export const applicationNotFound = (idOrUid: string): Problem =>
  new Problem('not-found', `No application '${idOrUid}' in this environment.`)

/** In place of an id or uid: the environment's own application. No caller can spell it. */
export const theOperational: unique symbol = Symbol('operational')
export type ApplicationName = string | typeof theOperational

/** Throws Problem `not-found`. */
export async function getApplication(
  { store }: Pick<ManageContext, 'store'>,
  environmentId: EnvironmentId,
  name: ApplicationName,
): Promise<Application> {
  if (name === theOperational) {
    const found = await store.applications.operational(environmentId)
    if (!found) throw new Problem('not-found', 'This environment has no operational endpoint.')
    return found
  }
  const found = await store.applications.find(environmentId, name)
  if (!found) throw applicationNotFound(name)
  return found
}

/** Applications by id, which is by age. Throws Problem `iterator-invalid`. */
export const listApplications = (
  { store }: ManageContext,
  environmentId: EnvironmentId,
  filter: ApplicationFilter,
  ask: PageAsk,
): Promise<Page<Application>> =>
  readPage<Application>(ask, {
    keys: 'application',
    keyOf: ({ id }) => id,
    fetch: (search) => store.applications.list(environmentId, { withEndpointsOnly: filter.withEndpointsOnly }, search),
    ...(filter.notAllDisabled
      ? {
          keep: async ({ id }) => {
            const endpoints = await store.endpoints.all(id)
            return endpoints.length === 0 || endpoints.some(({ disabledBecause }) => disabledBecause === null)
          },
        }
      : {}),
  })

function fresh({ world, newId }: ManageContext, environmentId: EnvironmentId, wish: ApplicationWish): Application {
  const now = world.now()
  const { name, uid = null, throttleRate, control, metadata } = wish
  return {
    id: newId('application'),
    environmentId,
    uid,
    name,
    throttleRate,
    control: control({}),
    metadata,
    kind: 'customer',
    pausedAt: null,
    createdAt: now,
    updatedAt: now,
    revision: 1,
  }
}

/** `getIfExists`: an application that has the uid already is answered as it is. Throws `uid-taken`, `request-invalid`. */
export async function createApplication(
  context: ManageContext,
  environmentId: EnvironmentId,
  wish: ApplicationWish,
  getIfExists = false,
): Promise<{ readonly created: boolean; readonly row: Application }> {
  check(wish)
  const uid = wish.uid ?? null
  return untilFresh(async () => {
    const found = getIfExists && uid !== null ? await context.store.applications.find(environmentId, uid) : null
    if (found) return { created: false, row: found }
    const row = fresh(context, environmentId, wish)
    const result = await context.store.applications.insert(row)
    // Made by somebody else since we looked: look again.
    if (result === 'uid-taken' && getIfExists) return 'stale'
    written(result, row)
    context.changed(row.id)
    return { created: true, row }
  })
}

/**
 * Creates under the uid of the path what is not there. Throws `not-found`, `uid-taken`,
 * `application-of-source`, `changed-meanwhile`, `request-invalid`.
 */
export async function replaceApplication(
  context: ManageContext,
  environmentId: EnvironmentId,
  idOrUid: string,
  wish: ApplicationWish,
  expect: Expectation = expectNothing,
): Promise<{ readonly created: boolean; readonly row: Application }> {
  check(wish)
  return untilFresh(async () => {
    const found = await context.store.applications.find(environmentId, idOrUid)
    if (!found) {
      if (isId('application', idOrUid) || isId('source', idOrUid)) throw applicationNotFound(idOrUid)
      refuse([uidFault(idOrUid, '/path/app_id'), otherName(wish.uid, idOrUid)])
      await expect()
      const row = fresh(context, environmentId, { ...wish, uid: idOrUid })
      if ((await context.store.applications.insert(row)) === 'uid-taken') return 'stale'
      context.changed(row.id)
      return { created: true, row }
    }
    demandCustomer(found)
    await expect()
    const { name, throttleRate, metadata } = wish
    const row = await changed(context, found, {
      name,
      uid: uidAfterReplace(found.uid, wish.uid, idOrUid),
      throttleRate,
      metadata,
      control: wish.control(found.control),
    })
    return row === 'stale' ? 'stale' : { created: false, row }
  })
}

/** Throws `not-found`, `uid-taken`, `application-of-source`, `changed-meanwhile`, `request-invalid`. */
export async function patchApplication(
  context: ManageContext,
  environmentId: EnvironmentId,
  idOrUid: string,
  patch: ApplicationPatch,
  expect: Expectation = expectNothing,
): Promise<Application> {
  check(patch)
  return untilFresh(async () => {
    const found = await getApplication(context, environmentId, idOrUid)
    demandCustomer(found)
    await expect()
    return changed(context, found, {
      name: patch.name ?? found.name,
      uid: patch.uid === undefined ? found.uid : patch.uid,
      throttleRate: patch.throttleRate === undefined ? found.throttleRate : patch.throttleRate,
      metadata: patch.metadata ?? found.metadata,
      control: patch.control?.(found.control) ?? found.control,
    })
  })
}

/** With its endpoints and what waits for them. Throws `not-found`, `application-of-source`, `changed-meanwhile`. */
export async function deleteApplication(
  context: ManageContext,
  environmentId: EnvironmentId,
  idOrUid: string,
  expect: Expectation = expectNothing,
): Promise<void> {
  await untilFresh(async () => {
    const application = await getApplication(context, environmentId, idOrUid)
    await expect()
    demandCustomer(application)
    const told = await endpointsGone(context, application)
    const { id, revision } = application
    const removal = context.store.applications.delete(id, context.world.now(), told, revision)
    const result = await stored(removal, () => context.changed(id))
    if (result === 'done') context.changed(id)
    return result
  })
}

/** What is told when an application goes, with all its endpoints. */
export async function endpointsGone(context: ManageContext, application: Application): Promise<Told | null> {
  const endpoints = await context.store.endpoints.all(application.id)
  const facts = endpoints.map(({ id, uid }): Fact => ({ kind: 'endpoint.deleted', endpoint: { id, uid, application } }))
  return facts.length === 0 ? null : context.told(application.environmentId, facts)
}

/** An application that is a source is changed as a source. */
function demandCustomer({ id, kind }: Application): void {
  if (kind !== 'source') return
  throw new Problem('application-of-source', `Change the source instead: /ingest/api/v1/source/${id}.`)
}

/** A thing is created under the name in the path; a body that gives it another name contradicts itself. */
export const otherName = (uid: string | null | undefined, inPath: string) =>
  uid == null || uid === inPath
    ? null
    : { pointer: '/uid', message: `must be '${inPath}', the name in the path, or left out` }

async function changed(
  context: ManageContext,
  found: Application,
  wish: Pick<Application, 'name' | 'uid' | 'throttleRate' | 'metadata' | 'control'>,
): Promise<Application | 'stale'> {
  const row = { ...found, ...wish, updatedAt: context.world.now(), revision: found.revision + 1 }
  const update = stored(context.store.applications.update(row), () => context.changed(found.id))
  const result = written(await update, row)
  if (result !== 'stale') context.changed(found.id)
  return result
}
