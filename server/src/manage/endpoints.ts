import type { Application, Metadata } from '../domain/application.ts'
import { type ControlPart, type ResolvedControl, resolveControl } from '../domain/control.ts'
import { type Endpoint, ownControl } from '../domain/endpoint.ts'
import { checkEndpointHeaders } from '../domain/endpoint-headers.ts'
import { sealHeaders, sealSecrets } from '../domain/endpoint-seal.ts'
import { checkEndpointUrl } from '../domain/endpoint-url.ts'
import { type ApplicationId, type EndpointId, type EnvironmentId, isId } from '../domain/ids.ts'
import { metadataFault } from '../domain/metadata.ts'
import type { Page, PageAsk } from '../domain/page.ts'
import { Problem } from '../domain/problem.ts'
import { nonceBytes } from '../domain/seal.ts'
import { checkSecret, type EndpointSecrets, newSecret } from '../domain/secret.ts'
import { uidAfterReplace, uidFault } from '../domain/uid.ts'
import { type ApplicationName, getApplication, otherName } from './applications.ts'
import { type Expectation, expectNothing, stored, untilFresh, written } from './change.ts'
import { checkAll, refuse } from './checks.ts'
import type { ManageContext } from './context.ts'
import { changeEndpoint, insertEndpoint, toldOf } from './endpoint-change.ts'
import { getSettings } from './environments.ts'
import { filterCheck } from './filters.ts'
import { readPage } from './page.ts'

/** What a subscriber can say about an endpoint, but for its secret and headers. */
export interface EndpointWish {
  readonly url: string
  readonly description: string
  /** Undefined: none for a new one; the one it has where it is replaced. */
  readonly uid: string | null | undefined
  readonly disabled: boolean
  readonly eventTypes: readonly string[] | null
  readonly channels: readonly string[] | null
  /** CEL. Undefined: none for a new one; the one it has where it is replaced. */
  readonly filter: string | null | undefined
  readonly metadata: Metadata
  /** What it says after the change, given what it says now: clients that know nothing of it must not take it away. */
  readonly control: (held: ControlPart) => ControlPart
  readonly throttleRate: number | null
}

/** Changes only what is named. */
export type EndpointPatch = { readonly [Key in keyof EndpointWish]?: EndpointWish[Key] | undefined }

async function checks(context: ManageContext, owner: Application, wish: EndpointPatch): Promise<(() => unknown)[]> {
  const { url, uid, filter, metadata } = wish
  return [
    await filterCheck(context, owner.id, filter),
    () => url !== undefined && checkEndpointUrl(url, context.egressAllow, '/url'),
    () =>
      refuse([
        uid == null ? null : uidFault(uid, '/uid'),
        metadata === undefined ? null : metadataFault(metadata, '/metadata'),
      ]),
  ]
}

const nothingBy = (idOrUid: string): Problem =>
  new Problem('not-found', `No endpoint '${idOrUid}' in this application.`)

/** Throws Problem `not-found`, for the application too. */
export async function getEndpoint(
  context: Pick<ManageContext, 'store'>,
  environmentId: EnvironmentId,
  application: ApplicationName,
  idOrUid: string,
): Promise<Endpoint> {
  const { id } = await getApplication(context, environmentId, application)
  return endpointOf(context, id, idOrUid)
}

/** Throws Problem `not-found`. */
export async function endpointOf(
  { store }: Pick<ManageContext, 'store'>,
  applicationId: ApplicationId,
  idOrUid: string,
): Promise<Endpoint> {
  const found = await store.endpoints.find(applicationId, idOrUid)
  if (!found) throw nothingBy(idOrUid)
  return found
}

/** What counts for an endpoint, who says it, and the limit over all endpoints of its application (null: none). */
export interface ResolvedEndpoint {
  readonly control: ResolvedControl
  readonly applicationThrottleRate: number | null
}

