import type { ApplicationId, EnvironmentId, KeyId, Millis, PortalTokenId } from '../domain/ids.ts'
import { allows, type Scope } from '../domain/key.ts'
import { type Capability, covers } from '../domain/portal.ts'
import { Problem } from '../domain/problem.ts'

/** Who is calling: somebody of the operator's, or a customer of his. */
export type Principal = KeyPrincipal | PortalPrincipal

/** A key, the environment it belongs to, what it may do. */
interface KeyPrincipal {
  readonly kind: 'key'
  readonly environmentId: EnvironmentId
  /** What is counted and remembered for this caller alone. */
  readonly callerId: KeyId
  readonly scopes: readonly Scope[]
}

/** A portal token: sees one application, for a while. */
export interface PortalPrincipal {
  readonly kind: 'portal'
  readonly environmentId: EnvironmentId
  readonly callerId: PortalTokenId
  readonly hash: string
  readonly applicationId: ApplicationId
  readonly capabilities: readonly Capability[]
  readonly featureFlags: readonly string[]
  readonly expiresAt: Millis
}

/** What an operation needs: this scope of a key, this capability of a portal token (null: no token will do). */
export interface Admission {
  readonly scope: Scope
  readonly portal: Capability | null
}

/** Throws Problem `scope-missing` or `capability-missing`. */
export function demand(principal: Principal, { scope, portal }: Admission): void {
  if (principal.kind === 'key') {
    if (allows(principal.scopes, scope)) return
    throw new Problem('scope-missing', `This needs scope '${scope}'; the key has ${principal.scopes.join(', ')}.`)
  }
  if (portal === null) {
    throw new Problem('capability-missing', `No portal token may do this; it needs an API key with scope '${scope}'.`)
  }
  if (!covers(principal.capabilities, portal)) {
    const held = principal.capabilities.join(', ')
    throw new Problem('capability-missing', `This needs capability '${portal}'; the token has ${held}.`)
  }
}

/** By which flags event types are shown to a caller; null: all are. What an operator hides is not told to customers. */
export const flagsOf = (principal: Principal): readonly string[] | null =>
  principal.kind === 'portal' ? principal.featureFlags : null
