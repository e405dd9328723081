import type { IncomingHttpHeaders } from 'node:http'
import type { Logger } from 'pino'
import { demandSameAsk, type RepeatableAsk, readIdempotencyKey, repeatableAsk } from '../domain/idempotency.ts'
import { Problem } from '../domain/problem.ts'
import type { Manage } from '../manage/manage.ts'
import type { Principal } from './principal.ts'
import { pathOf } from './problem.ts'
import type { Answer } from './route.ts'

/** Tells a repeated POST that it is one. */
export const replayedHeader = 'idempotent-replayed'

/** What of a request tells whether it is the same again. */
export interface Repeatable {
  readonly principal: Principal | null
  readonly method: string
  readonly url: string
  readonly headers: IncomingHttpHeaders
  readonly body: unknown
}

/**
 * Which POSTs with an `Idempotency-Key` are being answered by this process. What others answer stands in the store, at
 * which one that is being answered here need not ask.
 */
export class RunningAsks {
  readonly #running = new Map<string, RepeatableAsk>()

  /**
   * Runs the work of a POST, with what it is remembered by; null: it names no key, and may run as often as it comes.
   * Throws Problem `idempotency-key-invalid`, `idempotency-key-running` or `idempotency-key-reused`.
   */
  run<Result>(request: Repeatable, work: (ask: RepeatableAsk | null) => Promise<Result>): Promise<Result> {
    return request.headers['idempotency-key'] === undefined ? work(null) : this.#runOnce(askOf(request), work)
  }

  async #runOnce<Result>(ask: RepeatableAsk, work: (ask: RepeatableAsk) => Promise<Result>): Promise<Result> {
    const running = this.#running.get(ask.id)
    if (running) {
      demandSameAsk(running, ask)
      throw new Problem('idempotency-key-running', undefined, [], 1)
    }
    this.#running.set(ask.id, ask)
    try {
      return await work(ask)
    } finally {
      this.#running.delete(ask.id)
    }
  }
}

type Answers = Pick<Manage, 'answers'>['answers']

/**
 * Answers POSTs so that the same one has its effect once: what it was answered is remembered, and given again. Only
 * successes are: what was refused has changed nothing, and what failed is to be tried again.
 */
export class RepeatableAnswers {
  readonly #running = new RunningAsks()
  readonly #answers: Answers
  readonly #log: Pick<Logger, 'error'>

  constructor(answers: Answers, log: Pick<Logger, 'error'>) {
    this.#answers = answers
    this.#log = log
  }

  /** Throws Problem `idempotency-key-invalid`, `idempotency-key-running` or `idempotency-key-reused`, and what `work` throws. */
  answer(request: Repeatable, work: (ask: RepeatableAsk | null) => Promise<Answer>): Promise<Answer> {
    return this.#running.run(request, async (ask) => {
      if (ask === null) return work(null)
      const before = await this.#answers.begin(ask)
      if (before) {
        const { status, body } = before
        return { status, replayed: true, ...(body === null ? {} : { json: body }) }
      }
      const answer = await this.#workOrAbandon(ask, work)
      await this.#answers.keep(ask, { status: answer.status, body: answer.json ?? null }).catch((error: unknown) => {
        // It is done all the same, and to say otherwise would have it done twice.
        this.#log.error({ err: error, path: pathOf(request.url) }, 'an answer could not be kept for its repetition')
      })
      return answer
    })
  }

  async #workOrAbandon(ask: RepeatableAsk, work: (ask: RepeatableAsk) => Promise<Answer>): Promise<Answer> {
    // Within the try: what is refused before there is a promise is refused all the same.
    try {
      return await work(ask)
    } catch (error) {
      // Where it cannot be said, it lapses by itself.
      await this.#answers.abandon(ask).catch(() => {})
      throw error
    }
  }
}

function askOf({ principal, method, url, headers, body }: Repeatable): RepeatableAsk {
  if (principal === null) throw new Error(`${method} ${url} was repeated by nobody`)
  const key = readIdempotencyKey(String(headers['idempotency-key']))
  return repeatableAsk(principal.callerId, method, url, key, body instanceof Uint8Array ? body : null)
}