/** Throws Problem `not-found` when its application has gone. */
export async function resolvedControl(
  context: ManageContext,
  environmentId: EnvironmentId,
  endpoint: Endpoint,
): Promise<ResolvedEndpoint> {
  const application = await getApplication(context, environmentId, endpoint.applicationId)
  const { control } = await getSettings(context, environmentId)
  return {
    control: resolveControl(context.control, control, application.control, ownControl(endpoint)),
    applicationThrottleRate: application.throttleRate,
  }
}

/** Endpoints by id, which is by age. Throws `not-found`, `iterator-invalid`. */
export async function listEndpoints(
  context: ManageContext,
  environmentId: EnvironmentId,
  application: ApplicationName,
  ask: PageAsk,
): Promise<Page<Endpoint>> {
  const { id } = await getApplication(context, environmentId, application)
  return readPage<Endpoint>(ask, {
    keys: 'endpoint',
    keyOf: (endpoint) => endpoint.id,
    fetch: (search) => context.store.endpoints.list(id, search),
  })
}

function fresh(
  { world, newId, masterKey }: ManageContext,
  applicationId: ApplicationId,
  wish: EndpointWish,
  secret: string | null,
  headers: Readonly<Record<string, string>>,
): Endpoint {
  const now = world.now()
  const { url, description, uid = null, disabled, eventTypes, channels, filter = null, metadata, throttleRate } = wish
  const id: EndpointId = newId('endpoint')
  const secrets: EndpointSecrets = { current: secret ?? newSecret(world.randomBytes), former: [] }
  return {
    id,
    applicationId,
    uid,
    url,
    description,
    eventTypes,
    channels,
    filter,
    metadata,
    throttleRate,
    control: wish.control({}),
    disabledBecause: disabled ? 'owner' : null,
    failingSince: null,
    pausedAt: null,
    breakerOpenedAt: null,
    sealedSecrets: sealSecrets(masterKey, id, secrets, world.randomBytes(nonceBytes)),
    sealedHeaders: sealHeaders(masterKey, id, headers, world.randomBytes(nonceBytes)),
    createdAt: now,
    updatedAt: now,
    revision: 1,
  }
}

/**
 * `secret` null: one is made. Throws `not-found`, `uid-taken`, `endpoint-url-invalid`, `endpoint-url-private`,
 * `secret-invalid`, `header-reserved`, `filter-invalid`, or `request-invalid` where there is more than one fault.
 */
export async function createEndpoint(
  context: ManageContext,
  environmentId: EnvironmentId,
  application: ApplicationName,
  wish: EndpointWish,
  secret: string | null,
  headers: Readonly<Record<string, string>>,
): Promise<Endpoint> {
  const owner = await getApplication(context, environmentId, application)
  checkAll([
    ...(await checks(context, owner, wish)),
    () => secret !== null && checkSecret(secret, '/secret'),
    () => checkEndpointHeaders(headers, '/headers'),
  ])
  const row = fresh(
    context,
    owner.id,
    { ...wish, url: checkEndpointUrl(wish.url, context.egressAllow, '/url') },
    secret === null ? null : checkSecret(secret, '/secret'),
    checkEndpointHeaders(headers, '/headers'),
  )
  written(await insertEndpoint(context, owner, row), row)
  return row
}

/** Creates under the uid of the path what is not there. Throws as `createEndpoint`, and `changed-meanwhile`. */
export async function replaceEndpoint(
  context: ManageContext,
  environmentId: EnvironmentId,
  application: ApplicationName,
  idOrUid: string,
  wish: EndpointWish,
  expect: Expectation = expectNothing,
): Promise<{ readonly created: boolean; readonly row: Endpoint }> {
  const owner = await getApplication(context, environmentId, application)
  return untilFresh(async () => {
    const found = await context.store.endpoints.find(owner.id, idOrUid)
    if (!found) {
      if (isId('endpoint', idOrUid)) throw nothingBy(idOrUid)
      checkAll([
        ...(await checks(context, owner, wish)),
        () => refuse([uidFault(idOrUid, '/path/endpoint_id'), otherName(wish.uid, idOrUid)]),
      ])
      await expect()
      const url = checkEndpointUrl(wish.url, context.egressAllow, '/url')
      const row = fresh(context, owner.id, { ...wish, url, uid: idOrUid }, null, {})
      if ((await insertEndpoint(context, owner, row)) === 'uid-taken') return 'stale'
      return { created: true, row }
    }
    checkAll(await checks(context, owner, wish))
    await expect()
    const uid = uidAfterReplace(found.uid, wish.uid, idOrUid)
    const row = await changed(context, owner, found, { ...wish, uid })
    return row === 'stale' ? 'stale' : { created: false, row }
  })
}

