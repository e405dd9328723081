// The hottest code of the API: checked by hand. `MessageIn` of the contract is what the reference prints;
// message-body.test.ts holds the two together.

import { type ApplicationIn, schemas } from '@posthorn/contract'
import type { Millis } from '../../domain/ids.ts'
import { isJson } from '../../domain/is-json.ts'
import { momentOf } from '../../domain/moment.ts'
import { slicePayload } from '../../domain/payload.ts'
import type { Fault } from '../../domain/problem.ts'
import { uidFault } from '../../domain/uid.ts'
import type { NewFact } from '../../engine/plan.ts'
import { checkOf, invalid } from '../input.ts'
import { parseJson, textFault } from '../json.ts'

const eventTypeShape = /^(?!\.{1,2}$)[a-zA-Z0-9\-_./]{1,256}$/
const channelShape = /^[a-zA-Z0-9\-_.:]{1,128}$/
const contentTypeShape = /^[\x21-\x7e][\x20-\x7e]{0,255}$/
const mostLabels = 10
const longestTag = 128

const longestOrderingKey = 256
const hourMs: Millis = 3_600_000
const latestMs: Millis = Date.UTC(9000, 0, 1)

const applicationFaults = checkOf(schemas.ApplicationIn)

export interface NewMessageBody {
  readonly fact: NewFact
  readonly application: ApplicationIn | null
}

/** Reads the body of a publish call. Throws `body-malformed` or, with every fault at once, `request-invalid`. */
export function readMessage(text: string): NewMessageBody {
  const body = parseJson(text)
  if (!isRecord(body)) throw invalid([{ pointer: '', message: 'must be object' }])
  const faults: Fault[] = []
  const { eventType, eventId = null, channels = null, tags = null, application = null } = body

  if (eventType === undefined) faults.push({ pointer: '/eventType', message: 'is required' })
  else if (typeof eventType !== 'string' || !eventTypeShape.test(eventType)) {
    faults.push({ pointer: '/eventType', message: `must be a string that matches ${eventTypeShape.source}` })
  }
  if (eventId !== null) {
    const fault =
      typeof eventId === 'string'
        ? uidFault(eventId, '/eventId')
        : { pointer: '/eventId', message: 'must be string or null' }
    if (fault) faults.push(fault)
  }
  if (channels !== null) {
    checkLabels(channels, '/channels', faults, (label) =>
      channelShape.test(label) ? null : `must match ${channelShape.source}`,
    )
  }
  if (tags !== null) {
    checkLabels(tags, '/tags', faults, (label) =>
      label.length < 1 || label.length > longestTag
        ? `must be 1 to ${longestTag} characters`
        : (textFault(label, '')?.message ?? null),
    )
  }
  if (application !== null) faults.push(...applicationFaults(application, '/application'))
  const schedule = readSchedule(body, faults)
  const keepPayload = readKeepPayload(body, faults)
  const content = readContent(text, body, faults)
  if (faults.length > 0 || content === null) throw invalid(faults)
  return {
    fact: {
      eventType: eventType as string,
      eventId: eventId as string | null,
      channels: labelsOf(channels),
      tags: labelsOf(tags),
      ...content,
      ...schedule,
      keepPayload,
    },
    application: application as ApplicationIn | null,
  }
}

/** When, until when, and after whom it is to be delivered. */
function readSchedule(
  body: Readonly<Record<string, unknown>>,
  faults: Fault[],
): Pick<NewFact, 'orderingKey' | 'deliverAt' | 'expiresAt'> {
  const { orderingKey = null } = body
  const [deliverAt, expiresAt] = [readTime(body, 'deliverAt', faults), readTime(body, 'expiresAt', faults)]
  if (orderingKey !== null) {
    const fault =
      typeof orderingKey !== 'string' || orderingKey.length < 1 || orderingKey.length > longestOrderingKey
        ? { pointer: '/orderingKey', message: `must be a string of 1 to ${longestOrderingKey} characters, or null` }
        : textFault(orderingKey, '/orderingKey')
    if (fault) faults.push(fault)
    if (deliverAt !== null) {
      faults.push({ pointer: '/deliverAt', message: 'must not stand beside orderingKey: it would leave the order' })
    }
  }
  if (expiresAt !== null && deliverAt !== null && expiresAt <= deliverAt) {
    faults.push({ pointer: '/expiresAt', message: 'must be later than deliverAt' })
  }
  return { orderingKey: orderingKey as string | null, deliverAt, expiresAt }
}

