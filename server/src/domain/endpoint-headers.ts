import { pointerTo } from './json-pointer.ts'
import { type Fault, Problem } from './problem.ts'

const most = { headers: 50, name: 128, value: 4096 } as const // characters

// Why a name is not the endpoint's to set.
const ofTheConnection = 'belongs to the connection, not to the message'
const ofPosthorn = 'is set by Posthorn on each delivery'
const reserved: Readonly<Record<string, string>> = {
  // RFC 9110 §7.6.1, RFC 9112 §6: to change one is to change where the request goes or where it ends.
  connection: ofTheConnection,
  'content-length': ofTheConnection,
  expect: ofTheConnection,
  host: ofTheConnection,
  'http2-settings': ofTheConnection,
  'keep-alive': ofTheConnection,
  te: ofTheConnection,
  trailer: ofTheConnection,
  'transfer-encoding': ofTheConnection,
  upgrade: ofTheConnection,
  // They would say of the signed bytes what is not so.
  'content-encoding': 'would describe the payload as what it is not',
  'content-type': ofPosthorn,
  'user-agent': ofPosthorn,
  traceparent: ofPosthorn,
}
const reservedPrefixes: readonly (readonly [string, string])[] = [
  ['proxy-', ofTheConnection],
  ['webhook-', 'is part of the signature'],
  // The same headers by their older name: receivers' libraries look for them first.
  ['svix-', 'is part of the signature'],
]

const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/ // RFC 9110 §5.6.2
const text = /^[\t\x20-\x7e]*$/ // RFC 9110 §5.5 without obs-text, which two ends seldom read alike

/**
 * Checks the headers an endpoint's owner wants on every delivery and returns them as they are kept.
 * Throws Problem `header-reserved` with every fault, each at `pointer`/name.
 */
export function checkEndpointHeaders(
  headers: Readonly<Record<string, string>>,
  pointer: string,
): Record<string, string> {
  const entries = Object.entries(headers)
  const faults: Fault[] = []
  if (entries.length > most.headers) {
    faults.push({ pointer, message: `has ${entries.length} headers, ${most.headers} are the most` })
  }
  const seen = new Set<string>()
  for (const [name, value] of entries) {
    const lower = name.toLowerCase()
    const fault = faultOf(lower, value) ?? (seen.has(lower) ? 'is there twice: names do not differ by case' : null)
    if (fault !== null) faults.push({ pointer: pointerTo(pointer, name), message: fault })
    seen.add(lower)
  }
  if (faults.length > 0) throw new Problem('header-reserved', undefined, faults)
  return Object.fromEntries(entries)
}

function faultOf(lower: string, value: string): string | null {
  if (lower.length > most.name) return `has a name of ${lower.length} characters, ${most.name} are the most`
  if (!token.test(lower)) return 'has a name that is not valid in HTTP'
  const why = Object.hasOwn(reserved, lower)
    ? reserved[lower]
    : reservedPrefixes.find(([start]) => lower.startsWith(start))?.[1]
  if (why !== undefined) return why
  if (value.length > most.value) return `has a value of ${value.length} characters, ${most.value} are the most`
  if (!text.test(value)) return 'has a value with characters other than visible ASCII, space and tab'
  return null
}
