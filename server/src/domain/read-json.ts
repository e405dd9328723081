import { hasEscapedKey, readByHand } from './escaped-keys.ts'
import { skipString } from './payload.ts'

// Jackson has the same limit; people do not come near it.
const deepest = 1_000

const quote = 0x22
const [openBracket, closeBracket, openBrace, closeBrace] = [0x5b, 0x5d, 0x7b, 0x7d]

/**
 * `JSON.parse` for the text of strangers. Throws SyntaxError, too, for what is nested deeper than 1,000 levels: from some 8,000
 * on the engine reads in another way, in which it now and then ends the process (Node 26.10, with a fatal error or SIGSEGV:
 * fifty publish calls of 250 kB were enough; 2026-11). What the engine gets wrong of keys is put right (escaped-keys.ts).
 */
export function readJson(text: string): unknown {
  if (opensMany(text) && isDeep(text)) throw new SyntaxError(`it is nested deeper than ${deepest} levels`)
  const value: unknown = JSON.parse(text)
  return hasEscapedKey(text) ? readByHand(text) : value
}

/** Most texts are shorter than that or open less, which costs next to nothing to find out: a walk takes 0.4 of a parse. */
function opensMany(text: string): boolean {
  if (text.length <= deepest) return false
  let opened = 0
  for (const sign of ['{', '[']) {
    for (let at = text.indexOf(sign); at >= 0; at = text.indexOf(sign, at + 1)) if (++opened > deepest) return true
  }
  return false
}

/** Of what is no JSON as deep as it is until it breaks off, or deeper. */
function isDeep(text: string): boolean {
  let depth = 0
  for (let at = 0; at < text.length; ) {
    const code = text.charCodeAt(at)
    if (code === quote) {
      at = skipString(text, at)
      continue
    }
    at++
    if (code === openBrace || code === openBracket) {
      depth++
      if (depth > deepest) return true
    } else if (code === closeBrace || code === closeBracket) depth--
  }
  return false
}
