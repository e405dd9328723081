import { isDeepStrictEqual } from 'node:util'
import { checkEndpointHeaders } from '../domain/endpoint-headers.ts'
import { openHeaders, sealHeaders } from '../domain/endpoint-seal.ts'
import type { EnvironmentId } from '../domain/ids.ts'
import { nonceBytes } from '../domain/seal.ts'
import { type ApplicationName, getApplication } from './applications.ts'
import { type Expectation, expectNothing, untilFresh } from './change.ts'
import type { ManageContext } from './context.ts'
import { changeEndpoint } from './endpoint-change.ts'
import { endpointOf, getEndpoint } from './endpoints.ts'
import { isSensitiveHeader } from './sensitive-header.ts'

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
    if (isDeepStrictEqual(headers, held)) return changeEndpoint(context, owner, found, {})
    return changeEndpoint(context, owner, found, {
      sealedHeaders: sealHeaders(masterKey, found.id, headers, world.randomBytes(nonceBytes)),
    })
  })
}
