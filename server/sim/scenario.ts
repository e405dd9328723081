import type { ControlPart } from '../src/domain/control.ts'
import type { ApplicationId, EndpointId, EnvironmentId, Millis } from '../src/domain/ids.ts'

// What one seed comes to, as data: so that it can be made smaller and run again.

/** How a receiver answers, from a moment on. */
export interface Spell {
  readonly from: Millis
  readonly mood: Mood
}

export type Mood = 'ok' | 'slow' | 'hangs' | 'resets' | 'busy' | 'failing' | 'flapping' | 'gone'

export interface EndpointPlan {
  readonly id: EndpointId
  readonly applicationId: ApplicationId
  readonly control: ControlPart
  readonly throttleRate: number | null
  readonly spells: readonly Spell[]
  /** Of ten messages, so many are never taken by it before all is calm. */
  readonly poisoned: number
}

/** What goes wrong with the store for a while. */
export interface Weather {
  readonly from: Millis
  readonly until: Millis
  readonly kind: 'commits-fail' | 'answers-lost' | 'slow' | 'claims-fail' | 'away'
  /** Null: for all nodes. */
  readonly node: number | null
}

export type Step = { readonly at: Millis; readonly node: number } & Deed

export type Deed =
  | {
      readonly kind: 'publish'
      readonly application: number
      readonly count: number
      /** In one call. */
      readonly together: boolean
      readonly orderingKey: string | null
      /** Published under a name of its own, and once more when it was not accepted. */
      readonly named: boolean
      readonly deliverAfter: Millis | null
      readonly expiresAfter: Millis | null
    }
  /** `nth`: of all that was published. */
  | { readonly kind: 'cancel'; readonly nth: number }
  | { readonly kind: 'resend'; readonly nth: number; readonly endpoint: number }
  | { readonly kind: 'pause' | 'resume' | 'disable' | 'enable'; readonly endpoint: number }
  | { readonly kind: 'rate'; readonly endpoint: number; readonly perSecond: number | null }
  | { readonly kind: 'crash' | 'stop' | 'restart' }
  | { readonly kind: 'sleep'; readonly ms: Millis }
  | { readonly kind: 'clock'; readonly ms: Millis }

export interface Scenario {
  readonly seed: number
  /** Several nodes may share the store; else it is one node's alone. */
  readonly fleet: boolean
  readonly nodes: number
  /** By how much each node's clock is ahead of the store's. */
  readonly clocks: readonly Millis[]
  readonly leaseMs: Millis
  readonly endpointInFlight: number
  readonly globalInFlight: number
  readonly hotDeliveries: number
  readonly claim: { readonly visits: number; readonly deliveries: number }
  readonly commitsInFlight: number
  /** Of each application, over all its endpoints; null: none. */
  readonly applicationRates: readonly (number | null)[]
  readonly endpoints: readonly EndpointPlan[]
  readonly weather: readonly Weather[]
  readonly steps: readonly Step[]
  /** From then on nothing goes wrong any more, and what people stopped they let go again. */
  readonly calmAt: Millis
}

const digits = (number: number): string => `${number}`.padStart(27, '0')

export const environmentId: EnvironmentId = `env_${digits(1)}`
export const applicationIdOf = (number: number): ApplicationId => `app_${digits(number)}`
export const endpointIdOf = (number: number): EndpointId => `ep_${digits(number)}`
export const urlOf = (endpointId: EndpointId): string => `https://receiver.example/${endpointId}`
