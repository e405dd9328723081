import type { EnvironmentId, Millis } from './ids.ts'

/** `invoice.paid`: what the operator declares about one kind of message. */
export interface EventType {
  readonly environmentId: EnvironmentId
  readonly name: string
  readonly description: string
  readonly archived: boolean
  readonly deprecated: boolean
  /** JSON Schemas by version, as given. */
  readonly schemas: Readonly<Record<string, unknown>> | null
  readonly groupName: string | null
  readonly featureFlags: readonly string[] | null
  readonly createdAt: Millis
  readonly updatedAt: Millis
  readonly revision: number
}
