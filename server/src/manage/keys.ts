import { hash } from 'node:crypto'
import { usualSettings } from '../domain/environment.ts'
import type { EnvironmentId, KeyId } from '../domain/ids.ts'
import { type ApiKey, type Scope, scopes } from '../domain/key.ts'
import { Problem } from '../domain/problem.ts'
import type { ManageContext } from './context.ts'

type KeyContext = Pick<ManageContext, 'store' | 'world' | 'newId'>

export interface KeyWish {
  /** Name of the environment; made if there is none. */
  readonly environment: string
  /** For people. */
  readonly name: string
  readonly scopes: readonly Scope[]
}

const secretBytes = 32

/** What is kept of a key or a portal token: SHA-256, hex. Both are 256 random bits, so there is nothing to guess and no salt to add. */
export const hashKey = (text: string): string => hash('sha256', text, 'hex')

/**
 * Makes a key. `text` is the key itself: shown to its owner now, and kept nowhere. It has no dots: client libraries take
 * what stands behind a dot for a region.
 */
export async function createKey(
  context: KeyContext,
  wish: KeyWish,
): Promise<{ readonly key: ApiKey; readonly text: string }> {
  const text = newText(context)
  const key = await newKey(context, wish, text)
  await context.store.keys.insert(key)
  return { key, text }
}

const newText = ({ world }: KeyContext): string =>
  `phk_${Buffer.from(world.randomBytes(secretBytes)).toString('base64url')}`

/** Makes a key of a text the operator chose (POSTHORN_API_KEY), unless it is there already. A revoked one stays revoked. */
export async function adoptKey(context: KeyContext, wish: KeyWish, text: string): Promise<ApiKey> {
  const held = () => context.store.keys.byHash(hashKey(text))
  const before = await held()
  if (before) return before
  const key = await newKey(context, wish, text)
  try {
    await context.store.keys.insert(key)
    return key
  } catch (error) {
    // Another node that starts at the same time was faster.
    const other = await held()
    if (other) return other
    throw error
  }
}

/** Makes a key where none works; null: there is one. Of nodes that start at once, one makes it. */
export async function createFirstKey(context: KeyContext, wish: KeyWish): Promise<string | null> {
  const works = (await context.store.keys.list(null)).some(({ revokedAt }) => revokedAt === null)
  if (works) return null
  const text = newText(context)
  return (await context.store.keys.insertFirst(await newKey(context, wish, text))) ? text : null
}

/** Keys of one environment, or (null) of all, revoked ones included. */
export const listKeys = ({ store }: KeyContext, environmentId: EnvironmentId | null): Promise<readonly ApiKey[]> =>
  store.keys.list(environmentId)

/** Holds within a second on every running server. Throws Problem `not-found`. */
export async function revokeKey({ store, world }: KeyContext, id: KeyId): Promise<void> {
  if (!(await store.keys.revoke(id, world.now()))) throw new Problem('not-found', `No key '${id}'.`)
}

async function newKey({ store, world, newId }: KeyContext, wish: KeyWish, text: string): Promise<ApiKey> {
  if (wish.scopes.length === 0 || wish.scopes.some((scope) => !scopes.includes(scope))) {
    throw new Problem('request-invalid', `A key needs scopes, out of: ${scopes.join(', ')}.`)
  }
  const now = world.now()
  const environment = await store.environments.ensure({
    id: newId('environment'),
    name: wish.environment,
    settings: usualSettings,
    createdAt: now,
    updatedAt: now,
    revision: 1,
  })
  return {
    id: newId('key'),
    environmentId: environment.id,
    name: wish.name,
    hash: hashKey(text),
    scopes: wish.scopes,
    createdAt: now,
    revokedAt: null,
  }
}
