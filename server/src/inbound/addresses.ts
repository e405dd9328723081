import { type Address, isWithin, type Network, parseAddress, parseNetwork } from '../domain/address.ts'
import type { InboundRequest, Refusal } from '../domain/inbound.ts'
import { headerValues } from './reading/header-values.ts'

/**
 * The address of whoever began a request: behind `trustedProxies` proxies, each of which adds the one it was called from to
 * `X-Forwarded-For` or `Forwarded` (RFC 7239), the one that the outermost of them saw. What stands before that is the
 * caller's own word. `unknown` where what a proxy saw cannot be read, or the two headers tell of different addresses: one of
 * them is then the caller's.
 */
export function clientAddress(peer: string, headers: readonly string[], trustedProxies: number): string {
  const nearest = plain(peer)
  if (trustedProxies === 0) return nearest
  const [one, other] = [forwardedFor(headers), forwarded(headers)]
  const seen = one && clientOf(one, nearest, trustedProxies)
  const told = other && clientOf(other, nearest, trustedProxies)
  if (seen !== null && told !== null && seen !== told) return unknownAddress
  return seen ?? told ?? nearest
}

/** No list allows it, whatever networks it has. RFC 7239 §6.2 has the same word. */
const unknownAddress = 'unknown'

// Of an IPv4 connection, also where it came to a socket of both families: it needs no parsing, and most are such.
const ipv4Peer = /^(?:::ffff:)?(\d{1,3}(?:\.\d{1,3}){3})$/

const plain = (peer: string): string => ipv4Peer.exec(peer)?.[1] ?? parseAddress(peer)?.toString() ?? peer

// Only the hops that count are read: a header of 16 KB has room for thousands, and each takes some 30 µs (2026-11).
function clientOf(hops: readonly string[], peer: string, trustedProxies: number): string {
  let client = peer
  for (const hop of hops.slice(-trustedProxies).toReversed()) {
    const address = addressOf(hop)
    if (address === null) return unknownAddress
    client = address.toString()
  }
  return client
}

/** All values of a header as one list, as RFC 9110 §5.3 has it; null: it is not there. */
function listOf(headers: readonly string[], name: string): string | null {
  const values = headerValues(headers, name)
  return values.length === 0 ? null : values.join(',')
}

/** The hops as they are spelled. */
function forwardedFor(headers: readonly string[]): readonly string[] | null {
  const list = listOf(headers, 'x-forwarded-for')
  return list === null ? null : list.split(',').map((hop) => hop.trim())
}

// A quote that is left open goes on to the end: were it looked for again from each later one, a header of 16 KB would take
// half a second (`npm run fuzz:parsers -- --only headers`, 2026-11).
const hopsOfForwarded = /(?:"(?:[^"\\]|\\.)*(?:"|\\?$)|[^",])+/g

function forwarded(headers: readonly string[]): readonly string[] | null {
  const list = listOf(headers, 'forwarded')
  return list === null ? null : (list.match(hopsOfForwarded) ?? []).map(forOf)
}

const forOf = (hop: string): string => {
  const value = /(?:^|;)\s*for\s*=\s*("(?:[^"\\]|\\.)*"|[^;"]*)/i.exec(hop)?.[1]?.trim() ?? ''
  return value.startsWith('"') ? value.slice(1, -1).replaceAll(/\\(.)/g, '$1') : value
}

/** With or without a port: `192.0.2.1:4711`, `[2001:db8::1]:4711`. */
function addressOf(hop: string): Address | null {
  const bracketed = /^\[([^\]]*)\](?::\d+)?$/.exec(hop)?.[1]
  return parseAddress(bracketed ?? hop.replace(/^([\d.]+):\d+$/, '$1'))
}

/** Who may call; null: anybody. */
export type AllowedAddresses = readonly Network[] | null

/** Reads what a source says; `provider` stands for the ranges that its preset knows. What is no network allows nobody. */
export function allowedAddresses(
  said: readonly string[] | null,
  ofProvider: readonly string[] | undefined,
): AllowedAddresses {
  if (said === null) return null
  const ranges = said.flatMap((entry) => (entry === 'provider' ? (ofProvider ?? []) : [entry]))
  return ranges.map(parseNetwork).filter((network) => network !== null)
}

const isAllowed = (allowed: readonly Network[], text: string | null): boolean => {
  const address = text === null ? null : parseAddress(text)
  return address !== null && allowed.some((network) => isWithin(address, network))
}

// Of a header that only explains: no road has more proxies than that.
const mostHopsTold = 20

/** The refusal of a request from an address that may not call, with what would help; null: it may. */
export function addressRefusal(
  allowed: AllowedAddresses,
  { client, peer, headers }: Pick<InboundRequest, 'client' | 'peer' | 'headers'>,
  trustedProxies: number,
): Refusal | null {
  if (allowed === null || isAllowed(allowed, client)) return null
  const explanation = [`${client} is none of the addresses that may call this source.`]
  const hops = [...(forwardedFor(headers) ?? []), ...(forwarded(headers) ?? [])].slice(0, mostHopsTold)
  const meant = hops.map(addressOf).find((hop) => isAllowed(allowed, hop?.toString() ?? null))
  if (meant) {
    explanation.unshift(
      trustedProxies === 0
        ? `The request says that it was forwarded for ${meant}, which may call. If there is a proxy before Posthorn, say so with POSTHORN_TRUSTED_PROXIES; without one, anybody can write that.`
        : `The request says that it was forwarded for ${meant}, which may call; but behind ${trustedProxies} trusted ${trustedProxies === 1 ? 'proxy' : 'proxies'} (POSTHORN_TRUSTED_PROXIES) it came from ${client}. If there are more of them, say so.`,
    )
  }
  if (allowed.length === 0) explanation.push('The list of addresses that may call is empty.')
  if (client !== peer && parseAddress(peer)?.toString() !== client) explanation.push(`It came over ${peer}.`)
  return { kind: 'refused', reason: 'address-not-allowed', explanation }
}
