import { type Chance, chanceOf } from '../faults/chance.ts'
import type { Described, Document } from './document.ts'
import { type Fitting, type Hint, makeFitting } from './fitting.ts'
import type { FuzzRequest, Twist } from './request.ts'
import type { Names, Stock } from './stock.ts'
import { twistHttp, twistLength, twistPath, twistQuery } from './twist-http.ts'
import { twistText, twistValue } from './twist-value.ts'
import { doorOperation } from './verdict.ts'

export interface Composer {
  readonly seed: number
  readonly document: Document
  readonly stock: Stock
  readonly key: string
  /** Where somebody takes deliveries. */
  readonly hook: string
  /** Paths of doors for third parties. */
  readonly doors: readonly string[]
  /** Of the portal, alive or not. */
  readonly tokens: readonly string[]
}

export interface Composed {
  readonly request: FuzzRequest
  /** What its path names; null: it is for no operation. */
  readonly names: Names | null
  readonly path: string
}

const secret = `whsec_${Buffer.alloc(24, 'fuzz').toString('base64')}`

const hintsFor = ({ hook, stock }: Composer, chance: Chance): Hint => {
  const few = (name: string): string => `${name}-${chance.between(0, 9)}`
  const hints: Readonly<Record<string, () => unknown>> = {
    url: () => chance.of([hook, hook, 'http://127.0.0.1:9/closed', 'https://receiver.invalid/hook']),
    uid: () => few('uid'),
    name: () => few('name'),
    eventId: () => few('evt'),
    eventType: () => chance.of(['invoice.paid', 'name-1', 'name-2', 'unknown.type']),
    event_type: () => chance.of(['invoice.paid', 'name-1']),
    type: () => chance.of(['generic-webhook', 'github', 'stripe', 'svix']),
    iterator: () => stock.iterators[chance.between(0, stock.iterators.length - 1)],
    secret: () => secret,
    key: () => secret,
    filter: () => chance.of(['payload.n > 1', 'type == "invoice.paid"', 'payload.items.exists(x, x > 2)']),
    since: () => '2026-01-01T00:00:00Z',
    until: () => '2027-01-01T00:00:00Z',
    limit: () => chance.between(1, 250),
    id: () => stock.any(chance),
    appId: () => stock.any(chance),
    payload: () => ({ n: chance.between(0, 5), items: [1, 2, 3] }),
    raw: () => 'POST /hooks HTTP/1.1\nX-GitHub-Event: ping\n\n{}',
    headers: () => ({ 'x-note': 'fuzz' }),
    schemas: () => ({ 1: { type: 'object', properties: { n: { type: 'integer' } } } }),
    spec: () => ({
      openapi: '3.1.0',
      info: { title: 'E', version: '1' },
      webhooks: { 'w.e': { post: { responses: {} } } },
    }),
  }
  return (name) => hints[name]?.()
}

/** One request that fits its operation, and then, mostly, is bent. The dice of each are its own, so that one can be left out. */
export function compose(composer: Composer, number: number): Composed {
  const chance = chanceOf(composer.seed, `request ${number}`)
  const { document, doors } = composer
  if (doors.length > 0 && chance.comesTrue(0.04)) return forDoor(composer, chance)
  let operation = chance.of(document.operations)
  // What takes things away leaves less to be reached.
  if (operation.method === 'DELETE' && chance.comesTrue(0.7)) operation = chance.of(document.operations)
  const made = fitting(composer, operation, chance)
  const times = chance.comesTrue(0.3) ? 0 : chance.comesTrue(0.7) ? 1 : chance.between(2, 4)
  let { request } = made
  for (let left = times; left > 0; left--) request = bent(request, chance, composer)
  return { ...made, request }
}

// Of no use with a key.
const logout = 'v1.authentication.logout'

