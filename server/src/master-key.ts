import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs'

const keyBytes = 32

/**
 * The key that seals secrets at rest: from the settings, or from a file beside the database that only its owner may
 * read, made at the first start. `beside` null: there is no such place, so the settings must have it. `randomBytes` must
 * be cryptographically strong. Throws when the file holds no key, or there is none.
 */
export function masterKeyFor(
  beside: string | null,
  configured: Uint8Array | null,
  randomBytes: (size: number) => Uint8Array,
): { readonly key: Uint8Array; readonly from: string } {
  if (configured) return { key: configured, from: 'POSTHORN_MASTER_KEY' }
  if (beside === null) {
    throw new Error(
      'A database that several nodes share needs one master key for all of them: set POSTHORN_MASTER_KEY to 32 bytes in base64 (openssl rand -base64 32), the same for each, and back it up.',
    )
  }
  const file = `${beside}.key`
  if (!existsSync(file)) {
    writeFileSync(file, `${Buffer.from(randomBytes(keyBytes)).toString('base64')}\n`, { mode: 0o600, flag: 'wx' })
  }
  chmodSync(file, 0o600)
  const key = Buffer.from(readFileSync(file, 'utf8').trim(), 'base64')
  if (key.length !== keyBytes) {
    throw new Error(
      `${file} does not hold a master key (32 bytes in base64). Restore it from your backup: without it no stored secret opens.`,
    )
  }
  return { key, from: file }
}
