import { openSecrets, sealSecrets } from '../domain/endpoint-seal.ts'
import type { EnvironmentId, Millis } from '../domain/ids.ts'
import { nonceBytes } from '../domain/seal.ts'
import { checkSecret, newSecret, publicKeyOf, rotate } from '../domain/secret.ts'
import { type ApplicationName, getApplication } from './applications.ts'
import { untilFresh } from './change.ts'
import type { ManageContext } from './context.ts'
import { changeEndpoint } from './endpoint-change.ts'
import { endpointOf, getEndpoint } from './endpoints.ts'

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
    return changeEndpoint(context, owner, found, { sealedSecrets })
  })
}
