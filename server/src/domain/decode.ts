import type { TextEncoding } from './preset.ts'

const alphabets = {
  hex: /^(?:[\da-fA-F]{2})*$/,
  base64: /^[A-Za-z\d+/]*={0,2}$/,
  base64url: /^[A-Za-z\d_-]*={0,2}$/,
}

/**
 * The bytes that a text stands for; null: it has a character that is none of its encoding. Hex in any case, base64 with or
 * without its padding.
 */
export function decode(text: string, encoding: TextEncoding): Buffer | null {
  return alphabets[encoding].test(text) ? Buffer.from(text, encoding) : null
}

/** The same, but only of the one spelling that an encoder makes: the last letter of base64 can stand for unused bits. */
export function decodeExactly(text: string, encoding: TextEncoding): Buffer | null {
  const bytes = decode(text, encoding)
  if (bytes === null || encoding === 'hex') return bytes
  return bytes.toString(encoding).replace(/=+$/, '') === text.replace(/=+$/, '') ? bytes : null
}
