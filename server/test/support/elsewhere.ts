import type http from 'node:http'
import https from 'node:https'
import type { TestContext } from 'node:test'
import { parseEgressAllow } from '../../src/domain/egress.ts'
import type { Fetcher } from '../../src/ports/fetcher.ts'
import type { World } from '../../src/ports/world.ts'
import { createFetcher } from '../../src/transports/http/fetcher.ts'
import { certify, trust } from './certificates.ts'
import { listening } from './listening.ts'

export interface Elsewhere {
  /** The real one, for which these hosts are on loopback, where 443 is another port. */
  readonly fetcher: Fetcher
  /** `GET https://host/path` of each that came. */
  readonly requests: readonly string[]
  readonly opened: () => number
  /** Fetches that have come to something. */
  readonly ended: () => number
  readonly port: number
}

/** Hosts of providers on loopback, with a certificate that is trusted until the test is over. */
export async function elsewhere(
  t: TestContext,
  world: World,
  hosts: readonly string[],
  answer: (request: http.IncomingMessage, response: http.ServerResponse) => void,
  resolve: (host: string) => readonly string[] = () => ['127.0.0.1'],
): Promise<Elsewhere> {
  // A name of its own: of two with the same name, OpenSSL would try one.
  const authority = certify({ name: `Authority ${world.randomBytes(8).join('')}`, authority: true })
  const { pem, keyPem } = certify({ name: 'elsewhere', hosts, by: authority })
  trust(t, authority)
  const requests: string[] = []
  const server = https.createServer({ key: keyPem, cert: pem }, (request, response) => {
    requests.push(`${request.method} https://${request.headers.host?.replace(/:\d+$/, '')}${request.url}`)
    response.on('error', () => {})
    answer(request, response)
  })
  const { port, opened } = await listening(t, server)
  const real = createFetcher({
    allow: parseEgressAllow('127.0.0.1'),
    world,
    userAgent: 'Posthorn/test',
    resolve: async (host) => resolve(host),
  })
  t.after(() => real.close())
  let ended = 0
  const fetcher: Fetcher = {
    async fetch(request) {
      const url = request.url.replace(/^(https:\/\/[^/?:]+)(?=[/?]|$)/, `$1:${port}`)
      const fetched = await real.fetch({ ...request, url })
      ended++
      return fetched
    },
    close: () => real.close(),
  }
  return { fetcher, requests, opened, ended: () => ended, port }
}
