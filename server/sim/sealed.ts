import { sealHeaders, sealSecrets } from '../src/domain/endpoint-seal.ts'
import type { EndpointId } from '../src/domain/ids.ts'
import type { SealedText } from '../src/domain/seal.ts'

// Nobody's secrets: what is simulated is sent nowhere.
export const masterKey = new Uint8Array(32).fill(7)
const nonce = new Uint8Array(12).fill(7)
const current = `whsec_${Buffer.alloc(32, 7).toString('base64')}`

const known = new Map<EndpointId, { readonly sealedSecrets: SealedText; readonly sealedHeaders: SealedText }>()

/** What an endpoint's row has sealed: the same in every run, so made once. */
export function sealedOf(id: EndpointId): { readonly sealedSecrets: SealedText; readonly sealedHeaders: SealedText } {
  const made = known.get(id) ?? {
    sealedSecrets: sealSecrets(masterKey, id, { current, former: [] }, nonce),
    sealedHeaders: sealHeaders(masterKey, id, {}, nonce),
  }
  known.set(id, made)
  return made
}
