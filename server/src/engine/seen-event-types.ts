import type { EnvironmentId, Millis } from '../domain/ids.ts'
import type { EventTypeStore, SeenEventType } from '../ports/store.ts'
import type { Timer, World } from '../ports/world.ts'

const flushAfterMs: Millis = 1_000
// Who puts ids into event types must not fill memory with them: past this everything counts as new again.
const mostKnown = 10_000

/**
 * Which event types have been published, so that people can be told which of them nobody declared. On the road it costs a
 * look into a set; names that are new are written together, a second later. A crash forgets those of its last second
 * until they are published again.
 */
export class SeenEventTypes {
  readonly #store: Pick<EventTypeStore, 'noteSeen'>
  readonly #world: Pick<World, 'now' | 'after'>
  readonly #known = new Map<EnvironmentId, Set<string>>()
  #count = 0
  #new: SeenEventType[] = []
  #timer: Timer | null = null

  constructor(store: Pick<EventTypeStore, 'noteSeen'>, world: Pick<World, 'now' | 'after'>) {
    this.#store = store
    this.#world = world
  }

  note(environmentId: EnvironmentId, name: string): void {
    const known = this.#known.get(environmentId)
    if (known?.has(name)) return
    if (this.#count >= mostKnown) {
      this.#known.clear()
      this.#count = 0
    }
    const names = this.#known.get(environmentId) ?? new Set()
    this.#known.set(environmentId, names.add(name))
    this.#count += 1
    if (this.#new.length >= mostKnown) return
    this.#new.push({ environmentId, name, seenAt: this.#world.now() })
    this.#timer ??= this.#world.after(flushAfterMs, () => void this.flush())
  }

  /** Writes what is not written yet. What cannot be written now is kept for the next time. */
  async flush(): Promise<void> {
    const rows = this.#new
    this.#new = []
    this.#timer?.cancel()
    this.#timer = null
    if (rows.length === 0) return
    await this.#store.noteSeen(rows).catch(() => {
      this.#new.unshift(...rows)
    })
  }
}
