import { setTimeout as pause } from 'node:timers/promises'
import { chanceOf } from '../faults/chance.ts'
import { type Composed, type Composer, compose, fitting } from './compose.ts'
import type { Document } from './document.ts'
import type { Gateway } from './gateway.ts'
import { bytesOf, curlOf, type FuzzRequest } from './request.ts'
import { Stock } from './stock.ts'
import { doorOperation, faultsOf, slownessOf, type Wait } from './verdict.ts'
import { type Heard, speak } from './wire.ts'

export interface RoundOptions {
  readonly seed: number
  readonly requests: number
  readonly gateway: Gateway
  readonly document: Document
  readonly key: string
  readonly hook: string
  /** Whether time counts. The first request of each kind loads and compiles what it needs, once in the life of a process. */
  readonly timed: boolean
  /** Ids of what other environments hold. */
  readonly foreign: readonly string[]
}

export interface Failure {
  readonly request: number
  readonly operationId: string
  readonly twists: readonly string[]
  readonly faults: readonly string[]
  readonly curl: string
}

export interface RoundResult {
  readonly failures: readonly Failure[]
  /** How often each operation was asked something, and how often it did what it was asked. */
  readonly asked: ReadonlyMap<string, { readonly times: number; readonly served: number }>
  /** Answers by status. */
  readonly statuses: ReadonlyMap<number | string, number>
  readonly slowestMs: number
  /** What the environment holds at the end. */
  readonly ids: readonly string[]
}

/** Without these most operations would have nothing to be about. */
const opening = (url: string): readonly (readonly [operationId: string, body?: object])[] => [
  ['v1.application.create', { name: 'Fuzz', uid: 'uid-0' }],
  ['v1.event-type.create', { name: 'invoice.paid', description: '', schemas: { 1: { type: 'object' } } }],
  ['v1.ingest.source.create', { name: 'Fuzz', type: 'generic-webhook' }],
  [doorOperation],
  ['v1.ingest.source.create', { name: 'Fuzz', type: 'github', config: { secret: 'fuzz-fuzz-fuzz' } }],
  [doorOperation],
  ['v1.endpoint.create', { url, uid: 'uid-0' }],
  ['v1.message.create', { eventType: 'invoice.paid', eventId: 'evt-0', payload: { n: 1 } }],
  ['v1.message.create', { eventType: 'invoice.paid', payload: { n: 2 } }],
  ['v1.ingest.endpoint.create', { url }],
  ['v1.operational-webhook.endpoint.create', { url }],
  ['v1.endpoint.recover', { since: '2026-01-01T00:00:00Z' }],
  ['v1.authentication.app-portal-access', {}],
  ['v1.ingest.quarantine.list'],
  ['v1.ingest.message.list'],
  ['v1.message-attempt.list-by-endpoint'],
  ['v1.message-attempt.list-by-msg'],
]

/** How long one waits for an answer before it counts as none, on whatever machine. */
const patienceMs = 30_000
// Whoever has not been answered by then may be the reason; from then on another asks beside it.
const besideAfterMs = 250
// They are not to be the load themselves.
const besidePauseMs = 20
const mostIterators = 50

