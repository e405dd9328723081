import { type Operation, type OperationId, operations } from '@posthorn/contract'
import { faultsOfAnswer } from '../support/contract-check.ts'
import type { Weight } from './gateway.ts'
import type { FuzzRequest } from './request.ts'
import type { Heard, WireAnswer } from './wire.ts'

/** A request to the public door, of which the document says nothing. */
export const doorOperation = 'door'

const all: Readonly<Record<string, Operation>> = operations satisfies Record<OperationId, Operation>

// Refusals that come before anybody looks at what a request is about: no operation has to say them of itself.
const refusedByHttp: ReadonlySet<number> = new Set([400, 404, 405, 408, 413, 414, 415, 417, 431, 501])
// Said of a store or a server that cannot take more; a request alone must not bring it about, so they are counted.
const unavailable: ReadonlySet<string> = new Set(['unavailable', 'content-held'])

/** What is wrong with what came back. */
export function faultsOf(request: FuzzRequest, heard: Heard): readonly string[] {
  const touchesHttp = request.twists.some(({ layer }) => layer === 'http' || layer === 'path')
  switch (heard.kind) {
    case 'silent':
      return ['there was no answer']
    case 'garbled':
      return [`what came back is no answer: ${heard.text}`]
    case 'closed':
      return touchesHttp ? [] : ['the connection was closed without an answer']
    case 'answer':
      return faultsOfWhole(request, heard.answer, touchesHttp)
  }
}

function faultsOfWhole(request: FuzzRequest, answer: WireAnswer, touchesHttp: boolean): readonly string[] {
  const { status, body } = answer
  const { code, incident } = read(body)
  if (incident !== undefined) return [`a defect: ${status} ${body.slice(0, 500)}`]
  // At the door the owner of a source says with which status it answers, which may be any.
  if (request.operationId === doorOperation) return code === 'internal' ? [`${status} ${body.slice(0, 500)}`] : []
  if (status >= 500 && !allowed5xx(status, code)) return [`${status} ${body.slice(0, 500)}`]
  const reply = { statusCode: status, getHeader: (name: string) => answer.headers.get(name.toLowerCase()) }
  // Where it ended up nobody can tell; what is refused there is a problem all the same.
  if (touchesHttp && status < 400) return []
  const operation = touchesHttp && refusedByHttp.has(status) ? null : (all[request.operationId] ?? null)
  const faults = faultsOfAnswer(operation, request.method, reply, body)
  return faults.map((fault) => `${status}: ${fault} in ${body.slice(0, 300)}`)
}

const allowed5xx = (status: number, code: unknown): boolean =>
  (status === 503 && unavailable.has(String(code))) ||
  (status === 501 && (code === 'transfer-coding-unsupported' || code === 'not-built'))

function read(body: string): Readonly<Record<string, unknown>> {
  try {
    return Object(JSON.parse(body))
  } catch {
    return {}
  }
}

/** How long an answer took, and what went on meanwhile. */
export interface Wait {
  readonly ms: number
  /** Of the gateway's threads. */
  readonly cpuMs: number
  /** Of those threads, ready to run and without a processor. */
  readonly starvedMs: number
  /** How long each of the cheap requests took that were sent beside it, one after the other. */
  readonly besideMs: readonly number[]
}

const longestMs = 1_000
// A cheap request takes 1 to 2 ms where nothing is in its way.
const quickMs = 100
const never = 20_000

/**
 * Whether it was the request that took so long: then either the gateway worked for a second, or it went on answering others
 * meanwhile. What those had to wait, too, was the machine's doing, or that of the work just named. Null: it was not.
 */
export function slownessOf({ ms, cpuMs, starvedMs, besideMs }: Wait): string | null {
  if (ms <= longestMs) return null
  if (cpuMs >= longestMs) return `${Math.round(ms)} ms, in which the gateway worked for ${cpuMs} ms`
  const stalledMs = besideMs.filter((one) => one >= quickMs).reduce((sum, one) => sum + one, 0)
  if (ms - stalledMs - starvedMs > longestMs)
    return `${Math.round(ms)} ms, of which the machine and ${besideMs.length} others account for ${Math.round(stalledMs + starvedMs)} ms`
  return ms > never ? `${Math.round(ms)} ms` : null
}

const mib = 1024 * 1024

/** Whether a gateway holds more than requests that are over can explain. `before`: after the first round, when all is loaded. */
export function growthOf(before: Weight, after: Weight): string | null {
  const inMib = (bytes: number): number => Math.round(bytes / mib)
  // Over 20 seeds of 400 requests it moved between 64 and 73 MiB (2026-11).
  if (after.held > before.held + 32 * mib)
    return `it holds ${inMib(after.held)} MiB after collecting garbage; after the first round it was ${inMib(before.held)} MiB`
  if (after.rss > before.rss * 1.5 + 128 * mib)
    return `its memory is ${inMib(after.rss)} MiB; after the first round it was ${inMib(before.rss)} MiB`
  return null
}
