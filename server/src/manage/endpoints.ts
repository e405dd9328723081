import { isDeepStrictEqual } from 'node:util'
import type { Application, Metadata } from '../domain/application.ts'
import { type ControlPart, type ResolvedControl, resolveControl } from '../domain/control.ts'
import type { Endpoint } from '../domain/endpoint.ts'
import { checkEndpointHeaders } from '../domain/endpoint-headers.ts'
import { openHeaders, openSecrets, sealHeaders, sealSecrets } from '../domain/endpoint-seal.ts'
import { checkEndpointUrl } from '../domain/endpoint-url.ts'
import { type ApplicationId, type EndpointId, type EnvironmentId, isId, type Millis } from '../domain/ids.ts'
import { metadataFault } from '../domain/metadata.ts'
import { type Fact, factsOfChange } from '../domain/operational.ts'
import type { Page, PageAsk } from '../domain/page.ts'
import { Problem } from '../domain/problem.ts'
import { checkSecret, type EndpointSecrets, newSecret, publicKeyOf, rotate } from '../domain/secret.ts'
import { uidFault } from '../domain/uid.ts'
import type { Told } from '../ports/store.ts'
import { type ApplicationName, getApplication, otherName } from './applications.ts'
import { type Expectation, expectNothing, untilFresh, written } from './change.ts'
import { checkAll, refuse } from './checks.ts'
import type { ManageContext } from './context.ts'
import { getSettings } from './environments.ts'
import { filterCheck } from './filters.ts'
import { readPage } from './page.ts'
import { isSensitiveHeader } from './sensitive-header.ts'

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

const nonceBytes = 12

async function checks(context: ManageContext, wish: EndpointPatch): Promise<(() => unknown)[]> {
  const { url, uid, filter, metadata } = wish
  return [
    await filterCheck(context, filter),
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
  const own: ControlPart = { ...endpoint.control, throttleRate: endpoint.throttleRate ?? undefined }
  return {
    control: resolveControl(context.control, control, application.control, own),
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
    ...(await checks(context, wish)),
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
  written(await inserted(context, owner, row), row)
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
        ...(await checks(context, wish)),
        () => refuse([uidFault(idOrUid, '/path/endpoint_id'), otherName(wish.uid, idOrUid)]),
      ])
      await expect()
      const url = checkEndpointUrl(wish.url, context.egressAllow, '/url')
      const row = fresh(context, owner.id, { ...wish, url, uid: idOrUid }, null, {})
      if ((await inserted(context, owner, row)) === 'uid-taken') return 'stale'
      return { created: true, row }
    }
    checkAll(await checks(context, wish))
    await expect()
    // As with applications: the name it was addressed by is not lost by leaving it out.
    const uid = wish.uid === undefined || (wish.uid === null && found.uid === idOrUid) ? found.uid : wish.uid
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
    checkAll(await checks(context, patch))
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
    return changedRow(context, owner, found, { pausedAt: pause ? context.world.now() : null })
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
    const result = await context.store.endpoints.delete(id, context.world.now(), told, revision)
    if (result === 'done') context.changed(owner.id)
    return result
  })
}

/** What a receiver verifies with: the shared secret, or the public half of a key pair. Throws `not-found`. */
export async function getEndpointSecret(
  context: ManageContext,
  environmentId: EnvironmentId,
  application: ApplicationName,
  idOrUid: string,
): Promise<string> {
  const { current } = openSecrets(context.masterKey, await getEndpoint(context, environmentId, application, idOrUid))
  return publicKeyOf(current) ?? current
}

/**
 * The former secret goes on signing for `graceMs`. `next` null: one of the same kind is made. Throws `not-found`,
 * `secret-invalid`, `changed-meanwhile`.
 */
export async function rotateEndpointSecret(
  context: ManageContext,
  environmentId: EnvironmentId,
  application: ApplicationName,
  idOrUid: string,
  next: string | null,
  graceMs: Millis,
): Promise<void> {
  const given = next === null ? null : checkSecret(next, '/key')
  const { world, masterKey } = context
  const owner = await getApplication(context, environmentId, application)
  await untilFresh(async () => {
    const found = await endpointOf(context, owner.id, idOrUid)
    const secrets = openSecrets(masterKey, found)
    const current = given ?? newSecret(world.randomBytes, secrets.current.startsWith('whsk_') ? 'whsk' : 'whsec')
    const sealedSecrets = sealSecrets(
      masterKey,
      found.id,
      rotate(secrets, current, world.now(), graceMs),
      world.randomBytes(nonceBytes),
    )
    return changedRow(context, owner, found, { sealedSecrets })
  })
}