/** One seed: an environment of its own, filled, and then asked what fits and what does not. */
export async function round(options: RoundOptions): Promise<RoundResult> {
  const { seed, gateway, document } = options
  const stock = new Stock(options.foreign)
  const doors: string[] = []
  const tokens: string[] = []
  const composer: Composer = { ...options, stock, doors, tokens }
  const failures: Failure[] = []
  const asked = new Map<string, { times: number; served: number }>()
  const statuses = new Map<number | string, number>()
  let slowestMs = 0

  const perform = async (number: number, { request, names, path }: Composed): Promise<void> => {
    const { heard, wait } = await timed(gateway, options.key, request)
    slowestMs = Math.max(slowestMs, wait.ms)
    const faults = [
      ...faultsOf(request, heard),
      ...gateway.complaints().map((line) => `it complained: ${line.slice(0, 600)}`),
    ]
    const slow = slownessOf(wait)
    if (slow !== null && options.timed) faults.push(`it took ${slow}`)
    if (gateway.ended()) faults.push('the gateway has ended')
    const { operationId } = request
    if (faults.length > 0) {
      const twists = request.twists.map(({ layer, what }) => `${layer}: ${what}`)
      failures.push({ request: number, operationId, twists, faults, curl: curlOf(request, gateway.url) })
    }
    const status = heard.kind === 'answer' ? heard.answer.status : heard.kind
    statuses.set(status, (statuses.get(status) ?? 0) + 1)
    const served = typeof status === 'number' && status < 300
    const count = asked.get(operationId) ?? { times: 0, served: 0 }
    asked.set(operationId, { times: count.times + 1, served: count.served + (served ? 1 : 0) })
    if (heard.kind !== 'answer' || names === null || !served) return
    // What was asked elsewhere than its path says has not shown what its path names.
    if (request.twists.some(({ layer }) => layer === 'path' || layer === 'http')) return
    const body: unknown = heard.answer.body === '' ? null : JSON.parse(heard.answer.body)
    if (request.method === 'DELETE' && !path.endsWith('/content')) stock.forget(path, names)
    else stock.learn(path, names, body)
    if (stock.iterators.length > mostIterators) stock.iterators.shift()
    const { ingestUrl, token } = Object(body)
    if (typeof token === 'string') tokens.push(token)
    if (typeof ingestUrl === 'string' && doors.length < 20) doors.push(new URL(ingestUrl).pathname)
  }

  for (const [at, [operationId, body]] of opening(options.hook).entries()) {
    const chance = chanceOf(seed, `opening ${at}`)
    const operation = document.operations.find((one) => one.operationId === operationId)
    const composed = operation === undefined ? knock(doors) : fitting(composer, operation, chance, body)
    if (composed !== null) await perform(-1 - at, composed)
  }
  for (let number = 0; number < options.requests && !gateway.ended(); number++) {
    await perform(number, compose(composer, number))
  }
  return { failures, asked, statuses, slowestMs, ids: stock.ids() }
}

function knock(doors: readonly string[]): Composed | null {
  const door = doors.at(-1)
  if (door === undefined) return null
  const headers = [
    ['host', 'posthorn.test'],
    ['connection', 'close'],
    ['content-type', 'application/json'],
  ] as const
  const about = { operationId: doorOperation, method: 'POST', target: door, twists: [], sentBytes: null }
  return { request: { ...about, headers, body: Buffer.from('{"id":"1"}') }, names: null, path: door }
}

/** Sends it, and, once it takes long, a cheap one after the other beside it. */
async function timed(gateway: Gateway, key: string, request: FuzzRequest): Promise<{ heard: Heard; wait: Wait }> {
  const startedAt = performance.now()
  const [cpuBefore, starvedBefore] = [gateway.cpuMs(), gateway.starvedMs()]
  const besideMs: number[] = []
  let answeredAt: number | null = null
  const beside = async (): Promise<void> => {
    while (answeredAt === null) {
      const from = performance.now()
      await fetch(`${gateway.url}/api/v1/environment/settings`, { headers: { authorization: `Bearer ${key}` } })
        .then((answer) => answer.text())
        .catch(() => {})
      // Also the one that was under way when the answer came: it may have waited for the same thing.
      besideMs.push(Math.min(performance.now(), answeredAt ?? Number.POSITIVE_INFINITY) - from)
      await pause(besidePauseMs)
    }
  }
  let asking = Promise.resolve()
  const timer = setTimeout(() => {
    asking = beside()
  }, besideAfterMs)
  const heard = await speak(gateway.url, bytesOf(request), {
    ...{ bodiless: request.method === 'HEAD', ends: request.sentBytes !== null, patienceMs },
  })
  answeredAt = performance.now()
  clearTimeout(timer)
  await asking
  const [cpuMs, starvedMs] = [gateway.cpuMs() - cpuBefore, gateway.starvedMs() - starvedBefore]
  return { heard, wait: { ms: answeredAt - startedAt, cpuMs, starvedMs, besideMs } }
}
