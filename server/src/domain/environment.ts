import type { ControlPart } from './control.ts'
import type { EnvironmentId, Millis } from './ids.ts'

/** Whether payloads are checked against the schema of their event type: not at all, noted where they do not fit, refused. */
export type SchemaValidation = 'off' | 'warn' | 'reject'

/** What an environment says for all its applications. */
export interface EnvironmentSettings {
  readonly control: ControlPart
  readonly schemaValidation: SchemaValidation
  /** Messages of event types that are not declared, or are archived, are refused. */
  readonly strictEventTypes: boolean
}

export const usualSettings: EnvironmentSettings = { control: {}, schemaValidation: 'off', strictEventTypes: false }

/** A wall: keys, applications and event types on either side never see each other. */
export interface Environment {
  readonly id: EnvironmentId
  readonly name: string
  readonly settings: EnvironmentSettings
  readonly createdAt: Millis
  readonly updatedAt: Millis
  readonly revision: number
}
