import { isDeepStrictEqual } from 'node:util'
import { type Operation, type OperationId, operations } from '@posthorn/contract'
import { hiddenFlag, type Names, type Stranger, type Victim } from './scene.ts'

export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

export interface Ask {
  readonly method: string
  readonly path: string
  readonly body?: unknown
  readonly credential?: string | undefined
  readonly headers?: Readonly<Record<string, string>>
}

export async function ask(url: string, { method, path, body, credential, headers = {} }: Ask): Promise<Answer> {
  const answer = await fetch(`${url}${path}`, {
    method,
    headers: {
      ...(credential === undefined ? {} : { authorization: `Bearer ${credential}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  return { status: answer.status, headers: Object.fromEntries(answer.headers), body: await answer.text() }
}

const all: Readonly<Record<OperationId, Operation>> = operations
export const operationIds = Object.keys(operations) as readonly OperationId[]
export const operationOf = (id: OperationId): Operation => all[id]

const hook = 'http://127.0.0.1:9/'

/**
 * Bodies that name things; of the others the contract's example will do. Each is one that would be taken, so that a
 * refusal is never for the body's sake.
 */
const bodies: Partial<Record<OperationId, (names: Names) => unknown>> = {
  'v1.application.create': ({ app_id }) => ({ name: 'New', uid: app_id }),
  'v1.application.update': () => ({ name: 'New' }),
  'v1.event-type.create': ({ event_type_name }) => ({ name: event_type_name, description: '' }),
  'v1.environment.import': ({ event_type_name }) => ({ eventTypes: [{ name: event_type_name, description: '' }] }),
  'v1.event-type.import-openapi': ({ event_type_name }) => ({
    spec: {
      openapi: '3.1.0',
      info: { title: 'Events', version: '1' },
      webhooks: { [event_type_name]: { post: { description: 'New', responses: {} } } },
    },
  }),
  'v1.endpoint.create': ({ endpoint_id, event_type_name }) => ({
    ...{ url: hook, uid: endpoint_id, eventTypes: [event_type_name], channels: ['none'] },
  }),
  'v1.endpoint.update': () => ({ url: hook, channels: ['none'] }),
  'v1.endpoint.patch': ({ endpoint_id }) => ({ uid: endpoint_id }),
  'v1.endpoint.send-example': ({ event_type_name }) => ({ eventType: event_type_name }),
  'v1.message.create': ({ msg_id, event_type_name }) => ({ eventType: event_type_name, eventId: msg_id, payload: {} }),
  'v1.message.create-batch': ({ msg_id, event_type_name }) => ({
    messages: [{ eventType: event_type_name, eventId: `${msg_id}b`, payload: {} }],
  }),
  'v1.message.precheck': ({ event_type_name }) => ({ eventType: event_type_name, channels: [hiddenFlag] }),
  'v1.message.bulk-expunge-content': ({ msg_id }) => ({ ids: [msg_id] }),
  'v1.statistics.aggregate-app-stats': ({ app_id }) => ({
    ...{ since: '2025-12-01T00:00:00Z', until: '2026-02-01T00:00:00Z', appIds: [app_id] },
  }),
  'v1.operational-webhook.endpoint.create': ({ operational_endpoint_id }) => ({
    ...{ url: hook, uid: operational_endpoint_id },
  }),
  'v1.operational-webhook.endpoint.update': () => ({ url: hook }),
  'v1.ingest.source.create': ({ source_id }) => ({ name: 'New', type: 'generic-webhook', uid: source_id }),
  'v1.ingest.source.update': () => ({ name: 'New', type: 'generic-webhook' }),
  'v1.ingest.endpoint.create': ({ source_endpoint_id }) => ({ url: hook, uid: source_endpoint_id }),
  'v1.ingest.endpoint.update': () => ({ url: hook }),
}

/** Whether its body says a name that could be somebody else's. */
export const namesInBody = (id: OperationId): boolean => id in bodies && bodies[id]?.length === 1

export function asked(id: OperationId, names: Names, stranger: Stranger): Ask {
  const { method, path: template, body } = operationOf(id)
  const path = template.replaceAll(/\{(\w+)\}/g, (_, name: string) =>
    encodeURIComponent(namedBy(names, template, name)),
  )
  const examples: readonly unknown[] = body && 'examples' in body ? [body.examples].flat() : []
  return {
    ...{ method, path, credential: stranger.credential(path) },
    ...(body === null ? {} : { body: bodies[id]?.(names) ?? examples[0] ?? {} }),
  }
}

function namedBy(names: Names, template: string, name: string): string {
  if (name === 'name') return 'github' // A preset: the same for everybody.
  if (template.startsWith('/ingest/')) {
    if (name === 'endpoint_id') return names.source_endpoint_id
    if (name === 'msg_id') return names.source_msg_id
  }
  if (template.includes('/operational-webhook/') && name === 'endpoint_id') return names.operational_endpoint_id
  const value: unknown = Object(names)[name]
  if (typeof value !== 'string') throw new Error(`nothing is known of {${name}}`)
  return value
}

/** Names of the same shape as these that nobody has, nor ever had. */
export function nobodys(names: Names, home: Stranger['home'] = null): Names {
  return Object.fromEntries(
    Object.entries(names).map(([kind, name]) => [kind, isOwn(name, home) ? name : unlike(name)]),
  ) as unknown as Names
}

const isOwn = (name: string, home: Stranger['home']): boolean => name === home?.app_id || name === home?.source_id

/** Another text of the same length and the same kind of characters; of an id, another one that could be. */
const unlike = (name: string): string =>
  /^[a-z]+_/.test(name) && name.length > 20 ? `${name.slice(0, -8)}zzzzzzzz` : name.replaceAll(/[a-z]/g, rotated)

const rotated = (letter: string): string => String.fromCharCode(97 + ((letter.charCodeAt(0) - 97 + 13) % 26))

/** Ids and secrets that an answer made up itself, and when: two answers to the same differ in these. */
const made = [
  /\b(?:app|src|ep|msg|atmpt|qtask|qrtn|sec|req|batch)_[\w-]{10,}/g,
  /\bwhsec_[\w+/=]+/g,
  /\bphapp_[\w-]+/g,
  /\/in\/[\w-]+/g,
  /(?<="seenAt":)"[^"]*"/g,
  /"[\w-]{22}(?:\.[\w-]{22})?"/g,
]
// Of the connection, or of the moment. The tag of an answer is of its body, which is compared itself.
const passing: ReadonlySet<string> = new Set([
  'date',
  'x-request-id',
  'connection',
  'keep-alive',
  'content-length',
  'etag',
])

/** What an answer tells beyond what was said to it, for comparison with that to the same question with other names. */
export function told({ status, headers, body }: Answer, names: Names): unknown {
  const said = [...new Set(Object.values(names))].toSorted((a, b) => b.length - a.length)
  const plain = (text: string): string => {
    let left = text
    for (const name of said) left = left.replaceAll(name, '·').replaceAll(encodeURIComponent(name), '·')
    // A list goes on from where a page ended, which it says in its own way.
    left = left.replaceAll(/(iterator"?[:=]"?)([\w-]{8,})/gi, '$1·')
    for (const shape of made) left = left.replaceAll(shape, '·')
    return left
  }
  return {
    status,
    headers: Object.fromEntries(
      Object.entries(headers)
        .filter(([name]) => !passing.has(name))
        .map(([name, value]) => [name, plain(value)]),
    ),
    body: plain(body),
  }
}

export const tellsTheSame = isDeepStrictEqual

/** What an answer holds of the victim that was not said to it. */
export function leaks({ headers, body }: Answer, said: string, { secrets }: Victim): readonly string[] {
  const text = JSON.stringify(headers) + body
  // Iterators are opaque, not secret: what is in them counts as if it stood there.
  const opened = [...text.matchAll(/[\w-]{16,}/g)].map(([word]) => Buffer.from(word, 'base64url').toString('latin1'))
  const told = [text, ...opened].join('\n')
  const before = Buffer.from(said).toString()
  return secrets.filter((secret) => told.includes(secret) && !before.includes(secret))
}
