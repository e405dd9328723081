import { hash } from 'node:crypto'
import { batchBody } from '../domain/batch-body.ts'
import { forwardedHeaders } from '../domain/forward.ts'
import type { EndpointId, MessageId, Millis } from '../domain/ids.ts'
import type { ReceivedRequest } from '../domain/inbound.ts'
import type { OutgoingRequest } from '../ports/transport.ts'
import type { Sending } from './dispatch.ts'
import type { HotDelivery } from './lane.ts'

/**
 * The signed request of one sending. `batchId` is asked for where it carries a batch: its composition changes from try to
 * try, so the batch has an id of its own, and each message in it keeps the one it has.
 */
export function requestOf(
  { deliveries, destination }: Sending,
  at: Millis,
  userAgent: string,
  batchId: () => string,
): OutgoingRequest {
  const [{ message, attempts }] = deliveries
  if (message.request !== null) return forwarded(message, message.request, attempts, destination, at)
  const batched = destination.control.batchSize > 1
  const id = batched ? batchId() : message.id
  const body = batched ? batchBody(deliveries.map((delivery) => delivery.message)) : message.payload
  const seconds = Math.floor(at / 1000)
  const headers = [
    'content-type',
    batched ? 'application/json' : (message.contentType ?? 'application/json'),
    'user-agent',
    userAgent,
    'webhook-id',
    id,
    'webhook-timestamp',
    `${seconds}`,
    'webhook-signature',
    destination.signerAt(at).sign(id, seconds, body),
    'traceparent',
    traceparent(message.id, destination.id, attempts),
    ...destination.extraHeaders,
  ]
  if (batched) headers.push('webhook-batch', `${deliveries.length}`)
  return { method: 'POST', url: destination.url, headers, body, timeoutMs: destination.control.timeout }
}

/** What a source received, byte for byte, with the headers it came with. */
function forwarded(
  { id, payload, encoding, eventType, applicationId }: HotDelivery['message'],
  request: ReceivedRequest,
  attempts: number,
  destination: Sending['destination'],
  at: Millis,
): OutgoingRequest {
  const body = encoding === 'base64' ? Buffer.from(payload, 'base64') : payload
  const seconds = Math.floor(at / 1000)
  const headers = forwardedHeaders(request, destination.control.forwardSignature, {
    own: [
      ...['posthorn-source', applicationId, 'posthorn-message', id, 'posthorn-event-type', eventType],
      ...[
        'posthorn-verification',
        request.verification.kind,
        'posthorn-received-at',
        new Date(request.receivedAt).toISOString(),
      ],
    ],
    signature: () => [
      'webhook-id',
      id,
      'webhook-timestamp',
      `${seconds}`,
      'webhook-signature',
      destination.signerAt(at).sign(id, seconds, body),
    ],
    trace: () => ['traceparent', traceparent(id, destination.id, attempts)],
    extra: destination.extraHeaders,
  })
  return { method: request.method, url: destination.url, headers, body, timeoutMs: destination.control.timeout }
}

/**
 * W3C Trace Context: one trace for all tries of a message, found again from its id; the parent id tells the try, and at which
 * endpoint. (Level 1, §3.2: 32 and 16 hex digits, neither all zero: a SHA-256 that begins so has not been seen yet.)
 */
function traceparent(messageId: MessageId, endpointId: EndpointId, attempts: number): string {
  const digest = hash('sha256', messageId)
  const span = (Number.parseInt(digest.slice(40, 48), 16) ^ Math.imul(numberOf(endpointId) + attempts, spread)) >>> 0
  return `00-${digest.slice(0, 32)}-${digest.slice(32, 40)}${span.toString(16).padStart(8, '0')}-01`
}

// 2^32 divided by the golden ratio, odd: neighbours come to lie far apart, and no two on the same.
const spread = 0x9e3779b1

/** Of its last six characters, which are random. */
function numberOf(endpointId: EndpointId): number {
  let number = 0
  for (let at = endpointId.length - 6; at < endpointId.length; at++) {
    number = Math.imul(number, 62) + endpointId.charCodeAt(at)
  }
  return number
}
