import type { IncomingHttpHeaders } from 'node:http'
import { demandSameAsk, type RepeatableAsk, readIdempotencyKey, repeatableAsk } from '../domain/idempotency.ts'
import { Problem } from '../domain/problem.ts'
import type { Principal } from './principal.ts'

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
 * Which POSTs with an `Idempotency-Key` are being answered. In memory: only one process serves a database, and one that
 * died answers nobody any more.
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

function askOf({ principal, method, url, headers, body }: Repeatable): RepeatableAsk {
  if (principal === null) throw new Error(`${method} ${url} was repeated by nobody`)
  const key = readIdempotencyKey(String(headers['idempotency-key']))
  return repeatableAsk(principal.callerId, method, url, key, body instanceof Uint8Array ? body : null)
}
