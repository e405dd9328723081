import { lookup } from 'node:dns/promises'
import { addressesWithoutDns, chooseAddresses, type EgressAllow } from '../../domain/egress.ts'
import { LookUps, type Resolve } from './look-ups.ts'
import { dnsFailure, Unreachable } from './unreachable.ts'

/** The addresses that a connection to this host may be opened to: at least one. Rejects with `Unreachable`. */
export type Guard = (hostname: string) => Promise<readonly string[]>

// getaddrinfo, not DNS queries of our own: receivers inside are found by /etc/hosts and search domains, too.
const systemResolve: Resolve = async (hostname) =>
  (await lookup(hostname, { all: true, order: 'verbatim' })).map(({ address }) => address)

/**
 * Makes the check that stands before every connection. Connections to one name that are opened at the same moment share
 * one resolution, since the many deliveries to one dead name must not take all threads. An answer is not kept longer than
 * that: the next connection asks, and is checked, anew.
 */
export function makeGuard(allow: EgressAllow, resolve: Resolve = systemResolve): Guard {
  const lookUps = new LookUps(resolve)

  return async (hostname) => {
    let addresses = addressesWithoutDns(hostname)
    if (addresses === null) {
      try {
        addresses = await lookUps.ask(hostname)
      } catch (error) {
        throw dnsFailure(error, hostname)
      }
      if (addresses.length === 0) throw new Unreachable('dns', `${hostname} has no address`)
    }
    const choice = chooseAddresses(allow, hostname, addresses)
    if (!choice.ok) throw new Unreachable('blocked', choice.detail)
    return choice.addresses
  }
}
