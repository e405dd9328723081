import { StringDecoder } from 'node:string_decoder'
import type { Dispatcher } from 'undici'
import type { Millis } from '../../domain/ids.ts'
import { keptText } from '../../domain/kept-text.ts'
import type { Outcome, UnreachableReason } from '../../domain/outcome.ts'
import { parseRetryAfter } from '../../domain/retry-after.ts'
import type { Timer, World } from '../../ports/world.ts'
import type { Connection } from './connection.ts'
import type { Origin } from './origin.ts'
import { failureOf } from './unreachable.ts'

const keptBytes = 16 * 1024 // of the answer's body
// Up to here a body is read to its end, so that the connection can be used again: cheaper than opening another.
const readBytes = 256 * 1024

/** One request on its way: undici's handler, the deadline, and the outcome when there is one. */
export class Try implements Dispatcher.DispatchHandler {
  readonly #origin: Origin
  readonly #options: Dispatcher.DispatchOptions
  readonly #world: World
  readonly #timeoutMs: Millis
  readonly #startedAt: Millis
  readonly #deadline: Timer
  readonly #onFirstByte: (() => void) | undefined
  readonly #done: (outcome: Outcome) => void

  #connection: Connection | null = null
  #settled = false
  #sent = false
  #resent = false
  #answering = false
  #status = 0
  #retryAfter: string | undefined
  #kept: Buffer[] | null = null
  #bytes = 0

  constructor(
    origin: Origin,
    options: Dispatcher.DispatchOptions,
    timeoutMs: Millis,
    world: World,
    onFirstByte: (() => void) | undefined,
    done: (outcome: Outcome) => void,
  ) {
    this.#origin = origin
    this.#options = options
    this.#world = world
    this.#timeoutMs = timeoutMs
    this.#startedAt = world.now()
    this.#onFirstByte = onFirstByte
    this.#done = done
    this.#deadline = world.after(timeoutMs, () => this.#expire())
  }

  runOn(connection: Connection): void {
    this.#connection = connection
    connection.dispatch(this.#options, this)
  }

  /** Settles a try that was not sent and shall not be. */
  giveUp(reason: UnreachableReason, detail: string): void {
    this.#settle({ kind: 'unreachable', reason, detail, durationMs: this.#elapsed() })
  }

  onRequestStart(): void {}

  onRequestSent(): void {
    if (this.#sent) return
    this.#sent = true
    this.#onFirstByte?.()
  }

  onResponseStarted(): void {
    this.#answering = true
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: Record<string, string | string[] | undefined>,
  ): void {
    if (status < 200) return // informational, the answer is still to come
    this.#status = status
    const asked = headers['retry-after']
    this.#retryAfter = typeof asked === 'string' ? asked : asked?.[0]
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    const room = keptBytes - this.#bytes
    if (room > 0) {
      this.#kept ??= []
      this.#kept.push(chunk.length > room ? chunk.subarray(0, room) : chunk)
    }
    this.#bytes += chunk.length
    // Comes back as an error, by when there are enough bytes to settle by the status.
    if (this.#bytes > readBytes) controller.abort(new Error('enough of the answer was read'))
  }

  onResponseEnd(): void {
    const connection = this.#connection
    this.#connection = null
    if (connection !== null) {
      connection.answers++
      this.#origin.release(connection)
    }
    this.#settleByStatus()
  }

  onResponseError(_controller: Dispatcher.DispatchController | null, error: Error): void {
    const connection = this.#connection
    if (this.#settled || connection === null) return
    this.#connection = null
    if (this.#bytes > readBytes) {
      this.#origin.discard(connection)
      this.#settleByStatus()
      return
    }
    const { reason, detail } = failureOf(error)
    // The receiver closed an idle connection while we were about to use it. It will hardly have read the request; should
    // it have, it sees the same `webhook-id` twice, as at any retry. Waiting for the schedule would bring the same second
    // request, only later and after an attempt that looks like the receiver's fault. Once, and on a new connection.
    if (reason === 'reset' && connection.answers > 0 && !this.#answering && !this.#resent) {
      this.#resent = true
      this.#origin.drop(connection)
      this.#origin.startFresh(this)
      return
    }
    this.#origin.discard(connection)
    this.giveUp(reason, detail)
  }

  #expire(): void {
    if (this.#settled) return
    const detail = `${this.#stage()} within ${this.#timeoutMs / 1000} s`
    const connection = this.#connection
    this.#connection = null
    if (connection === null) this.#origin.leave(this)
    else this.#origin.discard(connection)
    this.giveUp('timeout', detail)
  }

  #stage(): string {
    if (this.#connection === null) return 'no connection was free'
    if (!this.#sent) return 'no connection came about'
    if (this.#status === 0) return 'the receiver did not answer'
    return `the receiver began to answer ${this.#status} but did not finish`
  }

  #settleByStatus(): void {
    const status = this.#status
    const answer = {
      status,
      durationMs: this.#elapsed(),
      response: this.#response(),
      responseCut: this.#bytes > keptBytes,
    }
    if (status >= 200 && status < 300) this.#settle({ kind: 'delivered', ...answer })
    else
      this.#settle({ kind: 'refused', retryAfterMs: parseRetryAfter(this.#retryAfter, this.#world.now()), ...answer })
  }

  #response(): string {
    if (this.#kept === null) return ''
    const bytes = Buffer.concat(this.#kept)
    // The decoder holds back the first bytes of a character that was cut in two.
    const text = this.#bytes > keptBytes ? new StringDecoder('utf8').write(bytes) : bytes.toString('utf8')
    return keptText(text)
  }

  #elapsed(): Millis {
    return this.#world.now() - this.#startedAt
  }

  #settle(outcome: Outcome): void {
    this.#settled = true
    this.#deadline.cancel()
    this.#done(outcome)
  }
}
