/**
 * The parts of a body that is itself a token (JWT, RFC 7515 §7.1), as they are spelled; null: it is none. Nothing says that
 * its signature is right.
 */
export function bodyToken(
  text: string,
): { readonly header: string; readonly claims: string; readonly signature: string } | null {
  // Every header begins with `{"`.
  if (!text.startsWith('eyJ')) return null
  const [, header, claims, signature] = /^([\w-]+)\.([\w-]+)\.([\w-]*)\s*$/.exec(text) ?? []
  return header === undefined || claims === undefined || signature === undefined ? null : { header, claims, signature }
}

/** JSON text, as far as it is any. */
export const readClaims = (claims: string): string => Buffer.from(claims, 'base64url').toString('utf8')
