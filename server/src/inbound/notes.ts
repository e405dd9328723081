import type { Millis, SourceId } from '../domain/ids.ts'
import { keptText } from '../domain/kept-text.ts'
import type { HandshakeNote, SourceStore } from '../ports/store.ts'
import type { Timer, World } from '../ports/world.ts'

type NotesStore = Pick<SourceStore, 'noteHandshakes' | 'noteSecretUses'>

const writeEveryMs = 1_000
// Handshakes are rare; a stranger's probes must not become a queue.
const mostHandshakes = 1_000

/**
 * What people want to see of sources and no provider waits for: when a challenge was answered, when a secret was last
 * used. Gathered, and written once a second; what cannot be written now is written later.
 */
export class SourceNotes {
  readonly #store: NotesStore
  readonly #world: World
  #handshakes: HandshakeNote[] = []
  readonly #uses = new Map<string, { readonly sourceId: SourceId; readonly secretId: string; at: Millis }>()
  #timer: Timer | null = null
  #writing: Promise<void> = Promise.resolve()

  constructor(store: NotesStore, world: World) {
    this.#store = store
    this.#world = world
  }

  /** `failure` null: it succeeded. */
  handshake(sourceId: SourceId, name: string, failure: string | null): void {
    if (this.#handshakes.length >= mostHandshakes) this.#handshakes.shift()
    this.#handshakes.push({
      sourceId,
      name,
      at: this.#world.now(),
      failure: failure === null ? null : keptText(failure),
    })
    this.#schedule()
  }

  secretUsed(sourceId: SourceId, secretId: string): void {
    const key = `${sourceId} ${secretId}`
    const use = this.#uses.get(key)
    if (use) use.at = this.#world.now()
    else this.#uses.set(key, { sourceId, secretId, at: this.#world.now() })
    this.#schedule()
  }

  /** Resolves when everything noted so far is written, or could not be. */
  async flush(): Promise<void> {
    this.#timer?.cancel()
    this.#timer = null
    this.#write()
    await this.#writing
  }

  #schedule(): void {
    this.#timer ??= this.#world.after(writeEveryMs, () => {
      this.#timer = null
      this.#write()
    })
  }

  #write(): void {
    const handshakes = this.#handshakes
    const uses = [...this.#uses.values()]
    this.#handshakes = []
    this.#uses.clear()
    this.#writing = this.#writing.then(async () => {
      try {
        if (handshakes.length > 0) await this.#store.noteHandshakes(handshakes)
        if (uses.length > 0) await this.#store.noteSecretUses(uses)
      } catch {
        // The store is down, which everybody is told of who waits for it. Uses come again; handshakes are few.
        this.#handshakes = [...handshakes, ...this.#handshakes].slice(-mostHandshakes)
      }
    })
  }
}
