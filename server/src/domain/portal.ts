import type { EventType } from './event-type.ts'
import type { ApplicationId, EnvironmentId, Millis, PortalTokenId } from './ids.ts'

/** What the holder of a portal token may do. */
export const capabilities = [
  'ViewBase',
  'ViewEndpointSecret',
  'ManageEndpointSecret',
  'ManageTransformations',
  'CreateAttempts',
  'ManageEndpoint',
] as const
export type Capability = (typeof capabilities)[number]

/** What each one includes besides itself; `ViewBase` is part of all. */
const included: Readonly<Record<Capability, readonly Capability[]>> = {
  ViewBase: [],
  ViewEndpointSecret: [],
  ManageEndpointSecret: ['ViewEndpointSecret'],
  // Not sending, and not code that runs with us: who may say where messages go may not therefore make them.
  ManageEndpoint: ['ManageEndpointSecret', 'ViewEndpointSecret'],
  ManageTransformations: [],
  CreateAttempts: [],
}

/** Lets a customer of the operator at one application, for a while. The token itself is shown once and never stored. */
export interface PortalToken {
  readonly id: PortalTokenId
  /** SHA-256 of the token, hex. */
  readonly hash: string
  readonly environmentId: EnvironmentId
  readonly applicationId: ApplicationId
  readonly capabilities: readonly Capability[]
  readonly featureFlags: readonly string[]
  /** The operator's own name for what it was made for. */
  readonly sessionId: string | null
  readonly createdAt: Millis
  readonly expiresAt: Millis
}

/** What portal tokens begin with, so that people and secret scanners know one when they see it. */
export const portalTokenPrefix = 'phapp_'

const hourMs = 3_600_000
export const longestPortalTokenMs: Millis = 7 * 24 * hourMs

/** The capabilities of a new token: those asked for (null: all), and what every token has. */
export const capabilitiesOf = (asked: readonly Capability[] | null, readOnly: boolean): readonly Capability[] =>
  capabilities.filter((one) => one === 'ViewBase' || (!readOnly && (asked === null || asked.includes(one))))

/** Whether a token with these capabilities may do what needs that one. */
export const covers = (held: readonly Capability[], needed: Capability): boolean =>
  held.some((one) => one === needed || included[one].includes(needed))

/** Whether an event type is shown to whoever has these feature flags. */
export const shownWith = (flags: readonly string[], { featureFlags }: Pick<EventType, 'featureFlags'>): boolean =>
  featureFlags === null || featureFlags.length === 0 || featureFlags.some((flag) => flags.includes(flag))
