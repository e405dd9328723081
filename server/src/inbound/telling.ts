import type { Verification } from '../domain/inbound.ts'
import { keptText } from '../domain/kept-text.ts'
import type { PayloadText } from '../domain/payload-text.ts'
import type { Preset, Ref } from '../domain/preset.ts'
import type { Source } from '../domain/source.ts'
import type { Take } from '../engine/accept.ts'
import { duplicateKeyOf, eventTypeOf, orderingKeyOf, type Told } from './facts.ts'
import type { RequestView } from './reading/view.ts'
import type { PreparedSource } from './sources.ts'

/** Makes a request the message of its source; resolves, when it is on disk, to whether it was there before. */
export type Tell = (
  prepared: Pick<PreparedSource, 'source' | 'preset' | 'values'>,
  view: RequestView,
  text: PayloadText,
  verification: Verification,
  /** What makes it the same as another where its preset finds nothing that does. */
  otherwise?: string,
) => Promise<'stored' | 'duplicate'>

// Whatever a provider says of its retries: people press buttons there.
const shortestWindowMs = 24 * 60 * 60_000

/** How long what makes two requests the same is remembered. */
const duplicateWindowOf = (source: Pick<Source, 'settings'>, preset: Pick<Preset, 'retryWindow'>): number =>
  source.settings.duplicateWindow ?? Math.max(shortestWindowMs, preset.retryWindow * 1000)

const shownAt = (ref: Ref | undefined, { view, values }: Told): string | null => {
  const [text] = ref ? view.valuesAt(ref, values) : []
  return text === undefined ? null : keptText(text)
}

export const makeTell =
  (take: Take): Tell =>
  async ({ source, preset, values }, view, { payload, encoding }, verification, otherwise) => {
    const { body: _, ...beside } = view.request
    const told = { view, values }
    const { number, reason } = preset.retry ?? {}
    const { kind } = await take(source.environmentId, source.id, {
      eventType: eventTypeOf(preset, told),
      eventId: duplicateKeyOf(preset, told, verification) ?? otherwise ?? null,
      orderingKey: orderingKeyOf(preset, told),
      channels: null,
      tags: null,
      contentType: view.header('content-type')[0] ?? null,
      payload,
      received: {
        request: { ...beside, verification },
        encoding,
        asDuplicate: {
          ...{ receivedAt: beside.receivedAt, peer: beside.client },
          ...{ retryNumber: shownAt(number, told), retryReason: shownAt(reason, told) },
        },
        duplicateWindow: duplicateWindowOf(source, preset),
      },
    })
    return kind
  }
