import type { FastifyReply } from 'fastify'
import { spend } from '../domain/allowance.ts'
import type { Millis } from '../domain/ids.ts'
import { Problem } from '../domain/problem.ts'
import type { World } from '../ports/world.ts'

// Callers remembered at a time, about 100 bytes each; past it those that used nothing of late go.
const mostCallers = 10_000

/**
 * Requests a second of each caller, one second's worth of them at once; told as draft-ietf-httpapi-ratelimit-headers-10
 * says (2025-09).
 */
export class RequestRate {
  readonly #perSecond: number
  readonly #world: Pick<World, 'now'>
  readonly #usedUpAt = new Map<string, Millis>()

  constructor(perSecond: number, world: Pick<World, 'now'>) {
    this.#perSecond = perSecond
    this.#world = world
  }

  /** Counts a request, and says in the answer how many are left. Throws Problem `rate-limited`. */
  count(callerId: string, reply: FastifyReply): void {
    const now = this.#world.now()
    const spent = spend(this.#usedUpAt.get(callerId) ?? 0, now, this.#perSecond)
    reply.header('ratelimit-policy', `"requests";q=${this.#perSecond};w=1`)
    if (spent.kind === 'refused') {
      const seconds = Math.ceil(spent.waitMs / 1_000)
      reply.header('ratelimit', `"requests";r=0;t=${seconds}`)
      const detail = `This key may make ${this.#perSecond} requests a second.`
      throw new Problem('rate-limited', detail, [], seconds)
    }
    reply.header('ratelimit', `"requests";r=${spent.left};t=1`)
    this.#usedUpAt.set(callerId, spent.usedUpAt)
    if (this.#usedUpAt.size > mostCallers) {
      for (const [id, usedUpAt] of this.#usedUpAt) if (usedUpAt <= now) this.#usedUpAt.delete(id)
    }
  }
}
