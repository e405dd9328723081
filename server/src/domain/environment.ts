import type { EnvironmentId, Millis } from './ids.ts'

/** A wall: keys, applications and event types on either side never see each other. */
export interface Environment {
  readonly id: EnvironmentId
  readonly name: string
  readonly createdAt: Millis
}
