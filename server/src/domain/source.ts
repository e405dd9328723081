import type { Metadata } from './application.ts'
import type { ControlPart } from './control.ts'
import type { EnvironmentId, Millis, SourceId } from './ids.ts'
import type { Preset } from './preset.ts'
import type { SealedText } from './seal.ts'

/** `observe`: requests are checked and marked, never refused. `enforce`: what does not pass is refused. */
export type SourceMode = 'observe' | 'enforce'

/**
 * `paused`: requests are taken, their deliveries wait. `disabled`: requests are turned away, with what `disabledAnswer`
 * says.
 */
type SourceState = 'active' | 'paused' | 'disabled'

/** What the owner has said about a source, beside its secrets. Durations are milliseconds. */
export interface SourceSettings {
  readonly mode: SourceMode
  /** Whether `mode` is the owner's word; if not, it follows from whether anything can be verified. */
  readonly modeSaid: boolean
  readonly state: SourceState
  /** 410 tells many providers to stop for good; 200 takes and drops; 503 asks them to come again. */
  readonly disabledAnswer: 200 | 410 | 503
  /** The URL that is registered at the provider, where it is not the one the server would say. */
  readonly publicUrl: string | null
  /** What the preset asks for beside secrets. */
  readonly values: Readonly<Record<string, string>>
  /** Names of the schemes that count; null: all of the preset. */
  readonly schemes: readonly string[] | null
  /** How old a timestamp may be; null: as the preset says. */
  readonly tolerance: Millis | null
  /** How long an id is remembered; null: as long as the provider may repeat, and at least a day. */
  readonly duplicateWindow: Millis | null
  /** Who may call: networks in CIDR form, and `provider` for those that it publishes; null: anybody. */
  readonly allowedAddresses: readonly string[] | null
  /** JSON Schemas by event type, `*` for all others. */
  readonly schemas: Readonly<Record<string, unknown>> | null
  readonly schemaCheck: 'off' | 'warn' | 'quarantine'
  /** What is answered instead of what the preset says. */
  readonly ack: Preset['ack'] | null
  /** Whether challenges and test calls become messages too. */
  readonly forwardChallenges: boolean
  /** The whole descriptor, where `type` is `custom`. */
  readonly custom: Preset | null
}

/** A key that requests are checked with: shared with the provider, or the provider's public one. */
export interface SourceSecret {
  /** Made by us, so that people can speak of it. */
  readonly id: string
  /** What `chosenBy` of a preset names. */
  readonly name: string | null
  readonly value: string
  /** Passes from then on; null: since ever. */
  readonly from: Millis | null
  /** Passes until then; null: for ever. */
  readonly until: Millis | null
  /** It came with a handshake. */
  readonly captured: boolean
  readonly createdAt: Millis
}

/** A public door for a third party's requests. What passes becomes a message of the application with the same id. */
export interface Source {
  readonly id: SourceId
  readonly environmentId: EnvironmentId
  /** The operator's own name for it, unique among the sources of the environment. */
  readonly uid: string | null
  readonly name: string
  /** The name of a preset, or `custom`. */
  readonly type: string
  readonly settings: SourceSettings
  readonly metadata: Metadata
  readonly control: ControlPart
  readonly throttleRate: number | null
  /** `SourceSecret[]` as JSON, sealed. */
  readonly sealedSecrets: SealedText
  /** The token of its URL, sealed; what is looked up is its hash. */
  readonly sealedToken: SealedText
  readonly createdAt: Millis
  readonly updatedAt: Millis
  readonly revision: number
}

/** What has become of one kind of challenge. */
export interface Handshake {
  readonly name: string
  readonly succeededAt: Millis | null
  readonly failedAt: Millis | null
  /** Why it last failed. */
  readonly failure: string | null
  readonly successes: number
  readonly failures: number
}
