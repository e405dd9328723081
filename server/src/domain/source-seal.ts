import { hash } from 'node:crypto'
import type { SourceId } from './ids.ts'
import { type SealedText, seal, unseal } from './seal.ts'
import type { Source, SourceSecret } from './source.ts'

// Bound to their row and column, as those of endpoints are.
const placeOfSecrets = (id: SourceId): string => `${id}:secrets`
const placeOfToken = (id: SourceId): string => `${id}:token`

/** The source's secrets in the clear. Throws when the master key is another than the one they were sealed under. */
export const openSourceSecrets = (
  masterKey: Uint8Array,
  source: Pick<Source, 'id' | 'sealedSecrets'>,
): readonly SourceSecret[] =>
  JSON.parse(unseal(masterKey, placeOfSecrets(source.id), source.sealedSecrets)) as readonly SourceSecret[]

/** The token of its URL in the clear. Throws as `openSourceSecrets` does. */
export const openToken = (masterKey: Uint8Array, source: Pick<Source, 'id' | 'sealedToken'>): string =>
  unseal(masterKey, placeOfToken(source.id), source.sealedToken)

/** `nonce`: fresh, as for `seal`. */
export const sealSourceSecrets = (
  masterKey: Uint8Array,
  id: SourceId,
  secrets: readonly SourceSecret[],
  nonce: Uint8Array,
): SealedText => seal(masterKey, placeOfSecrets(id), JSON.stringify(secrets), nonce)

/** `nonce`: fresh, as for `seal`. */
export const sealToken = (masterKey: Uint8Array, id: SourceId, token: string, nonce: Uint8Array): SealedText =>
  seal(masterKey, placeOfToken(id), token, nonce)

/** By which the store finds a token: SHA-256, hex. Tokens are long and random, so no salt is needed. */
export const hashOfToken = (token: string): string => hash('sha256', token)
