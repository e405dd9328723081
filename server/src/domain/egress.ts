import {
  type AddressKind,
  inWords,
  isWithin,
  kindOfAddress,
  type Network,
  parseAddress,
  parseNetwork,
} from './address.ts'

/** What deliveries may reach although it is not public: `POSTHORN_EGRESS_ALLOW`, read. */
export interface EgressAllow {
  readonly networks: readonly Network[]
  /** Lower case, without the final dot. */
  readonly hosts: readonly string[]
  /** `.internal` for `*.internal`: any name below it, not itself. */
  readonly suffixes: readonly string[]
}

export type EgressVerdict =
  | { readonly ok: true }
  /** `detail` is for people: which address it was, and what an operator can do. */
  | { readonly ok: false; readonly kind: AddressKind; readonly detail: string }

export type EgressChoice =
  | { readonly ok: true; readonly addresses: readonly string[] }
  | { readonly ok: false; readonly kind: AddressKind; readonly detail: string }

const hostPattern = /^(?:\*\.)?[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?)*$/

/**
 * Reads a comma list of networks (`10.0.0.0/8`), addresses (`::1`), host names and `*.host` for all names below one.
 * Throws Error that names the bad entry and gives an example.
 */
export function parseEgressAllow(text: string): EgressAllow {
  const networks: Network[] = []
  const hosts: string[] = []
  const suffixes: string[] = []
  for (const entry of text.split(',').map((part) => part.trim())) {
    if (entry === '') continue
    const network = parseNetwork(entry)
    const host = plainHost(entry)
    if (network !== null) networks.push(network)
    // A last label of digits is a mistyped address, never a name (WHATWG URL, "ends in a number").
    else if (!hostPattern.test(host) || /(?:^|\.)(?:\d+|0x[0-9a-f]*)$/.test(host)) {
      throw new Error(
        `"${entry}" is neither a network nor a host name; an example: 127.0.0.0/8,::1,receiver.internal,*.svc.cluster.local`,
      )
    } else if (host.startsWith('*.')) suffixes.push(host.slice(1))
    else hosts.push(host)
  }
  return { networks, hosts, suffixes }
}

const plainHost = (hostname: string): string => hostname.toLowerCase().replace(/\.$/, '')

const hasName = (allow: EgressAllow, host: string): boolean =>
  allow.hosts.includes(host) || allow.suffixes.some((suffix) => host.endsWith(suffix))

const isLocalhost = (host: string): boolean => host === 'localhost' || host.endsWith('.localhost')

/**
 * The addresses a host name means without asking anyone: a literal means itself, `localhost` and all below it the loopback
 * addresses (RFC 6761 §6.3). Null: a name that must be resolved.
 */
export function addressesWithoutDns(hostname: string): readonly string[] | null {
  const host = plainHost(hostname).replace(/^\[(.*)\]$/, '$1')
  if (isLocalhost(host)) return ['127.0.0.1', '::1']
  return parseAddress(host) === null ? null : [host]
}

/** Whether the operator has named this very host: its name, one above it, or the address that it is. */
export function isNamed(allow: EgressAllow, hostname: string): boolean {
  if (hasName(allow, plainHost(hostname))) return true
  const addresses = addressesWithoutDns(hostname) ?? []
  return addresses.some((address) => {
    const read = parseAddress(address)
    return read !== null && allow.networks.some((network) => isWithin(read, network))
  })
}

/** Whether a delivery to `hostname` may connect to this one address of it. */
export function egressVerdict(allow: EgressAllow, hostname: string, address: string): EgressVerdict {
  const read = parseAddress(address)
  if (read === null) return { ok: false, kind: 'reserved', detail: `"${address}" is not an IP address` }
  const kind = kindOfAddress(read)
  if (kind === 'public' || allow.networks.some((network) => isWithin(read, network))) return { ok: true }
  const host = plainHost(hostname)
  // A name vouches for wherever it points, but not for services that hand out credentials: those only by address.
  if (hasName(allow, host) && kind !== 'metadata') return { ok: true }
  const literal = addressesWithoutDns(hostname)?.includes(address) && !isLocalhost(host)
  const detail = literal
    ? `${address} is ${inWords(kind)}; allow it with POSTHORN_EGRESS_ALLOW`
    : `${host} is ${address}, ${inWords(kind)}; allow it with POSTHORN_EGRESS_ALLOW`
  return { ok: false, kind, detail }
}

/**
 * The addresses a delivery to `hostname` may connect to, of all that it resolved to. One bad address spoils them: a name
 * that points inside as well as outside is an attack or a mistake, and a sender that quietly picked the good one would
 * hide either. Only `localhost` is taken as far as it is allowed, since its two addresses are ours, not a resolver's.
 */
export function chooseAddresses(allow: EgressAllow, hostname: string, addresses: readonly string[]): EgressChoice {
  const good: string[] = []
  let refusal: Extract<EgressVerdict, { ok: false }> | null = null
  for (const address of addresses) {
    const verdict = egressVerdict(allow, hostname, address)
    if (verdict.ok) good.push(address)
    else refusal ??= verdict
  }
  if (refusal !== null && (good.length === 0 || !isLocalhost(plainHost(hostname)))) return refusal
  return { ok: true, addresses: good }
}
