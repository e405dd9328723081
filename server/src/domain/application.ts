import type { ControlPart } from './control.ts'
import type { ApplicationId, EnvironmentId, Millis } from './ids.ts'

export type Metadata = Readonly<Record<string, string>>

/** `operational`: the environment's own, whose messages are operational webhooks. `source`: see `Source`. */
export type ApplicationKind = 'customer' | 'operational' | 'source'

/** One customer of the operator: owns endpoints and messages. Or a source, or, once in an environment, the environment itself. */
export interface Application {
  readonly id: ApplicationId
  readonly environmentId: EnvironmentId
  /** The operator's own name for it, unique in the environment. */
  readonly uid: string | null
  readonly name: string
  /** Deliveries a second to all its endpoints together; null: no limit. */
  readonly throttleRate: number | null
  /** What it says for its endpoints; the rest is inherited. */
  readonly control: ControlPart
  readonly metadata: Metadata
  readonly kind: ApplicationKind
  /** Since when the deliveries of all its endpoints are kept back; null: they are not. */
  readonly pausedAt: Millis | null
  readonly createdAt: Millis
  readonly updatedAt: Millis
  /** Grows by one with each change; a write that names a stale one changes nothing. */
  readonly revision: number
}
