import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Webhook } from 'standardwebhooks'

/** How one endpoint of the demo behaves; the dice are its own. */
interface Temper {
  /** Share of requests answered with 503. */
  readonly failing: number
  /** Share of requests answered late, and how late. */
  readonly slow: number
  readonly slowMs: number
}

/** What the receiver saw, by message. */
interface Sighting {
  readonly endpoint: string
  readonly messageId: string
  readonly requests: number
  readonly accepted: number
  readonly body: string
  readonly firstSeenAt: number
}

export interface Receiver {
  readonly url: string
  /** Tells it whose signatures to expect at `/name`. */
  trust(name: string, secret: string, temper: Temper): void
  sightings(): Iterable<Sighting>
  readonly counts: { answered: number; failed: number; slow: number; wronglySigned: number }
  close(): Promise<void>
}

/** A customer's server as customers' servers are: it verifies every signature, fails now and then, and is slow at times. */
export async function startReceiver(random: () => number): Promise<Receiver> {
  const trusted = new Map<string, { webhook: Webhook; temper: Temper }>()
  const seen = new Map<
    string,
    { endpoint: string; messageId: string; requests: number; accepted: number; body: string; firstSeenAt: number }
  >()
  const counts = { answered: 0, failed: 0, slow: 0, wronglySigned: 0 }

  const take = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const body = Buffer.concat(chunks).toString('utf8')
    const endpoint = (request.url ?? '/').slice(1)
    const known = trusted.get(endpoint)
    const messageId = String(request.headers['webhook-id'])
    try {
      // The judge is not ours: the reference library of the Standard Webhooks project.
      known?.webhook.verify(body, request.headers as Record<string, string>)
    } catch {
      counts.wronglySigned += 1
      response.writeHead(401).end()
      return
    }
    const sighting = seen.get(`${endpoint} ${messageId}`) ?? {
      endpoint,
      messageId,
      requests: 0,
      accepted: 0,
      body,
      firstSeenAt: Date.now(),
    }
    seen.set(`${endpoint} ${messageId}`, sighting)
    sighting.requests += 1
    if (known && random() < known.temper.slow) {
      counts.slow += 1
      await new Promise((resolve) => setTimeout(resolve, known.temper.slowMs))
    }
    if (known && random() < known.temper.failing) {
      counts.failed += 1
      response.writeHead(503, { 'retry-after': '1' }).end('out for a moment')
      return
    }
    counts.answered += 1
    sighting.accepted += 1
    response.writeHead(204).end()
  }

  const server = createServer((request, response) => {
    take(request, response).catch(() => response.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    trust: (name, secret, temper) => trusted.set(name, { webhook: new Webhook(secret), temper }),
    sightings: () => seen.values(),
    counts,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
