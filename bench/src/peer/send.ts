import { Webhook } from 'standardwebhooks'
import { Pool } from 'undici'
import type { Job } from './door.ts'

const timeoutMs = 15_000

/** Of all peers alike, and of the gateway: after how long it is tried again, up to 20 % more or less. */
export const retryDelaysMs: readonly number[] = [5, 300, 1_800, 7_200, 18_000, 36_000, 36_000].map((s) => s * 1000)

/** Requests under way at once: what the gateway allows an endpoint. */
export const inFlight = 64

/** Signs by the official library and posts. Throws when the receiver does not answer 2xx in time. */
export function makeSender(url: string): (job: Job) => Promise<void> {
  const { origin, pathname: path } = new URL(url)
  const pool = new Pool(origin, {
    connections: inFlight,
    pipelining: 1,
    headersTimeout: timeoutMs,
    bodyTimeout: timeoutMs,
  })
  const webhook = new Webhook(Buffer.alloc(24, 7).toString('base64'))
  return async ({ id, payload }) => {
    const body = JSON.stringify(payload)
    const at = new Date()
    const headers = {
      'content-type': 'application/json',
      'webhook-id': id,
      'webhook-timestamp': Math.floor(at.getTime() / 1000).toString(),
      'webhook-signature': webhook.sign(id, at, body),
    }
    const answer = await pool.request({ path, method: 'POST', headers, body })
    await answer.body.dump()
    if (answer.statusCode < 200 || answer.statusCode > 299) throw new Error(`answered ${answer.statusCode}`)
  }
}
