import { UsageError } from '../command.ts'
import type { ReadyRequest } from './send.ts'

export interface TriggerQuestion {
  readonly server: string
  readonly key: string
  readonly source: string
  readonly provider: string
  readonly event: string
  readonly kind: string
  readonly privateKey: string | null
}

/** Has the server make a request with the secret of a source. Throws UsageError with what it says where it does not. */
export async function askSource({ server, key, source, ...wish }: TriggerQuestion): Promise<ReadyRequest> {
  const url = `${server}/ingest/api/v1/source/${encodeURIComponent(source)}/trigger`
  const answer = await fetch(url, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify(wish),
  }).catch(() => null)
  if (answer === null)
    throw new UsageError(`there is no Posthorn at ${server}: is it running? --server says where it is`)
  const said: unknown = await answer.json().catch(() => null)
  if (!answer.ok) throw new UsageError(refusalIn(said) ?? `${server} answered ${answer.status}`)
  const made = requestIn(said)
  if (made === null) throw new UsageError(`what ${server} answered is no request: is it a Posthorn of this version?`)
  return made
}

function refusalIn(said: unknown): string | null {
  if (typeof said !== 'object' || said === null || !('detail' in said) || typeof said.detail !== 'string') return null
  return said.detail.replace(/^\//, '')
}

function requestIn(said: unknown): ReadyRequest | null {
  if (typeof said !== 'object' || said === null || !('request' in said)) return null
  const { request } = said
  if (typeof request !== 'object' || request === null || !('headers' in request) || !('body' in request)) return null
  if (!('method' in request) || !('url' in request) || !('bodyBase64' in request)) return null
  const { method, url, headers, body, bodyBase64 } = request
  if (typeof method !== 'string' || typeof url !== 'string' || !Array.isArray(headers)) return null
  return {
    ...{ method, url, headers: headers.map(([name, value]) => [String(name), String(value)]) },
    body: typeof body === 'string' ? Buffer.from(body) : Buffer.from(String(bodyBase64 ?? ''), 'base64'),
  }
}
