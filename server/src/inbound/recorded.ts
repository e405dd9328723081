// Requests of providers as they arrive, kept beside their presets: what the tests check, `posthorn presets test` shows and
// `posthorn trigger` begins with. Read only by those; the door knows nothing of them.

import { existsSync, readFileSync } from 'node:fs'
import type { InboundRequest, RefusalReason, Verification } from '../domain/inbound.ts'
import { readKeySet } from './verify/key-set.ts'
import type { FetchedKeys } from './verify/verdict.ts'

/**
 * `published`: input and signature stand in a public document or test. `derived`: made from published input by the
 * documented rule, by others. `made`: by the documented rule, with data of our own. The last two prove agreement on the
 * rule only.
 */
type Origin = 'published' | 'derived' | 'made'

/** What the gateway should answer to a challenge. Header names in any case; a body that is left out is not compared. */
interface RecordedAnswer {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

export interface RecordedRequest {
  /** Unique in its file. */
  readonly name: string
  /** The page, or the test with its commit; or `made by the documented rule`. */
  readonly source: string
  readonly origin: Origin
  /** The event type that it tells; null where the preset finds none in it. */
  readonly event: string | null
  readonly method: string
  /** What stands behind the source's own URL: rest of the path and query, as they are spelled. Usually nothing. */
  readonly url?: string
  readonly headers: readonly (readonly [name: string, value: string])[]
  /** One of the two; neither: it is empty. */
  readonly body?: string
  readonly bodyBase64?: string
  readonly secrets: readonly { readonly name?: string; readonly value: string }[]
  readonly settings?: Readonly<Record<string, string>>
  /** The source's URL as the provider knows it, for what signs it. */
  readonly publicUrl?: string
  /** What stands at the URLs from which keys would be fetched for it: key sets (RFC 7517). */
  readonly served?: Readonly<Record<string, { readonly keys: readonly unknown[] }>>
  /** When it arrives, Unix seconds. */
  readonly clock: number
  /** `challenge`: one of the preset's, and answered with `answer`; its signature is right where the preset asks for one. */
  readonly expect: 'verified' | 'refused' | 'unverified' | 'challenge'
  /** Why it is refused, or cannot be verified. */
  readonly reason?: RefusalReason | Extract<Verification, { kind: 'unverified' }>['because']
  /** Of a challenge; what is left out is not compared. */
  readonly answer?: RecordedAnswer
  /** What there is to learn from it. */
  readonly note?: string
}

/** The recorded requests of a preset; none where it has no file. */
export function recordedRequests(preset: string): readonly RecordedRequest[] {
  const file = new URL(`./presets/${preset}.requests.json`, import.meta.url)
  if (!existsSync(file)) return []
  // Our own files: recorded.test.ts.
  return (JSON.parse(readFileSync(file, 'utf8')) as { readonly requests: readonly RecordedRequest[] }).requests
}

export const recordedBody = ({ body, bodyBase64 }: RecordedRequest): Uint8Array =>
  bodyBase64 === undefined ? Buffer.from(body ?? '', 'utf8') : Buffer.from(bodyBase64, 'base64')

/** What would have been fetched for it, so that nothing has to be. */
export const recordedKeys = ({ served = {} }: RecordedRequest): FetchedKeys =>
  new Map(
    Object.entries(served).map(([url, set]) => [url, { as: 'jwks', keys: readKeySet(JSON.stringify(set)) ?? [] }]),
  )

/** The request as it stands at a door whose URL ends with `path`, for example `/in/token`. */
export const recordedInbound = (recorded: RecordedRequest, path: string): InboundRequest => ({
  method: recorded.method,
  target: `${path}${recorded.url ?? ''}`,
  headers: recorded.headers.flat(),
  peer: '192.0.2.1',
  client: '192.0.2.1',
  body: recordedBody(recorded),
  receivedAt: recorded.clock * 1000,
})
