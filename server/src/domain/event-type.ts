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

/** The schema of the latest version: the highest where versions are numbers, else the last by name. Undefined: it has none. */
export function latestSchema({ schemas }: Pick<EventType, 'schemas'>): unknown {
  const versions = Object.keys(schemas ?? {})
  const [latest] = versions.toSorted((a, b) => b.localeCompare(a, 'en', { numeric: true }))
  return latest === undefined ? undefined : schemas?.[latest]
}
