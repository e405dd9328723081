import type { EnvironmentId, Millis } from '../domain/ids.ts'
import { nonceBytes } from '../domain/seal.ts'
import type { Handshake, Source, SourceSecret } from '../domain/source.ts'
import { rotated, withMode } from '../domain/source-change.ts'
import { presetOf } from '../domain/source-preset.ts'
import { openSourceSecrets, sealSourceSecrets } from '../domain/source-seal.ts'
import { keyFault, publicKeyOf, verifies } from '../domain/source-secret.ts'
import { untilFresh } from './change.ts'
import { refuse } from './checks.ts'
import type { ManageContext } from './context.ts'
import { changeSource, getSource } from './sources.ts'

/** Everything about a secret but the secret. */
type ShownSecret = Omit<SourceSecret, 'value'>

/** What a source's own row says of its secrets. */
export interface SourceStanding {
  readonly secrets: readonly ShownSecret[]
  /** Whether there is anything that its requests are verified with. */
  readonly verifying: boolean
  /** The provider's, where it signs with a key pair; else null. */
  readonly publicKey: string | null
}

export function standingOf(context: Pick<ManageContext, 'masterKey' | 'presets'>, source: Source): SourceStanding {
  const secrets = openSourceSecrets(context.masterKey, source)
  const preset = presetOf(context, source)
  return {
    secrets: secrets.map(({ value: _, ...shown }) => shown),
    verifying: verifies(preset, source.settings.schemes, secrets),
    publicKey: publicKeyOf(preset, secrets),
  }
}

/** What has come of it so far: it moves with every request. */
export interface SourceRecord {
  readonly secretUses: Readonly<Record<string, Millis>>
  readonly handshakes: readonly Handshake[]
  readonly quarantined: { readonly count: number; readonly bytes: number }
}

export async function recordOf({ store }: Pick<ManageContext, 'store'>, { id }: Source): Promise<SourceRecord> {
  const [secretUses, handshakes, quarantined] = await Promise.all([
    store.sources.secretUses(id),
    store.sources.handshakes(id),
    store.quarantine.totals(id),
  ])
  return { secretUses, handshakes, quarantined }
}

/**
 * Adds a secret; those before it, of the same name, end after `graceMs`. Throws `not-found`, `request-invalid`,
 * `changed-meanwhile`.
 */
export async function rotateSourceSecret(
  context: ManageContext,
  environmentId: EnvironmentId,
  idOrUid: string,
  key: string,
  name: string | null,
  graceMs: Millis,
): Promise<Source> {
  return untilFresh(async () => {
    const found = await getSource(context, environmentId, idOrUid)
    const fault = keyFault(key, presetOf(context, found))
    refuse([fault === null ? null : { pointer: '/key', message: fault }])
    const now = context.world.now()
    const held = openSourceSecrets(context.masterKey, found)
    const { id, captured, createdAt } = held.find(({ value }) => value === key) ?? {
      ...{ id: context.newId('secret'), captured: false, createdAt: now },
    }
    const next: SourceSecret = { id, name, value: key, from: null, until: null, captured, createdAt }
    return withSecrets(context, found, rotated(held, next, now, graceMs))
  })
}

/** The secrets that came with a handshake, in the clear. Throws `not-found`. */
export async function capturedSecrets(
  context: ManageContext,
  environmentId: EnvironmentId,
  idOrUid: string,
): Promise<readonly SourceSecret[]> {
  const found = await getSource(context, environmentId, idOrUid)
  return openSourceSecrets(context.masterKey, found).filter(({ captured }) => captured)
}

/**
 * Keeps a secret that a provider has sent with a handshake. Only the first: anybody who knows the URL can send one.
 * Resolves to whether it is the source's secret now. Throws `changed-meanwhile`.
 */
export async function captureSecret(
  context: ManageContext,
  { id, environmentId }: Pick<Source, 'id' | 'environmentId'>,
  value: string,
): Promise<boolean> {
  return untilFresh(async () => {
    const found = await context.store.sources.find(environmentId, id)
    if (!found) return false
    const held = openSourceSecrets(context.masterKey, found)
    if (held.length > 0) return held.some((secret) => secret.value === value)
    const now = context.world.now()
    const secret: SourceSecret = {
      ...{ id: context.newId('secret'), name: null, value, from: null, until: null },
      ...{ captured: true, createdAt: now },
    }
    const row = await withSecrets(context, found, [secret])
    return row === 'stale' ? 'stale' : true
  })
}

function withSecrets(
  context: ManageContext,
  found: Source,
  secrets: readonly SourceSecret[],
): Promise<Source | 'stale'> {
  const { masterKey, world } = context
  return changeSource(context, found, {
    settings: withMode(found.settings, presetOf(context, found), secrets),
    sealedSecrets: sealSourceSecrets(masterKey, found.id, secrets, world.randomBytes(nonceBytes)),
  })
}