/** Throws as `createEndpoint`, and `changed-meanwhile`. */
export async function patchEndpoint(
  context: ManageContext,
  environmentId: EnvironmentId,
  application: ApplicationName,
  idOrUid: string,
  patch: EndpointPatch,
  expect: Expectation = expectNothing,
): Promise<Endpoint> {
  const owner = await getApplication(context, environmentId, application)
  return untilFresh(async () => {
    const found = await endpointOf(context, owner.id, idOrUid)
    checkAll(await checks(context, owner, patch))
    await expect()
    return changed(context, owner, found, patch)
  })
}

/** Keeps its deliveries back, or lets them go again, in the order they came. Throws `not-found`, `changed-meanwhile`. */
export async function pauseEndpoint(
  context: ManageContext,
  environmentId: EnvironmentId,
  application: ApplicationName,
  idOrUid: string,
  pause: boolean,
): Promise<Endpoint> {
  const owner = await getApplication(context, environmentId, application)
  const row = await untilFresh(async () => {
    const found = await endpointOf(context, owner.id, idOrUid)
    if ((found.pausedAt !== null) === pause) return found
    return changeEndpoint(context, owner, found, { pausedAt: pause ? context.world.now() : null })
  })
  if (!pause) context.resumed(row.id, owner.id)
  return row
}

/** What waits for it is dropped. Throws `not-found`, `changed-meanwhile`. */
export async function deleteEndpoint(
  context: ManageContext,
  environmentId: EnvironmentId,
  application: ApplicationName,
  idOrUid: string,
  expect: Expectation = expectNothing,
): Promise<void> {
  const owner = await getApplication(context, environmentId, application)
  await untilFresh(async () => {
    const { id, uid, revision } = await endpointOf(context, owner.id, idOrUid)
    await expect()
    const told = await toldOf(context, owner, [{ kind: 'endpoint.deleted', endpoint: { id, uid, application: owner } }])
    const removal = context.store.endpoints.delete(id, context.world.now(), told, revision)
    const result = await stored(removal, () => context.changed(owner.id))
    if (result === 'done') context.changed(owner.id)
    return result
  })
}

function changed(
  context: ManageContext,
  owner: Application,
  found: Endpoint,
  patch: EndpointPatch,
): Promise<Endpoint | 'stale'> {
  const kept = <Value>(given: Value | undefined, held: Value): Value => (given === undefined ? held : given)
  const because = found.disabledBecause
  const disabledBecause = patch.disabled === undefined ? because : patch.disabled ? (because ?? 'owner') : null
  return changeEndpoint(context, owner, found, {
    url: patch.url === undefined ? found.url : checkEndpointUrl(patch.url, context.egressAllow, '/url'),
    description: kept(patch.description, found.description),
    uid: kept(patch.uid, found.uid),
    eventTypes: kept(patch.eventTypes, found.eventTypes),
    channels: kept(patch.channels, found.channels),
    filter: kept(patch.filter, found.filter),
    control: patch.control?.(found.control) ?? found.control,
    metadata: kept(patch.metadata, found.metadata),
    throttleRate: kept(patch.throttleRate, found.throttleRate),
    disabledBecause,
    // Enabled again, it starts with a clean slate: its old failures must not disable it at the next one.
    failingSince: because !== null && disabledBecause === null ? null : found.failingSince,
    breakerOpenedAt: because !== null && disabledBecause === null ? null : found.breakerOpenedAt,
  })
}
