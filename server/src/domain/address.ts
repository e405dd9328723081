import ipaddr from 'ipaddr.js'

/** An IP address; one that is IPv4 in an IPv6 coat (`::ffff:10.0.0.7`) is the IPv4 address it means. */
export type Address = ipaddr.IPv4 | ipaddr.IPv6

/** A range of addresses, as in `10.0.0.0/8`. */
export interface Network {
  readonly base: Address
  readonly prefixLength: number
}

/** `public`: one that anybody's receiver can have. All others lead inside, to nobody, or nobody knows where. */
export type AddressKind =
  | 'public'
  | 'unspecified'
  | 'loopback'
  | 'private'
  | 'unique-local'
  | 'site-local'
  | 'link-local'
  | 'carrier-nat'
  | 'metadata'
  | 'multicast'
  | 'broadcast'
  | 'documentation'
  | 'benchmark'
  | 'translated'
  | 'tunnel'
  | 'discard'
  | 'reserved'

// Services that hand out credentials to whoever asks from inside. Named apart from the range they are in, because a host
// name in the allow list does not vouch for them, and because some of them are in public space.
const metadata = [
  '169.254.169.254', // AWS, Google, Azure, DigitalOcean, Oracle, OpenStack
  '169.254.169.253', // AWS resolver
  '169.254.170.2', // AWS task credentials
  '169.254.170.23', // AWS pod identity
  '169.254.42.42', // Scaleway
  '169.254.0.23', // Tencent
  '100.100.100.200', // Alibaba
  '168.63.129.16', // Azure wire server
  '192.0.0.192', // Oracle, classic
  'fd00:ec2::254', // AWS
  'fd00:ec2::253',
  'fd00:ec2::23', // AWS pod identity
  'fd20:ce::254', // Google
  'fd00:42::42', // Scaleway
  'fd00:c1::a9fe:a9fe', // Oracle
  'fe80::a9fe:a9fe', // OpenStack
]

// IANA IPv4 Special-Purpose Address Registry, multicast, and class E. First match counts. Ranges that the registry calls
// globally reachable (AS112 sinks, relay anycast) are here all the same: no receiver lives there.
const specialIPv4: readonly (readonly [string, AddressKind])[] = [
  ['0.0.0.0/8', 'unspecified'], // RFC 791 "this network"; 0.0.0.0 reaches the local host on most systems
  ['10.0.0.0/8', 'private'], // RFC 1918
  ['100.64.0.0/10', 'carrier-nat'], // RFC 6598
  ['127.0.0.0/8', 'loopback'], // RFC 1122
  ['169.254.0.0/16', 'link-local'], // RFC 3927
  ['172.16.0.0/12', 'private'], // RFC 1918
  ['192.0.0.0/24', 'reserved'], // RFC 6890 IETF protocol assignments
  ['192.0.2.0/24', 'documentation'], // RFC 5737
  ['192.31.196.0/24', 'reserved'], // RFC 7535 AS112
  ['192.52.193.0/24', 'tunnel'], // RFC 7450 AMT
  ['192.88.99.0/24', 'tunnel'], // RFC 7526, was 6to4 relay anycast
  ['192.168.0.0/16', 'private'], // RFC 1918
  ['192.175.48.0/24', 'reserved'], // RFC 7534 AS112
  ['198.18.0.0/15', 'benchmark'], // RFC 2544
  ['198.51.100.0/24', 'documentation'], // RFC 5737
  ['203.0.113.0/24', 'documentation'], // RFC 5737
  ['224.0.0.0/4', 'multicast'], // RFC 5771
  ['255.255.255.255/32', 'broadcast'], // RFC 8190
  ['240.0.0.0/4', 'reserved'], // RFC 1112
]

// IANA IPv6 Special-Purpose Address Registry. First match counts; what is in none of these and outside of global unicast
// (2000::/3) is reserved.
const specialIPv6: readonly (readonly [string, AddressKind])[] = [
  ['::/128', 'unspecified'], // RFC 4291
  ['::1/128', 'loopback'], // RFC 4291
  ['::/96', 'translated'], // RFC 4291 IPv4-compatible, deprecated
  ['::ffff:0:0:0/96', 'translated'], // RFC 2765 SIIT
  ['64:ff9b:1::/48', 'translated'], // RFC 8215: a translator of this site, whose inside we cannot know
  ['100::/64', 'discard'], // RFC 6666
  ['100:0:0:1::/64', 'reserved'], // RFC 9780 dummy prefix
  ['2001::/32', 'tunnel'], // RFC 4380 Teredo
  ['2001:2::/48', 'benchmark'], // RFC 5180
  ['2001:3::/32', 'tunnel'], // RFC 7450 AMT
  ['2001::/23', 'reserved'], // RFC 2928 IETF protocol assignments: anycast, AS112, ORCHID, DRIP
  ['2001:db8::/32', 'documentation'], // RFC 3849
  ['2002::/16', 'tunnel'], // RFC 3056 6to4: carries an IPv4 address of anyone's choice
  ['2620:4f:8000::/48', 'reserved'], // RFC 7534 AS112
  ['3fff::/20', 'documentation'], // RFC 9637
  ['5f00::/16', 'reserved'], // RFC 9602 segment routing
  ['fc00::/7', 'unique-local'], // RFC 4193
  ['fe80::/10', 'link-local'], // RFC 4291
  ['fec0::/10', 'site-local'], // RFC 3879, deprecated
  ['ff00::/8', 'multicast'], // RFC 4291
]

