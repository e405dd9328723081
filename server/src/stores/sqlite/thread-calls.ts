import { Worker } from 'node:worker_threads'
import { Problem } from '../../domain/problem.ts'
import type { Call, Reply, Role } from './thread.ts'

/** Callers learn that it may pass; whoever reads the log, why it is so. */
export function unavailable(reason: string): Problem {
  const problem = new Problem('unavailable', 'The store does not answer; try again.', [], 1)
  problem.cause = new Error(`store: ${reason}`)
  return problem
}

/** One worker thread with one connection, and the calls that wait for it. */
export class Thread {
  readonly #worker: Worker
  readonly #waiting = new Map<number, { resolve: (value: never) => void; reject: (error: Error) => void }>()
  #lastId = 0
  #ended: Error | null = null

  constructor(path: string, role: Role, origin: string) {
    this.#worker = new Worker(new URL(import.meta.url.replace(/thread-calls(\.\w+)$/, 'thread$1')), {
      workerData: { path, role, origin },
      // What a thread makes is short-lived texts: a small nursery costs it nothing, and a large one would count twice.
      resourceLimits: { maxYoungGenerationSizeMb: 8 },
    })
    this.#worker.on('message', (reply: Reply) => {
      const waiting = this.#waiting.get(reply.id)
      this.#waiting.delete(reply.id)
      if ('error' in reply && reply.passing) waiting?.reject(unavailable(reply.error))
      else if ('error' in reply) waiting?.reject(new Error(`store: ${reply.error}`))
      else waiting?.resolve(reply.value as never)
    })
    this.#worker.on('error', (error) => this.#end(error instanceof Error ? error : new Error(String(error))))
    this.#worker.on('exit', () => this.#end(unavailable('closed')))
  }

  call<Result>(noun: string, method: string, parameters: readonly unknown[]): Promise<Result> {
    if (this.#ended) return Promise.reject(this.#ended)
    this.#lastId += 1
    const call: Call = { id: this.#lastId, noun, method, parameters }
    return new Promise<Result>((resolve, reject) => {
      this.#waiting.set(call.id, { resolve: resolve as (value: never) => void, reject })
      this.#worker.postMessage(call)
    })
  }

  async close(): Promise<void> {
    if (this.#ended) return
    const exited = new Promise((resolve) => this.#worker.once('exit', resolve))
    this.#worker.postMessage('close')
    await exited
  }

  /** At once, whatever it is at: for one that only reads. */
  async terminate(): Promise<void> {
    this.#end(unavailable('closed'))
    await this.#worker.terminate()
  }

  #end(error: Error): void {
    this.#ended ??= error
    for (const { reject } of this.#waiting.values()) reject(this.#ended)
    this.#waiting.clear()
  }
}
