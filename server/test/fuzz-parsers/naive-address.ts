import { BlockList, isIP } from 'node:net'

// Another reading of addresses and hosts than the guard's: by hand, by the rules of inet_aton and RFC 4291, judged by Node's
// own lists. The ranges are written down anew from the IANA special-purpose registries (2026-11) and RFC 5771, 1112.

const ranges: readonly (readonly [base: string, prefix: number])[] = [
  ...([
    ['0.0.0.0', 8],
    ['10.0.0.0', 8],
    ['100.64.0.0', 10],
    ['127.0.0.0', 8],
    ['169.254.0.0', 16],
  ] as const),
  ...([
    ['172.16.0.0', 12],
    ['192.0.0.0', 24],
    ['192.0.2.0', 24],
    ['192.31.196.0', 24],
    ['192.52.193.0', 24],
  ] as const),
  ...([
    ['192.88.99.0', 24],
    ['192.168.0.0', 16],
    ['192.175.48.0', 24],
    ['198.18.0.0', 15],
    ['198.51.100.0', 24],
  ] as const),
  ...([
    ['203.0.113.0', 24],
    ['224.0.0.0', 3],
    ['168.63.129.16', 32],
  ] as const),
  ...([
    ['2001::', 23],
    ['2001:db8::', 32],
    ['2002::', 16],
    ['2620:4f:8000::', 48],
    ['3fff::', 20],
  ] as const),
]
const blocked = new BlockList()
for (const [base, prefix] of ranges) blocked.addSubnet(base, prefix, isIP(base) === 4 ? 'ipv4' : 'ipv6')
const globalUnicast = new BlockList()
globalUnicast.addSubnet('2000::', 3, 'ipv6')

/** Sixteen bytes of an IPv6 address, four of an IPv4 one; null: it is none as resolvers and URLs spell them. */
export function bytesOf(text: string): readonly number[] | null {
  const bare = text.replace(/%.*$/s, '')
  if (!bare.includes(':')) return dotted(bare)
  const tail = bare.slice(bare.lastIndexOf(':') + 1)
  const four = tail.includes('.') ? dotted(tail) : null
  if (tail.includes('.') && four === null) return null
  const text6 =
    four === null
      ? bare
      : `${bare.slice(0, -tail.length)}${four
          .map((byte) => hex(byte))
          .join('')
          .replace(/(....)/, '$1:')}`
  const [left = '', right, ...more] = text6.split('::')
  if (more.length > 0) return null
  const [before, behind] = [groups(left), right === undefined ? null : groups(right)]
  if (before === null || (right !== undefined && behind === null)) return null
  const missing = 8 - before.length - (behind?.length ?? 0)
  if (behind === null ? missing !== 0 : missing < 1) return null
  const all = [...before, ...Array.from({ length: behind === null ? 0 : missing }, () => 0), ...(behind ?? [])]
  return all.flatMap((group) => [group >> 8, group & 255])
}

const hex = (byte: number): string => byte.toString(16).padStart(2, '0')

function groups(text: string): readonly number[] | null {
  if (text === '') return []
  const parts = text.split(':')
  return parts.every((part) => /^[0-9a-f]{1,4}$/i.test(part)) ? parts.map((part) => Number.parseInt(part, 16)) : null
}

function dotted(text: string): readonly number[] | null {
  const parts = text.split('.')
  if (parts.length !== 4 || !parts.every((part) => /^(?:0|[1-9]\d{0,2})$/.test(part))) return null
  const bytes = parts.map(Number)
  return bytes.every((byte) => byte <= 255) ? bytes : null
}

/** Whether anybody's receiver can stand there. In doubt it cannot. */
export function isPublic(bytes: readonly number[]): boolean {
  if (bytes.length === 4) return !blocked.check(bytes.join('.'), 'ipv4')
  const start = bytes.slice(0, 12).join(',')
  const four = bytes.slice(12)
  if (start === mapped || start === translated) return isPublic(four)
  const text = groupText(bytes)
  if (!globalUnicast.check(text, 'ipv6') || blocked.check(text, 'ipv6')) return false
  // ISATAP, RFC 5214: an IPv4 address of anyone's choice in the second half.
  return !/^(?:0|2),0,94,254$/.test(bytes.slice(8, 12).join(','))
}

const mapped = '0,0,0,0,0,0,0,0,0,0,255,255'
const translated = '0,100,255,155,0,0,0,0,0,0,0,0' // 64:ff9b::/96, RFC 6052

export const groupText = (bytes: readonly number[]): string =>
  Array.from({ length: 8 }, (_, at) => ((bytes[2 * at] ?? 0) * 256 + (bytes[2 * at + 1] ?? 0)).toString(16)).join(':')

/** Services that hand out credentials: a name never vouches for them. The ones that most clouds have. */
export const isMetadata = (bytes: readonly number[]): boolean =>
  ['169.254.169.254', '100.100.100.200', '168.63.129.16', '253,0,14,194,0,0,0,0,0,0,0,0,0,0,2,84'].includes(
    bytes.join(bytes.length === 4 ? '.' : ','),
  )

/** What a URL's host means before anybody is asked; null: a name. As lenient as the most lenient reader there is. */
export function hostMeans(url: string): { readonly bytes: readonly number[] } | { readonly loopback: true } | null {
  const authority = /^[a-z]+:\/\/([^/?#\\]*)/i.exec(url)?.[1] ?? ''
  const host = undone(authority.replace(/^.*@/s, ''))
  const bracketed = /^\[(.*)\]/.exec(host)?.[1]
  if (bracketed !== undefined) {
    const bytes = bytesOf(bracketed)
    return bytes && { bytes: bytes.slice(0, 12).join(',') === mapped ? bytes.slice(12) : bytes }
  }
  const name = host.replace(/:\d*$/, '').replace(/\.$/, '')
  if (name === 'localhost' || name.endsWith('.localhost')) return { loopback: true }
  const bytes = inetAton(name)
  return bytes && { bytes }
}

/** Percent signs, width, case and the dots of other scripts undone. UTS 46 does the same, and more. */
function undone(text: string): string {
  let plain = text
  try {
    plain = decodeURIComponent(text)
  } catch {
    // What is no proper escape stays as it is.
  }
  return plain
    .normalize('NFKC')
    .replaceAll(/[\u3002\uff0e\uff61]/g, '.')
    .replaceAll(/[\u00ad\u200b\u2060\ufeff]/g, '')
    .toLowerCase()
}

/** One to four numbers, each decimal, octal or hexadecimal, the last filling what is left. inet_aton(3). */
function inetAton(text: string): readonly number[] | null {
  const parts = text.split('.')
  if (parts.length > 4) return null
  const numbers = parts.map((part) => {
    if (/^0x[0-9a-f]*$/.test(part)) return Number.parseInt(`0${part.slice(2)}`, 16)
    if (/^0[0-7]*$/.test(part)) return Number.parseInt(part, 8)
    return /^[1-9]\d*$/.test(part) ? Number(part) : Number.NaN
  })
  const last = numbers.pop() ?? Number.NaN
  if (!numbers.every((number) => number <= 255) || !(last < 256 ** (4 - numbers.length))) return null
  const rest = Array.from(
    { length: 4 - numbers.length },
    (_, at) => Math.floor(last / 256 ** (3 - numbers.length - at)) % 256,
  )
  return [...numbers, ...rest]
}
