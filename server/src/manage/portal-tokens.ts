import type { EnvironmentId, Millis } from '../domain/ids.ts'
import { type Capability, longestPortalTokenMs, type PortalToken, portalTokenPrefix } from '../domain/portal.ts'
import { getApplication } from './applications.ts'
import type { ManageContext } from './context.ts'
import { hashKey } from './keys.ts'

export interface PortalTokenWish {
  readonly capabilities: readonly Capability[]
  readonly featureFlags: readonly string[]
  readonly sessionId: string | null
  /** Null: the longest there is, seven days. */
  readonly lifeMs: Millis | null
}

const secretBytes = 32
// Few enough that a commit never waits long behind one step.
const endingStep = 500

/** Makes a token for an application. `text` is the token itself: shown to its owner now, and kept nowhere. Throws `not-found`. */
export async function createPortalToken(
  context: ManageContext,
  environmentId: EnvironmentId,
  application: string,
  { lifeMs, ...wish }: PortalTokenWish,
): Promise<{ readonly token: PortalToken; readonly text: string }> {
  const { id: applicationId } = await getApplication(context, environmentId, application)
  const text = `${portalTokenPrefix}${Buffer.from(context.world.randomBytes(secretBytes)).toString('base64url')}`
  const now = context.world.now()
  const token: PortalToken = {
    ...wish,
    id: context.newId('portalToken'),
    hash: hashKey(text),
    environmentId,
    applicationId,
    createdAt: now,
    expiresAt: now + (lifeMs ?? longestPortalTokenMs),
  }
  await context.store.portalTokens.insert(token)
  return { token, text }
}

/** Ends one token. Holds within a second on every running server. */
export const endPortalToken = ({ store, world }: ManageContext, hash: string): Promise<void> =>
  store.portalTokens.end(hash, world.now())

/**
 * Ends the tokens an application has now, after `graceMs`; only of these sessions, if there are any. Those that end
 * sooner by themselves keep their end. Throws `not-found`.
 */
export async function endPortalTokens(
  context: ManageContext,
  environmentId: EnvironmentId,
  application: string,
  sessionIds: readonly string[],
  graceMs: Millis,
): Promise<void> {
  const { id } = await getApplication(context, environmentId, application)
  const at = context.world.now() + graceMs
  const sessions = sessionIds.length === 0 ? null : sessionIds
  while ((await context.store.portalTokens.endAll(id, sessions, at, endingStep)) === endingStep);
}
