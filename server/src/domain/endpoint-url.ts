import { addressesWithoutDns, chooseAddresses, type EgressAllow } from './egress.ts'
import { Problem } from './problem.ts'

const longest = 2048 // characters, of the caller's spelling

// Labels of letters, digits, - and _ (which some receivers have, though no host should), up to one final dot.
const namePattern = /^[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*\.?$/
const literalPattern = /^\[[0-9a-f:]+\]$/

/**
 * Checks where an endpoint wants its deliveries, and returns the URL as it is kept: in the caller's own spelling. A name
 * is not resolved here (it may resolve to something else at each delivery; the transport checks that), but an address in
 * any spelling, and `localhost`, is judged at once.
 * Throws Problem `endpoint-url-invalid` or `endpoint-url-private`, with the fault at `pointer`.
 */
export function checkEndpointUrl(url: string, allow: EgressAllow, pointer: string): string {
  const fault = faultOf(url)
  if (fault !== null) {
    throw new Problem('endpoint-url-invalid', `The URL cannot be used: ${fault}.`, [{ pointer, message: fault }])
  }
  const { hostname } = new URL(url)
  const addresses = addressesWithoutDns(hostname)
  if (addresses !== null) {
    const choice = chooseAddresses(allow, hostname, addresses)
    if (!choice.ok) {
      throw new Problem('endpoint-url-private', choice.detail, [
        { pointer, message: `leads to ${addresses.join(' or ')}` },
      ])
    }
  }
  return url
}

// The spelling is judged before it is parsed: the parser forgives what another parser further on may read differently.
function faultOf(url: string): string | null {
  if (url.length > longest) return `it is ${url.length} characters long, ${longest} are the most`
  if (/[\s\p{C}]/u.test(url)) return 'it contains white space, a control character or another invisible one'
  if (url.includes('\\')) return 'it contains a backslash'
  if (!/^https?:\/\//i.test(url)) return 'it must be absolute and begin with https:// or http://'
  if (url.includes('#')) return 'it contains a fragment (#…), which is never sent'
  const authority = /^https?:\/\/([^/?]*)/i.exec(url)?.[1] ?? ''
  if (authority === '') return 'it names no host'
  if (authority.includes('@')) return 'it contains credentials; put them into a header of the endpoint'
  const port = /:(\d*)$/.exec(authority)?.[1] ?? ''
  if (port !== '' && (Number(port) < 1 || Number(port) > 65535)) return 'its port must be between 1 and 65535'
  const parsed = URL.parse(url)
  if (parsed === null) return 'it is not a valid URL'
  const { hostname } = parsed
  if (hostname.length > 253 || !(namePattern.test(hostname) || literalPattern.test(hostname))) {
    return 'its host is neither a host name nor an IP address'
  }
  return null
}