/** The headers whose values may be shown, and the names of those that may not. Throws `not-found`. */
export async function getEndpointHeaders(
  context: ManageContext,
  environmentId: EnvironmentId,
  application: ApplicationName,
  idOrUid: string,
): Promise<{ readonly headers: Readonly<Record<string, string>>; readonly sensitive: readonly string[] }> {
  const endpoint = await getEndpoint(context, environmentId, application, idOrUid)
  const all = Object.entries(openHeaders(context.masterKey, endpoint))
  return {
    headers: Object.fromEntries(all.filter(([name]) => !isSensitiveHeader(name))),
    sensitive: all.map(([name]) => name).filter(isSensitiveHeader),
  }
}

/** Throws `not-found`, `header-reserved`, `changed-meanwhile`. */
export const replaceEndpointHeaders = (
  context: ManageContext,
  environmentId: EnvironmentId,
  application: ApplicationName,
  idOrUid: string,
  headers: Readonly<Record<string, string>>,
  expect: Expectation = expectNothing,
): Promise<void> => changeHeaders(context, environmentId, application, idOrUid, () => headers, expect)

/** Null, or a name in `remove`, takes a header away. Names are compared without case. Throws as `replaceEndpointHeaders`. */
export function patchEndpointHeaders(
  context: ManageContext,
  environmentId: EnvironmentId,
  application: ApplicationName,
  idOrUid: string,
  set: Readonly<Record<string, string | null>>,
  remove: readonly string[],
  expect: Expectation = expectNothing,
): Promise<void> {
  const named = new Set([...remove, ...Object.keys(set)].map((name) => name.toLowerCase()))
  return changeHeaders(
    context,
    environmentId,
    application,
    idOrUid,
    (held) =>
      Object.fromEntries([
        ...Object.entries(held).filter(([name]) => !named.has(name.toLowerCase())),
        ...Object.entries(set).filter((entry): entry is [string, string] => entry[1] !== null),
      ]),
    expect,
  )
}

async function changeHeaders(
  context: ManageContext,
  environmentId: EnvironmentId,
  application: ApplicationName,
  idOrUid: string,
  decide: (held: Readonly<Record<string, string>>) => Readonly<Record<string, string>>,
  expect: Expectation,
): Promise<void> {
  const { world, masterKey } = context
  const owner = await getApplication(context, environmentId, application)
  await untilFresh(async () => {
    const found = await endpointOf(context, owner.id, idOrUid)
    const held = openHeaders(masterKey, found)
    const headers = checkEndpointHeaders(decide(held), '/headers')
    await expect()
    // Sealed again they would look like others.
    if (isDeepStrictEqual(headers, held)) return changedRow(context, owner, found, {})
    return changedRow(context, owner, found, {
      sealedHeaders: sealHeaders(masterKey, found.id, headers, world.randomBytes(nonceBytes)),
    })
  })
}

async function toldOf(context: ManageContext, owner: Application, facts: readonly Fact[]): Promise<Told | null> {
  // Of the endpoints that operational webhooks go to nothing is told: it would never end.
  return owner.operational || facts.length === 0 ? null : context.told(owner.environmentId, facts)
}

async function inserted(context: ManageContext, owner: Application, row: Endpoint): Promise<'done' | 'uid-taken'> {
  const { id, uid } = row
  const told = await toldOf(context, owner, [{ kind: 'endpoint.created', endpoint: { id, uid, application: owner } }])
  const result = await context.store.endpoints.insert(row, told)
  if (result === 'done') context.changed(owner.id)
  return result
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
  return changedRow(context, owner, found, {
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

async function changedRow(
  context: ManageContext,
  owner: Application,
  found: Endpoint,
  parts: Partial<Endpoint>,
): Promise<Endpoint | 'stale'> {
  const row: Endpoint = { ...found, ...parts, updatedAt: context.world.now(), revision: found.revision + 1 }
  const told = await toldOf(context, owner, factsOfChange(found, row, owner))
  const result = written(await context.store.endpoints.update(row, told), row)
  if (result === 'stale') return 'stale'
  context.changed(owner.id)
  if (found.disabledBecause !== null && row.disabledBecause === null) context.wake()
  return result
}
