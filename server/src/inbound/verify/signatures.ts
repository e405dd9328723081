import { decodeExactly } from '../../domain/decode.ts'
import type { Ref, Scheme } from '../../domain/preset.ts'
import { bytesAt } from '../reading/parts.ts'
import type { RequestView, SettingValues } from '../reading/view.ts'

/** What the request offers as signature. */
export type Claimed =
  | { readonly kind: 'some'; readonly signatures: readonly Buffer[] }
  | { readonly kind: 'missing' }
  | { readonly kind: 'malformed'; readonly detail: string }

// Whoever rolls a secret has two or three. Each costs a verification, and a stranger's header has room for hundreds.
const most = 32

/** Every value that may be the signature by this scheme, decoded. For tokens and shared values: as they stand. */
export function claimedSignatures(scheme: Scheme, view: RequestView, settings: SettingValues): Claimed {
  const values = scheme.signature.flatMap((ref) => {
    const there = view.valuesAt(ref, settings)
    const single = scheme.list === undefined ? there : there.flatMap((value) => value.split(scheme.list ?? ''))
    return single.flatMap((value) => (value.trim() === '' ? [] : [{ ref, value: value.trim() }]))
  })
  if (values.length === 0) return { kind: 'missing' }
  const prefix = scheme.prefix ?? (scheme.algorithm === 'basic' ? 'Basic ' : '')
  const fitting = values.filter(({ value }) => hasPrefix(value, prefix))
  if (fitting.length === 0) return { kind: 'malformed', detail: `begins with “${prefix}” nowhere` }
  if (fitting.length > most)
    return { kind: 'malformed', detail: `holds ${fitting.length} values, ${most} are the most` }
  const signatures = fitting.flatMap(({ ref, value }) => decoded(scheme, ref, value.slice(prefix.length).trim()) ?? [])
  if (signatures.length > 0) return { kind: 'some', signatures }
  return { kind: 'malformed', detail: `is not ${encodingOf(scheme) ?? 'what it should be'}` }
}

/** The schemes of HTTP authentication are in any case: RFC 9110 §11.1. */
const hasPrefix = (value: string, prefix: string): boolean =>
  prefix.endsWith(' ') ? value.slice(0, prefix.length).toLowerCase() === prefix.toLowerCase() : value.startsWith(prefix)

const encodingOf = ({ algorithm, encoding }: Scheme): Scheme['encoding'] | null => {
  if (algorithm === 'basic') return 'base64'
  if (algorithm === 'equality' || algorithm === 'jwt') return encoding ?? null
  return encoding ?? 'hex'
}

function decoded(scheme: Scheme, ref: Ref, text: string): Buffer | null {
  const encoding = encodingOf(scheme)
  if (text === '') return null
  return encoding ? decodeExactly(text, encoding) : bytesAt(ref, text)
}
