import type { EnvironmentId, KeyId, Millis } from './ids.ts'

/** What a key may do: `admin` everything in its environment; the others one thing each. */
export const scopes = ['admin', 'publish', 'manage', 'read'] as const
export type Scope = (typeof scopes)[number]

/** One API key. The key itself is shown once and never stored; `hash` is SHA-256 of it. */
export interface ApiKey {
  readonly id: KeyId
  readonly environmentId: EnvironmentId
  readonly name: string
  readonly hash: string
  readonly scopes: readonly Scope[]
  readonly createdAt: Millis
  readonly revokedAt: Millis | null
}

/** Whether a key with these scopes may do what needs that one. Managing includes reading. */
export const allows = (held: readonly Scope[], needed: Scope): boolean =>
  held.includes('admin') || held.includes(needed) || (needed === 'read' && held.includes('manage'))
