import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { Socket } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { chanceOf } from './chance.ts'

/** How the receiver meets a request. `late`: after the sender has given up. */
type Manner = 'ok' | 'slow' | 'refuses' | 'resets' | 'late'

/** One request of a node, as the receiver saw it. Times are `Date.now()`. */
export interface Request {
  /** Answered with it as body, so that an attempt in the store tells of which request it is. */
  readonly number: number
  readonly endpoint: string
  /** Of its URL: an endpoint that is moved gets another. */
  readonly version: number
  readonly messageId: string
  /** The life of the node that sent it. */
  readonly life: string
  readonly body: string
  /** When the node signed it, in whole seconds rounded down: `webhook-timestamp`. */
  readonly signedAt: number
  readonly at: number
  /** Null: it has got no answer. */
  answered: { readonly at: number; readonly status: number } | null
  /** The connection was reset under it. */
  reset: boolean
}

/** Where a request goes: `/{endpoint}/{version}`. */
export const hookPath = (endpoint: string, version: number): string => `/${endpoint}/${version}`

/** A receiver with moods, which a seed repeats, and a good memory. */
export class MoodyReceiver {
  readonly requests: Request[] = []
  readonly #server: Server
  readonly #seed: number
  readonly #times = new Map<string, number>()
  #calm = false

  private constructor(server: Server, seed: number) {
    this.#server = server
    this.#seed = seed
    server.on('connection', (socket: Socket) => socket.on('error', () => {}))
  }

  static async listen(seed: number): Promise<MoodyReceiver> {
    const server = createServer({ keepAliveTimeout: 10_000 })
    const receiver = new MoodyReceiver(server, seed)
    server.on('request', (request, response) => {
      const chunks: Buffer[] = []
      request.on('error', () => {})
      request.on('data', (chunk: Buffer) => chunks.push(chunk))
      request.on('end', () => {
        const [, endpoint = '', version = '0'] = (request.url ?? '').split('/')
        const one: Request = {
          number: receiver.requests.length,
          endpoint,
          version: Number(version),
          messageId: String(request.headers['webhook-id']),
          life: /\/\/([a-z0-9-]+)\.test/.exec(String(request.headers['user-agent']))?.[1] ?? '?',
          body: Buffer.concat(chunks).toString('utf8'),
          signedAt: Number(request.headers['webhook-timestamp']) * 1_000,
          at: Date.now(),
          answered: null,
          reset: false,
        }
        receiver.requests.push(one)
        void receiver.#meet(one, request.socket, (status) => {
          response.writeHead(status, { 'content-type': 'text/plain' })
          response.end(`request ${one.number}`, () => {
            if (!request.socket.destroyed) one.answered = { at: Date.now(), status }
          })
        })
      })
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return receiver
  }

  get url(): string {
    const address = this.#server.address()
    if (address === null || typeof address === 'string') throw new Error('the receiver does not listen')
    return `http://127.0.0.1:${address.port}`
  }

  /** From now on it takes everything at once. */
  calm(): void {
    this.#calm = true
  }

  async close(): Promise<void> {
    this.#server.close()
    this.#server.closeAllConnections()
    await once(this.#server, 'close')
  }

  async #meet(request: Request, socket: Socket, answer: (status: number) => void): Promise<void> {
    const { messageId, endpoint } = request
    const which = `${messageId} ${endpoint}`
    const time = (this.#times.get(which) ?? 0) + 1
    this.#times.set(which, time)
    // By what it is and how often it came, not by when: the same message meets the same mood however the nodes race.
    const chance = chanceOf(this.#seed, `receiver ${request.body.slice(0, 64)} ${endpoint} ${time}`)
    const manner: Manner =
      this.#calm || chance.comesTrue(0.85) ? 'ok' : chance.of(['slow', 'slow', 'refuses', 'resets', 'late'])
    switch (manner) {
      case 'ok':
        return answer(200)
      case 'slow':
        await pause(chance.between(50, 500))
        return answer(200)
      case 'refuses':
        return answer(503)
      case 'resets':
        request.reset = true
        socket.resetAndDestroy()
        return
      case 'late':
        await pause(1_400)
        if (!socket.destroyed) answer(200)
    }
  }
}
