import type { Endpoint } from './endpoint.ts'
import type { EndpointId } from './ids.ts'
import { type SealedText, seal, unseal } from './seal.ts'
import type { EndpointSecrets } from './secret.ts'

// Bound to their row and column: a sealed value copied to another endpoint, or from headers to secrets, does not open.
const placeOfSecrets = (id: EndpointId): string => `${id}:secrets`
const placeOfHeaders = (id: EndpointId): string => `${id}:headers`

/** The endpoint's secrets in the clear. Throws when the master key is another than the one they were sealed under. */
export const openSecrets = (masterKey: Uint8Array, endpoint: Pick<Endpoint, 'id' | 'sealedSecrets'>): EndpointSecrets =>
  JSON.parse(unseal(masterKey, placeOfSecrets(endpoint.id), endpoint.sealedSecrets)) as EndpointSecrets

/** The owner's extra headers in the clear. Throws as `openSecrets` does. */
export const openHeaders = (
  masterKey: Uint8Array,
  endpoint: Pick<Endpoint, 'id' | 'sealedHeaders'>,
): Readonly<Record<string, string>> =>
  JSON.parse(unseal(masterKey, placeOfHeaders(endpoint.id), endpoint.sealedHeaders)) as Readonly<Record<string, string>>

/** `nonce`: fresh, as for `seal`. */
export const sealSecrets = (
  masterKey: Uint8Array,
  id: EndpointId,
  secrets: EndpointSecrets,
  nonce: Uint8Array,
): SealedText => seal(masterKey, placeOfSecrets(id), JSON.stringify(secrets), nonce)

/** `nonce`: fresh, as for `seal`. */
export const sealHeaders = (
  masterKey: Uint8Array,
  id: EndpointId,
  headers: Readonly<Record<string, string>>,
  nonce: Uint8Array,
): SealedText => seal(masterKey, placeOfHeaders(id), JSON.stringify(headers), nonce)
