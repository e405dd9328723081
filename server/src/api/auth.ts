import type { Millis } from '../domain/ids.ts'
import { portalTokenPrefix } from '../domain/portal.ts'
import { Problem } from '../domain/problem.ts'
import { hashKey } from '../manage/keys.ts'
import type { Store } from '../ports/store.ts'
import type { World } from '../ports/world.ts'
import type { Principal } from './principal.ts'

// A revoked key, or a portal token that was ended, must stop within a second. Past half of it they are read again in the
// background, so that a busy caller never waits for the store.
const goodForMs = 1_000
const refreshAfterMs = 500
// Keys of callers remembered at a time, about 200 bytes each; past it the one remembered longest goes.
const mostKeys = 1_000

interface Known {
  readonly principal: Principal
  /** When the reading of it began. */
  readonly readAt: Millis
}

/** Turns `Authorization` headers into principals. Keys and tokens themselves are held in memory only, and never logged. */
export class Authenticator {
  readonly #store: Pick<Store, 'keys' | 'portalTokens'>
  readonly #world: Pick<World, 'now'>
  readonly #known = new Map<string, Known>()
  readonly #reading = new Map<string, Promise<Principal | null>>()

  constructor(store: Pick<Store, 'keys' | 'portalTokens'>, world: Pick<World, 'now'>) {
    this.#store = store
    this.#world = world
  }

  /** Who this header is, if that was read within the last second; undefined: ask `read`. */
  known(header: string | undefined): Principal | undefined {
    if (header === undefined) return undefined
    const known = this.#known.get(header)
    if (known === undefined) return undefined
    const now = this.#world.now()
    if (known.principal.kind === 'portal' && now >= known.principal.expiresAt) return undefined
    const age = now - known.readAt
    if (age < 0 || age >= goodForMs) return undefined
    // A failure here is met again, and told, by whoever has to wait for the key.
    if (age >= refreshAfterMs) this.#readOnce(header).catch(() => {})
    return known.principal
  }

  /** Throws Problem `unauthenticated`. */
  async read(header: string | undefined): Promise<Principal> {
    if (header === undefined) throw new Problem('unauthenticated', 'The request has no Authorization header.')
    const principal = await this.#readOnce(header)
    if (principal) return principal
    throw new Problem(
      'unauthenticated',
      bearerOf(header)?.startsWith(portalTokenPrefix)
        ? 'The portal token is unknown, has expired or was logged out.'
        : 'The key is unknown or was revoked.',
    )
  }

  #readOnce(header: string): Promise<Principal | null> {
    const underway = this.#reading.get(header)
    if (underway) return underway
    const reading = this.#read(header).finally(() => this.#reading.delete(header))
    this.#reading.set(header, reading)
    return reading
  }

  async #read(header: string): Promise<Principal | null> {
    const text = bearerOf(header)
    if (text === undefined) throw new Problem('unauthenticated', 'The Authorization header is not `Bearer <key>`.')
    const readAt = this.#world.now()
    const principal = await this.#principalOf(text)
    this.#known.delete(header)
    if (!principal) return null
    this.#known.set(header, { principal, readAt })
    const [oldest] = this.#known.keys()
    if (this.#known.size > mostKeys && oldest !== undefined) this.#known.delete(oldest)
    return principal
  }

  async #principalOf(text: string): Promise<Principal | null> {
    const hash = hashKey(text)
    // What begins like a token may still be a key: operators choose the text of theirs (POSTHORN_API_KEY).
    const token = text.startsWith(portalTokenPrefix) ? await this.#store.portalTokens.byHash(hash) : null
    if (token) {
      if (token.expiresAt <= this.#world.now()) return null
      const { id, environmentId, applicationId, capabilities, featureFlags, expiresAt } = token
      return { kind: 'portal', callerId: id, hash, environmentId, applicationId, capabilities, featureFlags, expiresAt }
    }
    const key = await this.#store.keys.byHash(hash)
    if (!key || key.revokedAt !== null) return null
    return { kind: 'key', callerId: key.id, environmentId: key.environmentId, scopes: key.scopes }
  }
}

const bearerOf = (header: string): string | undefined => /^Bearer +([\x21-\x7e]{1,512})$/i.exec(header)?.[1]