/** One that fits, for this operation. */
export function fitting(composer: Composer, operation: Described, chance: Chance, body?: unknown): Composed {
  const { operationId, method, path } = operation
  const { stock, document, tokens } = composer
  const asCustomer = chance.comesTrue(operationId === logout ? 0.8 : 0.06) ? tokens.at(-1) : undefined
  const values = makeFitting(document, chance, hintsFor(composer, chance))
  const inPath = operation.parameters.filter((parameter) => parameter.in === 'path').map(({ name }) => name)
  const names = stock.namesFor(path, inPath, chance)
  const filled = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(names[name] ?? ''))
  const query = queryOf(operation, values, chance)
  const content = body ?? (operation.body === null ? undefined : values.valueOf(operation.body, ''))
  const request: FuzzRequest = {
    ...{ operationId, method, twists: [], sentBytes: null },
    target: query === '' ? filled : `${filled}?${query}`,
    headers: [
      ['host', 'posthorn.test'],
      ['connection', 'close'],
      ['authorization', `Bearer ${asCustomer ?? composer.key}`],
      ...(content === undefined ? [] : [['content-type', 'application/json'] as const]),
    ],
    body: content === undefined ? null : Buffer.from(JSON.stringify(content)),
  }
  return { request, names, path }
}

function queryOf({ parameters }: Described, values: Fitting, chance: Chance): string {
  const asked = parameters.filter((one) => one.in === 'query' && (one.required === true || chance.comesTrue(0.25)))
  const pairs = asked.map(({ name, schema }): [string, string] => [
    name,
    [values.valueOf(schema, name)].flat().join(','),
  ])
  return new URLSearchParams(pairs).toString()
}

function bent(request: FuzzRequest, chance: Chance, { stock }: Composer): FuzzRequest {
  const luck = chance.random()
  const body = request.body?.toString('utf8')
  if (body !== undefined && luck < 0.4) return withValue(request, body, chance, stock)
  if (body !== undefined && luck < 0.55) {
    const twist = twistText(body, chance)
    return { ...request, body: twist.body, twists: [...request.twists, { layer: 'body', what: twist.what }] }
  }
  if (body !== undefined && luck < 0.58) return twistLength(request, chance)
  if (luck < 0.75) return twistPath(request, chance)
  if (luck < 0.85) return twistQuery(request, chance)
  return twistHttp(request, chance)
}

// What was made this long, or so deep that it is, was bent before.
const mostBent = 30_000

function withValue(request: FuzzRequest, body: string, chance: Chance, stock: Stock): FuzzRequest {
  if (body.length > mostBent) return request
  let value: unknown
  try {
    value = JSON.parse(body)
  } catch {
    return request // Bent before so that it is no JSON any more.
  }
  const twist = twistValue(value, chance, stock.any(chance))
  const said: Twist = { layer: 'body', what: twist.what }
  return { ...request, body: Buffer.from(JSON.stringify(twist.value) ?? 'null'), twists: [...request.twists, said] }
}

function forDoor({ doors }: Composer, chance: Chance): Composed {
  const door = doors[chance.between(0, doors.length - 1)] ?? ''
  const type = chance.of([
    'application/json',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'x',
  ])
  const text = chance.of(['{"id":"evt_1","type":"invoice.paid"}', 'a=1&b=2', '--x\r\n\r\n--x--', '\xff\x00', '[', ''])
  const request: FuzzRequest = {
    ...{
      operationId: doorOperation,
      method: chance.of(['POST', 'GET', 'PUT', 'HEAD', 'PURGE']),
      twists: [],
      sentBytes: null,
    },
    target: `${door}${chance.of(['', '', '/more', '?a=b', '/%zz', '?challenge=x&hub.mode=subscribe'])}`,
    headers: [
      ['host', 'posthorn.test'],
      ['connection', 'close'],
      ['content-type', type],
      ...(chance.comesTrue(0.5)
        ? [['x-github-event', 'push'] as const, ['x-hub-signature-256', 'sha256=00'] as const]
        : []),
      ...(chance.comesTrue(0.3) ? [['stripe-signature', 't=1,v1=00,v1=,t='] as const] : []),
    ],
    body: Buffer.from(text, 'latin1'),
  }
  return { request: chance.comesTrue(0.4) ? twistHttp(request, chance) : request, names: null, path: door }
}
