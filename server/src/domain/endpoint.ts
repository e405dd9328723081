import type { Metadata } from './application.ts'
import type { ControlPart } from './control.ts'
import type { ApplicationId, EndpointId, Millis } from './ids.ts'
import type { SealedText } from './seal.ts'

/** Why an endpoint gets nothing: its owner said so, its receiver answered 410, or it did nothing but fail for too long. */
export type DisabledBecause = 'owner' | 'gone' | 'failing'

/** One subscriber's wish. */
export interface Endpoint {
  readonly id: EndpointId
  readonly applicationId: ApplicationId
  readonly uid: string | null
  readonly url: string
  readonly description: string
  /** Null: all. `invoice.*` names all whose name begins with `invoice.`. */
  readonly eventTypes: readonly string[] | null
  /** Null: all. */
  readonly channels: readonly string[] | null
  /** A CEL expression that must be true of a message; null: none. */
  readonly filter: string | null
  readonly metadata: Metadata
  /** Deliveries a second; null: as its environment says. */
  readonly throttleRate: number | null
  /** What it says for itself; the rest is inherited. */
  readonly control: ControlPart
  readonly disabledBecause: DisabledBecause | null
  /** Since when every attempt failed; null: the last one did not. */
  readonly failingSince: Millis | null
  /** Since when its deliveries are kept back by its owner; null: they are not. */
  readonly pausedAt: Millis | null
  /** Since when the breaker holds its deliveries; null: it is closed. */
  readonly breakerOpenedAt: Millis | null
  /** `EndpointSecrets` as JSON, sealed. */
  readonly sealedSecrets: SealedText
  /** The owner's extra headers (`Record<string, string>`) as JSON, sealed: they often carry credentials. */
  readonly sealedHeaders: SealedText
  readonly createdAt: Millis
  readonly updatedAt: Millis
  readonly revision: number
}

/** What it says for itself about its deliveries, its rate included. */
export const ownControl = ({ control, throttleRate }: Pick<Endpoint, 'control' | 'throttleRate'>): ControlPart =>
  throttleRate === null ? control : { ...control, throttleRate }
