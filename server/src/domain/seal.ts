import { createCipheriv, createDecipheriv } from 'node:crypto'

/** `s1.` + base64url of nonce, tag and ciphertext: AES-256-GCM under the master key, bound to where it is kept. */
export type SealedText = `s1.${string}`

/** How long a nonce is. NIST SP 800-38D §5.2.1.1: the length GCM is made for. */
export const nonceBytes = 12
const tagBytes = 16

/**
 * Seals a text so that the database file alone does not give it away. `place` (an id and a column) is authenticated with
 * it: a sealed value copied to another row does not open. `nonce` must be `nonceBytes` fresh random bytes.
 */
export function seal(masterKey: Uint8Array, place: string, text: string, nonce: Uint8Array): SealedText {
  const cipher = createCipheriv('aes-256-gcm', masterKey, nonce)
  cipher.setAAD(Buffer.from(place))
  const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()])
  return `s1.${Buffer.concat([nonce, cipher.getAuthTag(), sealed]).toString('base64url')}`
}

/** Opens what `seal` closed. Throws when the key, the place or the text is another. */
export function unseal(masterKey: Uint8Array, place: string, sealed: SealedText): string {
  const bytes = Buffer.from(sealed.slice(3), 'base64url')
  const decipher = createDecipheriv('aes-256-gcm', masterKey, bytes.subarray(0, nonceBytes))
  decipher.setAAD(Buffer.from(place))
  decipher.setAuthTag(bytes.subarray(nonceBytes, nonceBytes + tagBytes))
  return decipher.update(bytes.subarray(nonceBytes + tagBytes), undefined, 'utf8') + decipher.final('utf8')
}
