import { nonceBytes } from '../domain/seal.ts'
import type { Source, SourceSecret } from '../domain/source.ts'
import { openSourceSecrets, sealSourceSecrets } from '../domain/source-seal.ts'
import { untilFresh } from './change.ts'
import type { ManageContext } from './context.ts'

/**
 * Keeps a secret that a provider has sent with a handshake. Only the first: anybody who knows the URL can send one.
 * Resolves to whether it was that.
 */
export function captureSecret(
  context: ManageContext,
  { id, environmentId }: Pick<Source, 'id' | 'environmentId'>,
  value: string,
): Promise<boolean> {
  const { store, masterKey, world, newId } = context
  return untilFresh(async () => {
    const source = await store.sources.find(environmentId, id)
    if (!source || openSourceSecrets(masterKey, source).length > 0) return false
    const now = world.now()
    const secret: SourceSecret = {
      ...{ id: newId('secret'), name: null, value, from: null, until: null, captured: true, createdAt: now },
    }
    const written = await store.sources.update({
      ...source,
      sealedSecrets: sealSourceSecrets(masterKey, id, [secret], world.randomBytes(nonceBytes)),
      updatedAt: now,
      revision: source.revision + 1,
    })
    if (written !== 'done') return 'stale'
    context.changed(id)
    return true
  })
}
