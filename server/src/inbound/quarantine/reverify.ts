import { firstIdAt, type Millis, type QuarantineId, type SourceId } from '../../domain/ids.ts'
import type { InboundRequest } from '../../domain/inbound.ts'
import type { Source } from '../../domain/source.ts'
import type { QuarantineStore } from '../../ports/store.ts'
import type { World } from '../../ports/world.ts'
import { inboundOf } from './quarantine.ts'

/**
 * Receives a quarantined request once more, as its source is now, with `receivedAt` of the request as the clock: checks it,
 * and when it passes, accepts it as the door would, with the same dedupe. `refused`: it does not pass (whatever the mode of
 * the source), and nothing happened. `id` stands in for the key of duplicates where the request has none, so that nothing
 * is released twice. Throws Problem `unavailable`.
 */
export type Release = (source: Source, id: QuarantineId, request: InboundRequest) => Promise<Released>

export type Released = 'stored' | 'duplicate' | 'refused'

/** What one round over the quarantine came to. */
interface Reverified {
  readonly checked: number
  readonly released: number
  /** Were messages already; they are gone from the quarantine too. */
  readonly duplicates: number
  /** Of the whole quarantine. */
  readonly remaining: number
  /** Where the next call goes on; null: all that was there has been checked. */
  readonly next: QuarantineId | null
}

export type Reverify = (source: Source, after: QuarantineId | '') => Promise<Reverified>

const stepRequests = 100
const stepBytes = 1024 * 1024
// Shorter than what callers wait for an answer.
const longestMs: Millis = 10_000

/** Rounds over the quarantine of one source one after the other, so that each request is released by one of them. */
export function makeReverify(parts: {
  readonly store: QuarantineStore
  readonly world: World
  readonly release: Release
}): Reverify {
  const running = new Map<SourceId, Promise<unknown>>()
  return async (source, after) => {
    const before = running.get(source.id)
    const round = (before ?? Promise.resolve()).catch(() => {}).then(() => reverify(parts, source, after))
    running.set(source.id, round)
    try {
      return await round
    } finally {
      if (running.get(source.id) === round) running.delete(source.id)
    }
  }
}

async function reverify(
  { store, world, release }: Parameters<typeof makeReverify>[0],
  source: Source,
  after: QuarantineId | '',
): Promise<Reverified> {
  const startedAt = world.now()
  // What comes while it runs is checked by the door, with the secrets there are now.
  const end = firstIdAt('quarantine', startedAt + 1)
  const count = { checked: 0, released: 0, duplicates: 0 }
  let last = after
  let over = false
  while (!over && world.now() - startedAt <= longestMs) {
    const rows = await store.oldest(source.id, last, stepRequests, stepBytes)
    const gone: QuarantineId[] = []
    over = rows.length === 0
    try {
      // One after the other: messages are in the order in which the requests came.
      for (const row of rows) {
        over = row.id >= end
        if (over) break
        last = row.id
        const request = inboundOf(row)
        if (request === null) continue
        const released = await release(source, row.id, request)
        count.checked += 1
        if (released === 'refused') continue
        gone.push(row.id)
        if (released === 'stored') count.released += 1
        else count.duplicates += 1
      }
    } finally {
      // Only now that they are stored; a kill in between makes duplicates of them, which the next round finds out.
      if (gone.length > 0) await store.delete(source.id, gone)
    }
  }
  const { count: remaining } = await store.totals(source.id)
  return { ...count, remaining, next: over || last === '' ? null : last }
}
