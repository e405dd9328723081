import type { EnvironmentId, KeyId, Millis } from '../domain/ids.ts'
import { allows, type Scope } from '../domain/key.ts'
import { Problem } from '../domain/problem.ts'
import { hashKey } from '../manage/keys.ts'
import type { Store } from '../ports/store.ts'
import type { World } from '../ports/world.ts'

/** Who is calling: a key, the environment it belongs to, what it may do. */
export interface Principal {
  readonly environmentId: EnvironmentId
  readonly keyId: KeyId
  readonly scopes: readonly Scope[]
}

// A revoked key must stop within a second. Past half of it the key is read again in the background, so that a busy
// caller never waits for the store.
const goodForMs = 1_000
const refreshAfterMs = 500
// Keys of callers remembered at a time, about 200 bytes each; past it the one remembered longest goes.
const mostKeys = 1_000

interface Known {
  readonly principal: Principal
  /** When the reading of it began. */
  readonly readAt: Millis
}

/** Turns `Authorization` headers into principals. Keys themselves are held in memory only, and never logged. */
export class Authenticator {
  readonly #store: Pick<Store, 'keys'>
  readonly #world: Pick<World, 'now'>
  readonly #known = new Map<string, Known>()
  readonly #reading = new Map<string, Promise<Principal | null>>()

  constructor(store: Pick<Store, 'keys'>, world: Pick<World, 'now'>) {
    this.#store = store
    this.#world = world
  }

  /** Who this header is, if that was read within the last second; undefined: ask `read`. */
  known(header: string | undefined): Principal | undefined {
    if (header === undefined) return undefined
    const known = this.#known.get(header)
    if (known === undefined) return undefined
    const age = this.#world.now() - known.readAt
    if (age < 0 || age >= goodForMs) return undefined
    // A failure here is met again, and told, by whoever has to wait for the key.
    if (age >= refreshAfterMs) this.#readOnce(header).catch(() => {})
    return known.principal
  }

  /** Throws Problem `unauthenticated`. */
  async read(header: string | undefined): Promise<Principal> {
    if (header === undefined) throw new Problem('unauthenticated', 'The request has no Authorization header.')
    const principal = await this.#readOnce(header)
    if (!principal) throw new Problem('unauthenticated', 'The key is unknown or was revoked.')
    return principal
  }

  #readOnce(header: string): Promise<Principal | null> {
    const underway = this.#reading.get(header)
    if (underway) return underway
    const reading = this.#read(header).finally(() => this.#reading.delete(header))
    this.#reading.set(header, reading)
    return reading
  }

  async #read(header: string): Promise<Principal | null> {
    const [, text] = /^Bearer +([\x21-\x7e]{1,512})$/i.exec(header) ?? []
    if (text === undefined) throw new Problem('unauthenticated', 'The Authorization header is not `Bearer <key>`.')
    const readAt = this.#world.now()
    const key = await this.#store.keys.byHash(hashKey(text))
    this.#known.delete(header)
    if (!key || key.revokedAt !== null) return null
    const principal = { environmentId: key.environmentId, keyId: key.id, scopes: key.scopes }
    this.#known.set(header, { principal, readAt })
    const [oldest] = this.#known.keys()
    if (this.#known.size > mostKeys && oldest !== undefined) this.#known.delete(oldest)
    return principal
  }
}

/** Throws Problem `scope-missing`. */
export function demand(principal: Principal, needed: Scope): void {
  if (!allows(principal.scopes, needed)) {
    throw new Problem('scope-missing', `This needs scope '${needed}'; the key has ${principal.scopes.join(', ')}.`)
  }
}