function readTime(body: Readonly<Record<string, unknown>>, name: string, faults: Fault[]): Millis | null {
  const value = body[name] ?? null
  if (value === null) return null
  const at = typeof value === 'string' ? momentOf(value) : Number.NaN
  // The year 9999 is where what has no due time at all is kept.
  if (Number.isFinite(at) && at < latestMs) return at
  faults.push({ pointer: `/${name}`, message: 'must be an RFC 3339 time before the year 9000, or null' })
  return null
}

/** In days or in hours, but not in both. */
function readKeepPayload(body: Readonly<Record<string, unknown>>, faults: Fault[]): Millis | undefined {
  const { payloadRetentionPeriod: days = null, payloadRetentionHours: hours = null } = body
  if (days !== null && hours !== null) {
    faults.push({ pointer: '/payloadRetentionHours', message: 'must not stand beside payloadRetentionPeriod' })
  }
  return (
    readSpan(days, '/payloadRetentionPeriod', 3_650, 24 * hourMs, faults) ??
    readSpan(hours, '/payloadRetentionHours', 3_650 * 24, hourMs, faults)
  )
}

function readSpan(value: unknown, pointer: string, most: number, unit: Millis, faults: Fault[]): Millis | undefined {
  if (value === null) return undefined
  if (typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= most) return value * unit
  faults.push({ pointer, message: `must be a whole number from 1 to ${most}, or null` })
  return undefined
}

type Content = Pick<NewFact, 'payload' | 'contentType'>

/** The bytes to send: the span of `payload` as it is spelled, or the raw text that stands in its place. */
function readContent(text: string, body: Readonly<Record<string, unknown>>, faults: Fault[]): Content | null {
  const params = body.transformationsParams ?? null
  if (params !== null && !isRecord(params)) {
    faults.push({ pointer: '/transformationsParams', message: 'must be object or null' })
    return null
  }
  const contentType = readContentType(params?.headers ?? null, faults)
  const raw = params?.rawPayload ?? null
  if (raw !== null) {
    const at = '/transformationsParams/rawPayload'
    const fault = typeof raw === 'string' ? textFault(raw, at) : { pointer: at, message: 'must be string' }
    if (fault) faults.push(fault)
    // No content type means: known to be JSON. Any other text carries one, so that it is never taken for JSON.
    return typeof raw === 'string'
      ? { payload: raw, contentType: contentType ?? (isJson(raw) ? null : 'application/json') }
      : null
  }
  if (body.payload === undefined) {
    faults.push({ pointer: '/payload', message: 'is required' })
    return null
  }
  const span = isRecord(body.payload) ? slicePayload(text) : null
  if (!span) {
    faults.push({ pointer: '/payload', message: 'must be object' })
    return null
  }
  return { payload: text.slice(span.start, span.end), contentType }
}

function readContentType(headers: unknown, faults: Fault[]): string | null {
  const at = '/transformationsParams/headers'
  if (headers === null) return null
  if (!isRecord(headers)) {
    faults.push({ pointer: at, message: 'must be object' })
    return null
  }
  let contentType: string | null = null
  for (const [name, value] of Object.entries(headers)) {
    if (name.toLowerCase() !== 'content-type') {
      faults.push({ pointer: at, message: 'can only set content-type; other headers belong to the endpoint' })
    } else if (typeof value === 'string' && contentTypeShape.test(value)) contentType = value
    else faults.push({ pointer: `${at}/${name}`, message: 'must be a media type in visible ASCII' })
  }
  return contentType
}

function checkLabels(
  labels: unknown,
  pointer: string,
  faults: Fault[],
  faultOf: (label: string) => string | null,
): void {
  if (!Array.isArray(labels)) {
    faults.push({ pointer, message: 'must be array or null' })
    return
  }
  if (labels.length > mostLabels) {
    faults.push({ pointer, message: `must not have more than ${mostLabels} items` })
    return
  }
  for (const [at, label] of labels.entries()) {
    const message = typeof label === 'string' ? faultOf(label) : 'must be string'
    if (message !== null) faults.push({ pointer: `${pointer}/${at}`, message })
  }
}

/** None at all is what no labels are. */
const labelsOf = (labels: unknown): readonly string[] | null =>
  Array.isArray(labels) && labels.length > 0 ? (labels as string[]) : null

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
