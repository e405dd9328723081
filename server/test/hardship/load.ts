import { setTimeout as pause } from 'node:timers/promises'
import { Agent } from 'undici'
import type { Books } from './books.ts'

const publishers = 8
// Some hundred messages a second: enough that a blow hits something, and the machine has room for the blow itself.
const pauseMs = 10
// An attempt's status in the API.
const delivered = 0

/** Publishes without an end, and what was not answered again with the same key, as a careful caller does. */
export class Load {
  readonly #ask: (payload: string, key: string) => Promise<number>
  #running: Promise<unknown> | null = null
  #stopped = false
  #count = 0
  /** Answers by status; 0: none came. */
  readonly answers = new Map<number, number>()

  constructor(ask: (payload: string, key: string) => Promise<number>) {
    this.#ask = ask
  }

  start(): void {
    this.#stopped = false
    this.#running = Promise.all(Array.from({ length: publishers }, (_, number) => this.#publish(number)))
  }

  async stop(): Promise<void> {
    this.#stopped = true
    await this.#running
  }

  async #publish(number: number): Promise<void> {
    while (!this.#stopped) {
      // Over all starts: a key that was used for something else is refused.
      const count = ++this.#count
      const payload = `{"publisher":${number},"count":${count},"at":${performance.now()},"big":9007199254740993,"text":"\\u0041 é"}`
      for (let again = 0; !this.#stopped; again++) {
        const status = await this.#ask(payload, `load-${count}`)
        this.answers.set(status, (this.answers.get(status) ?? 0) + 1)
        if (status === 202) break
        await pause(Math.min(20 * 2 ** again, 500))
      }
      await pause(pauseMs)
    }
  }
}

/** Publishes for one application, and enters into its books what was answered 202. */
export class Publisher {
  readonly #agent = new Agent({ connections: 16, headersTimeout: 20_000, bodyTimeout: 20_000 })
  readonly #key: string

  constructor(key: string) {
    this.#key = key
  }

  /** The status; 0: no answer came. */
  async publish(
    url: string,
    application: string,
    books: Books,
    payload: string,
    idempotencyKey: string,
  ): Promise<number> {
    try {
      const answer = await this.#agent.request({
        origin: url,
        path: `/api/v1/app/${application}/msg`,
        method: 'POST',
        headers: {
          authorization: `Bearer ${this.#key}`,
          'content-type': 'application/json',
          'idempotency-key': idempotencyKey,
        },
        body: `{"eventType":"hardship","payload":${payload}}`,
      })
      const text = await answer.body.text()
      if (answer.statusCode === 202) books.promise((JSON.parse(text) as { id: string }).id, payload)
      return answer.statusCode
    } catch {
      return 0
    }
  }

  /** For what is set up; throws where it is not answered 2xx. */
  async call(url: string, path: string, body: unknown): Promise<void> {
    const answer = await this.#agent.request({
      origin: url,
      path,
      method: 'POST',
      headers: { authorization: `Bearer ${this.#key}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
    const text = await answer.body.text()
    if (answer.statusCode >= 300) throw new Error(`${path} was answered ${answer.statusCode}: ${text}`)
  }

  /** Whether a try of this message is written down as one that failed. */
  async hasFailedTry(url: string, application: string, id: string): Promise<boolean> {
    const answer = await this.#agent.request({
      origin: url,
      path: `/api/v1/app/${application}/attempt/msg/${id}`,
      method: 'GET',
      headers: { authorization: `Bearer ${this.#key}` },
    })
    const { data } = (await answer.body.json()) as { readonly data: readonly { readonly status: number }[] }
    return data.some(({ status }) => status !== delivered)
  }

  close(): Promise<void> {
    return this.#agent.destroy()
  }
}
