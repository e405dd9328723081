// QUARANTINE: what was refused, kept apart within limits, and released when it passes after all. A release goes the way of
// any message; whoever sent the request hears of neither.

import type { Millis, makeIds, QuarantineId, SourceId } from '../../domain/ids.ts'
import type { InboundRequest, Refusal } from '../../domain/inbound.ts'
import { bodyOf, payloadOf } from '../../domain/payload-text.ts'
import { Problem } from '../../domain/problem.ts'
import { allow, isAcknowledged, type QuarantineLimits } from '../../domain/quarantine.ts'
import type { QuarantineObserver } from '../../engine/observer.ts'
import type { QuarantinedRequest, QuarantineStore } from '../../ports/store.ts'
import type { World } from '../../ports/world.ts'

/** `kept`: it is on disk. Else it is not, and nobody was promised that it would be. */
export type Keeping =
  | { readonly kind: 'kept'; readonly id: QuarantineId }
  | { readonly kind: 'not-kept'; readonly because: 'too-large' | 'too-many' | 'too-busy' }

interface Waiting {
  readonly row: QuarantinedRequest
  readonly resolve: (keeping: Keeping) => void
  readonly reject: (error: unknown) => void
}

const mostRows = 200
const mostWaitingBytes = 16 * 1024 * 1024
// Of how many sources the allowance is remembered before those that have all of theirs again are forgotten.
const manySources = 1_000

/** Keeps refused requests apart, many in one transaction: as group commits do, one is on its way and the next one fills. */
export class Quarantine {
  readonly #store: Pick<QuarantineStore, 'keep'>
  readonly #world: World
  readonly #newId: ReturnType<typeof makeIds>
  readonly #limits: QuarantineLimits
  readonly #observer: QuarantineObserver
  readonly #usedUpAt = new Map<SourceId, Millis>()
  #waiting: Waiting[] = []
  #waitingBytes = 0
  #busy = false

  constructor(parts: {
    readonly store: Pick<QuarantineStore, 'keep'>
    readonly world: World
    readonly newId: ReturnType<typeof makeIds>
    readonly limits: QuarantineLimits
    readonly observer: QuarantineObserver
  }) {
    this.#store = parts.store
    this.#world = parts.world
    this.#newId = parts.newId
    this.#limits = parts.limits
    this.#observer = parts.observer
  }

  /**
   * Resolves when the request is on disk, or will not be: of what anybody can send, only so much is kept. What its sender
   * will be told is stored (`isAcknowledged`) is always kept. Throws Problem `unavailable` when it could not be written.
   */
  async keep(sourceId: SourceId, request: InboundRequest, verification: Refusal): Promise<Keeping> {
    const acknowledged = isAcknowledged(verification)
    const refusal = acknowledged ? null : this.#refusal(sourceId, request.body.length)
    if (refusal !== null) {
      this.#observer.quarantined(refusal)
      return { kind: 'not-kept', because: refusal }
    }
    if (this.#waitingBytes > mostWaitingBytes) {
      throw new Problem('unavailable', 'The store is not keeping up; the request was not kept.', [], 1)
    }
    const row = this.#rowOf(sourceId, request, verification, acknowledged)
    this.#waitingBytes += row.bytes
    return new Promise((resolve, reject) => {
      this.#waiting.push({ row, resolve, reject })
      if (this.#busy) return
      this.#busy = true
      setImmediate(() => void this.#run())
    })
  }

  #refusal(sourceId: SourceId, bytes: number): Extract<Keeping, { kind: 'not-kept' }>['because'] | null {
    if (bytes > this.#limits.bytes) return 'too-large'
    if (this.#waitingBytes > mostWaitingBytes) return 'too-busy'
    const now = this.#world.now()
    const { kept, usedUpAt } = allow(this.#usedUpAt.get(sourceId) ?? 0, now, bytes)
    this.#usedUpAt.set(sourceId, usedUpAt)
    if (this.#usedUpAt.size > manySources) {
      for (const [id, at] of this.#usedUpAt) if (at <= now) this.#usedUpAt.delete(id)
    }
    return kept ? null : 'too-many'
  }

  #rowOf(
    sourceId: SourceId,
    { body, ...rest }: InboundRequest,
    verification: Refusal,
    acknowledged: boolean,
  ): QuarantinedRequest {
    const request = { ...rest, verification }
    const beside = Buffer.byteLength(JSON.stringify(request))
    const id = this.#newId('quarantine')
    return { id, sourceId, request, ...payloadOf(body), bytes: body.length + beside, acknowledged }
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0) {
      const going = this.#waiting.splice(0, mostRows)
      for (const { row } of going) this.#waitingBytes -= row.bytes
      try {
        await this.#store.keep(
          going.map(({ row }) => row),
          this.#limits,
        )
        for (const { row, resolve } of going) {
          this.#observer.quarantined('kept')
          resolve({ kind: 'kept', id: row.id })
        }
      } catch {
        const problem = new Problem('unavailable', 'The store could not take this; the request was not kept.', [], 1)
        for (const { reject } of going) reject(problem)
      }
      // What came in the same turn as the answer rides along.
      await new Promise<void>((resolve) => setImmediate(resolve))
    }
    this.#busy = false
  }
}

/** A quarantined request as it was when it came; null: its body was not read. */
export function inboundOf({ request, payload, encoding }: QuarantinedRequest): InboundRequest | null {
  if (payload === null) return null
  const { verification: _, ...rest } = request
  return { ...rest, body: bodyOf({ payload, encoding }) }
}
