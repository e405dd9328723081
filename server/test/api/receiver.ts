import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { TestContext } from 'node:test'
import { listening } from '../support/listening.ts'

export interface Received {
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

export interface Receiver {
  readonly url: string
  readonly received: readonly Received[]
  /** What it answers from now on. */
  answer(status: number): void
  /** Resolves when that many requests have come in all. */
  until(count: number): Promise<void>
}

/** A receiver of webhooks on a real socket, up to the end of the test. */
export async function receiver(t: TestContext): Promise<Receiver> {
  const received: Received[] = []
  let status = 200
  let came = () => {}
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      response.writeHead(status).end(`answered ${status}`)
      received.push({ headers: request.headers, body: Buffer.concat(chunks).toString() })
      came()
    })
  })
  const { port } = await listening(t, server)
  return {
    url: `http://127.0.0.1:${port}/hook`,
    received,
    answer(next) {
      status = next
    },
    async until(count) {
      while (received.length < count) {
        await new Promise<void>((resolve) => {
          came = resolve
        })
      }
    },
  }
}

const mostTries = 2_000

/** Asks again until it holds: what was delivered is recorded a commit later. Each try is a round trip to the server. */
export async function eventually<Value>(ask: () => Promise<Value>, holds: (value: Value) => boolean): Promise<Value> {
  for (let tries = 0; ; tries++) {
    const value = await ask()
    if (holds(value)) return value
    if (tries === mostTries) throw new Error(`still not so: ${JSON.stringify(value)}`)
  }
}
