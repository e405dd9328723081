// VERIFY: whether a request is the provider's, by descriptor, secrets and the time of receipt alone: scheme.ts is the check,
// primitives/ what it is made of. Keys that stand elsewhere are fetched only here (fetching.ts), after all else was right.

import { spend } from '../../domain/allowance.ts'
import type { Millis, SourceId } from '../../domain/ids.ts'
import type { Verification } from '../../domain/inbound.ts'
import type { World } from '../../ports/world.ts'
import type { PresetBook } from '../presets.ts'
import type { RequestView } from '../reading/view.ts'
import type { PreparedSource } from '../sources.ts'
import { explain, type SignatureHeaders, signatureHeaders } from './explain.ts'
import type { KeyFetching } from './fetching.ts'
import type { FetchedKey } from './verdict.ts'

/**
 * Checks a request with everything that is needed for it, and says of a bad one why; `briefly`: only what was found, for
 * whom the rest is of no use. Keys from elsewhere are fetched only when all else was right. Throws Problem `unavailable`
 * where they cannot be had: that is no fault of the request.
 */
export type Verify = (
  prepared: Pick<PreparedSource, 'preset' | 'secrets' | 'source' | 'verifier'>,
  view: RequestView,
  told?: 'briefly',
) => Promise<Verification>

export interface VerifyParts {
  readonly keys: Pick<KeyFetching, 'get'>
  readonly presets: Pick<PresetBook, 'all'>
  readonly world: Pick<World, 'now'>
}

// A request asks for one key, and once more where the first answer told which.
const mostFetches = 3

// An explanation takes up to some milliseconds, and anybody can send what is refused. Nobody reads more of them.
const explainedPerSecond = 5
const mostSources = 1_000

export function makeVerify({ keys, presets, world }: VerifyParts): Verify {
  const usedUpAt = new Map<SourceId, Millis>()
  let others: SignatureHeaders | undefined

  function mayExplain(id: SourceId): boolean {
    const spent = spend(usedUpAt.get(id) ?? 0, world.now(), explainedPerSecond)
    if (spent.kind === 'refused') return false
    usedUpAt.delete(id)
    usedUpAt.set(id, spent.usedUpAt)
    for (const oldest of usedUpAt.keys()) {
      if (usedUpAt.size <= mostSources) break
      usedUpAt.delete(oldest)
    }
    return true
  }

  return async ({ source, preset, secrets, verifier }, view, told) => {
    const now = view.request.receivedAt
    const fetched = new Map<string, FetchedKey>()
    for (;;) {
      const verdict = verifier.verify(view, now, fetched)
      if (verdict.kind === 'needs') {
        if (fetched.size === mostFetches) throw new Error(`${source.id} wants more keys than any request names`)
        fetched.set(verdict.wanted.url, await keys.get(verdict.wanted))
        continue
      }
      if (verdict.kind !== 'refused') return verdict
      const { reason, detail } = verdict
      if (told === 'briefly' || !mayExplain(source.id)) return { kind: 'refused', reason, explanation: [detail] }
      others ??= signatureHeaders(presets.all())
      const { settings } = source
      const explanation = explain({ preset, secrets, settings, view, now, verdict, fetched, others })
      return { kind: 'refused', reason, explanation }
    }
  }
}
