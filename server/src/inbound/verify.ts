import type { Verification } from '../domain/inbound.ts'
import type { KeyFetching } from './fetching.ts'
import type { PreparedSource } from './sources.ts'
import type { FetchedKey } from './verdict.ts'
import type { RequestView } from './view.ts'

/**
 * Checks a request with everything that is needed for it, and says of a bad one why. Keys from elsewhere are fetched only
 * when all else was right. Throws Problem `unavailable` where they cannot be had: that is no fault of the request.
 */
export type Verify = (
  prepared: Pick<PreparedSource, 'preset' | 'secrets' | 'source' | 'verifier'>,
  view: RequestView,
) => Promise<Verification>

// A request asks for one key, and once more where the first answer told which.
const mostFetches = 3

export const makeVerify =
  ({ keys }: { readonly keys: Pick<KeyFetching, 'get'> }): Verify =>
  async ({ source, verifier }, view) => {
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
      return { kind: 'refused', reason: verdict.reason, explanation: [verdict.detail] }
    }
  }
