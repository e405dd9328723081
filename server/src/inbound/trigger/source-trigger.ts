import { nearest } from '../../domain/nearest.ts'
import type { Source } from '../../domain/source.ts'
import { currentSecrets } from '../../domain/source-secret.ts'
import type { World } from '../../ports/world.ts'
import type { PresetBook } from '../presets.ts'
import { recordedRequests } from '../recorded.ts'
import type { Sources } from '../sources.ts'
import type { OutgoingRequest } from './place.ts'
import { findTriggerable, type TriggerKind, trigger, triggerable, triggerName } from './trigger.ts'

interface SourceTriggerAsk {
  /** Whose recorded request it is made from; null: as the type of the source says. */
  readonly provider: string | null
  readonly event: string
  readonly kind: TriggerKind
  /** See `SigningKeys`. */
  readonly privateKey: string | null
}

type SourceTriggered =
  | {
      readonly kind: 'made'
      readonly provider: string
      readonly event: string
      readonly schemes: readonly string[]
      readonly request: OutgoingRequest
    }
  | { readonly kind: 'unknown-provider'; readonly provider: string; readonly meant: string | null }
  | { readonly kind: 'unknown-event'; readonly provider: string; readonly events: readonly string[] }
  | { readonly kind: 'not-signable'; readonly because: string }

/**
 * Makes a request as the provider of a source would send it, with the source's own secret. Only what is recorded is
 * signed: whoever may ask this does not know the secret, and must not have his own words signed with it.
 */
export type TriggerSource = (source: Source, ask: SourceTriggerAsk) => SourceTriggered

export const makeTriggerSource =
  (
    sources: Pick<Sources, 'prepared'>,
    presets: PresetBook,
    { now: clock, randomBytes }: Pick<World, 'now' | 'randomBytes'>,
  ): TriggerSource =>
  (source, { provider: asked, event, kind, privateKey }) => {
    const provider = asked ?? source.type
    if (presets.get(provider) === null) {
      const names = presets.all().map(({ name }) => name)
      return { kind: 'unknown-provider', provider, meant: nearest(provider, names) }
    }
    const requests = recordedRequests(provider)
    const recorded = findTriggerable(requests, event)
    if (recorded === null) return { kind: 'unknown-event', provider, events: triggerable(requests).map(triggerName) }

    const now = clock()
    const { preset, secrets, values, publicUrl } = sources.prepared(source)
    const signed = trigger({
      ...{ preset, recorded, kind, publicUrl, now, randomBytes },
      ...{ schemes: source.settings.schemes, tolerance: source.settings.tolerance, settings: values },
      keys: { secrets: currentSecrets(secrets, now), privateKey },
    })
    if (signed.kind === 'not-signable') return signed
    return { kind: 'made', provider, event: triggerName(recorded), schemes: signed.schemes, request: signed.request }
  }