const phrases: Readonly<Record<AddressKind, string>> = {
  public: 'a public address',
  unspecified: 'an address of this host',
  loopback: 'a loopback address',
  private: 'a private address',
  'unique-local': 'a unique local (private) address',
  'site-local': 'a site-local (private) address',
  'link-local': 'a link-local address',
  'carrier-nat': 'a carrier-grade NAT address',
  metadata: 'a cloud metadata address',
  multicast: 'a multicast address',
  broadcast: 'a broadcast address',
  documentation: 'a documentation address',
  benchmark: 'a benchmark address',
  translated: 'a translated IPv4 address',
  tunnel: 'a tunnel address',
  discard: 'a discard-only address',
  reserved: 'a reserved address',
}

/** The kind in words, to follow "10.0.0.7 is". */
export const inWords = (kind: AddressKind): string => phrases[kind]

const parsed = (rows: readonly (readonly [string, AddressKind])[]) =>
  rows.map(([cidr, kind]) => ({ cidr: ipaddr.parseCIDR(cidr), kind }))
const rangesOfIPv4 = parsed(specialIPv4)
const rangesOfIPv6 = parsed(specialIPv6)
const globalUnicast = ipaddr.parseCIDR('2000::/3')
const wellKnownTranslation = ipaddr.parseCIDR('64:ff9b::/96') // RFC 6052
const metadataTexts = new Set(metadata.map((text) => ipaddr.parse(text).toString()))

/**
 * Reads an address as the resolver or a URL's host spells it: four decimal parts, or IPv6 without brackets. A zone
 * (`%eth0`) is left out: it only picks an interface. Null: not an address.
 */
export function parseAddress(text: string): Address | null {
  const bare = text.split('%', 1)[0] ?? ''
  if (ipaddr.IPv4.isValidFourPartDecimal(bare)) return ipaddr.IPv4.parse(bare)
  const hexadecimal = bare.includes(':') ? withoutDottedEnd(bare) : null
  if (hexadecimal === null || !ipaddr.IPv6.isValid(hexadecimal)) return null
  const address = ipaddr.IPv6.parse(hexadecimal)
  return address.isIPv4MappedAddress() ? address.toIPv4Address() : address
}

// ipaddr.js 2.5.0 reads the IPv4-compatible ::8.8.8.8 as the mapped ::ffff:8.8.8.8, which is another address. So it never
// sees a dotted end: 8.8.8.8 becomes 808:808. Null: the end is no IPv4 address.
function withoutDottedEnd(text: string): string | null {
  const start = text.lastIndexOf(':') + 1
  const end = text.slice(start)
  if (!end.includes('.')) return text
  if (!ipaddr.IPv4.isValidFourPartDecimal(end)) return null
  const [a = 0, b = 0, c = 0, d = 0] = ipaddr.IPv4.parse(end).octets
  return `${text.slice(0, start)}${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`
}

/** Reads `10.0.0.0/8` or a single address. Null: neither. */
export function parseNetwork(text: string): Network | null {
  const [addressText = '', lengthText, ...rest] = text.split('/')
  const base = parseAddress(addressText)
  if (base === null || rest.length > 0) return null
  const bits = base.kind() === 'ipv4' ? 32 : 128
  if (lengthText === undefined) return { base, prefixLength: bits }
  if (!/^\d{1,3}$/.test(lengthText)) return null
  // A network written in mapped form counts its prefix from the IPv6 end.
  const prefixLength = Number(lengthText) - (bits === 32 && addressText.includes(':') ? 96 : 0)
  return prefixLength >= 0 && prefixLength <= bits ? { base, prefixLength } : null
}

/** Whether the address is one of the network. IPv4 and IPv6 never meet, save in mapped form. */
export const isWithin = (address: Address, network: Network): boolean =>
  address.kind() === network.base.kind() && address.match(network.base, network.prefixLength)

/** What an address is for. Judged by the IANA special-purpose registries; in doubt not public. */
export function kindOfAddress(address: Address): AddressKind {
  if (metadataTexts.has(address.toString())) return 'metadata'
  if (address.kind() === 'ipv4') return rangesOfIPv4.find(({ cidr }) => address.match(cidr))?.kind ?? 'public'

  const bytes = address.toByteArray()
  // On networks without IPv4 every IPv4 receiver looks like this, so it is judged by the address inside.
  if (address.match(wellKnownTranslation)) return kindOfAddress(new ipaddr.IPv4(bytes.slice(12)))
  const special = rangesOfIPv6.find(({ cidr }) => address.match(cidr))
  if (special !== undefined) return special.kind
  if (!address.match(globalUnicast)) return 'reserved'
  return isIsatap(bytes) ? 'tunnel' : 'public'
}

// RFC 5214 §6.1: an interface identifier of 0000:5efe or 0200:5efe, then an IPv4 address of anyone's choice.
const isIsatap = (bytes: readonly number[]): boolean =>
  (bytes[8] === 0 || bytes[8] === 2) && bytes[9] === 0 && bytes[10] === 0x5e && bytes[11] === 0xfe
