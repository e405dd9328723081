import type { InputOf, Operation } from '@posthorn/contract'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { RepeatableAsk } from '../domain/idempotency.ts'
import type { Page } from '../domain/page.ts'
import { Problem } from '../domain/problem.ts'
import { type Expectation, expectNothing } from '../manage/change.ts'
import { etagOf, expectedOf, isKnown } from './conditional.ts'
import { readerOf } from './input.ts'
import type { Admission, Principal } from './principal.ts'
import { type RepeatableAnswers, replayedHeader } from './repeatable.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Set before any handler of an operation that needs a key. */
    principal: Principal | null
  }
  interface FastifyInstance {
    readonly repeatable: RepeatableAnswers
    /** What a GET of each path shows, for those who change it only as they know it. */
    readonly shown: Map<string, Show>
  }
  interface FastifyContextConfig {
    /** What the operation needs of its caller; null: nothing. */
    readonly admission?: Admission | null
  }
}

/** What a handler decided: JSON text, ready to go. */
export interface Answer {
  readonly status: number
  readonly json?: string
  /** The JSON without what moves by itself: what a change is to depend on. Left out: nothing does. */
  readonly steady?: string
  readonly link?: string
  /** A page of a list: it moves while it is read, and has no entity tag. */
  readonly page?: true
  /** It was given before, to the same request. */
  readonly replayed?: true
}

/** Who calls, and as which URL. */
export interface Caller {
  readonly principal: Principal
  readonly url: string
  /** The body as it came: for what must not be parsed and printed again. */
  readonly body: unknown
  /** What a POST is remembered by; null: it names no key. */
  readonly ask: RepeatableAsk | null
  /** To be asked before a change is written. */
  readonly expect: Expectation
}

type Show = (params: unknown, caller: Caller) => Promise<Answer>

export const jsonType = 'application/json; charset=utf-8'

/** The path as the framework spells parameters. */
export const routePath = (operation: Pick<Operation, 'path'>): string => operation.path.replaceAll(/\{(\w+)\}/g, ':$1')

/** What an operation needs of its caller, as its route carries it. */
export const admissionOf = ({ scope, portal }: Operation): { readonly admission: Admission | null } => ({
  admission: scope === null ? null : { scope, portal },
})

/** Serves one operation that needs a key: reads its input, answers what the handler decided. */
export function serve<O extends Operation>(
  app: FastifyInstance,
  operation: O,
  handle: (input: InputOf<O>, caller: Caller) => Promise<Answer>,
): void {
  const read = readerOf(operation)
  const { method, path, confidential = false } = operation
  if (method === 'GET') app.shown.set(path, (params, caller) => handle(read({ params, query: {}, body: null }), caller))
  app.route({
    method: operation.method,
    url: routePath(operation),
    config: admissionOf(operation),
    handler: async (request, reply) => {
      const { principal } = request
      // Of an absolute-form target only the path: the rest is the caller's word, not ours to repeat.
      const url = request.url.replace(/^\w+:\/\/[^/]*/, '')
      if (principal === null) throw new Error(`${operation.operationId} was reached without a key`)
      const caller = { principal, url, body: request.body, ask: null, expect: expectNothing }
      const expect =
        method === 'GET' || method === 'POST' ? expectNothing : expectationOf(request, app.shown.get(path), caller)
      const work = (ask: RepeatableAsk | null): Promise<Answer> => handle(read(request), { ...caller, ask, expect })
      const { status, json, steady, link, page, replayed } =
        method === 'POST' ? await app.repeatable.answer(request, work) : await work(null)
      if (replayed) reply.header(replayedHeader, 'true')
      if (link) reply.header('link', link)
      reply.header('cache-control', confidential ? 'no-store' : 'private, no-cache')
      reply.code(status)
      const shows = method === 'GET' || (method === 'PATCH' && app.shown.has(path))
      if (shows && json !== undefined && !page) {
        const etag = etagOf(json, steady)
        reply.header('etag', etag)
        if (method === 'GET' && isKnown(request.headers, etag)) return reply.code(304).send()
      }
      return json === undefined ? reply.send() : reply.header('content-type', jsonType).send(json)
    },
  })
}

/** Compares what a GET of the path would show now with what the caller says he knows. */
function expectationOf(request: FastifyRequest, show: Show | undefined, caller: Caller): Expectation {
  const expected = show && expectedOf(request.headers)
  if (!expected) return expectNothing
  return async () => {
    const current = await show(request.params, caller).catch((error: unknown) => {
      if (error instanceof Problem && error.code === 'not-found') return null
      throw error
    })
    expected(current?.json === undefined ? null : etagOf(current.json, current.steady))
  }
}

export const ok = (json: string): Answer => ({ status: 200, json })
export const upserted = (created: boolean, json: string): Answer => ({ status: created ? 201 : 200, json })
export const created = (json: string): Answer => ({ status: 201, json })
export const done: Answer = { status: 204 }

/** A page as JSON, and RFC 8288 links to the pages beside it. `show` prints one row. */
export function pageAnswer<Row>(page: Page<Row>, url: string, show: (row: Row) => string): Answer {
  const { rows, iterator, prevIterator } = page
  const json =
    `{"data":[${rows.map(show).join(',')}],"iterator":${JSON.stringify(iterator)},` +
    `"prevIterator":${JSON.stringify(prevIterator)},"done":${page.done}}`
  const links = [`<${withIterator(url, null)}>; rel="first"`]
  if (!page.done && iterator !== null) links.push(`<${withIterator(url, iterator)}>; rel="next"`)
  if (prevIterator !== null) links.push(`<${withIterator(url, prevIterator)}>; rel="prev"`)
  return { status: 200, json, page: true, link: links.join(', ') }
}

function withIterator(url: string, iterator: string | null): string {
  // A query may have question marks of its own.
  const queryAt = url.indexOf('?')
  const path = queryAt === -1 ? url : url.slice(0, queryAt)
  const parameters = new URLSearchParams(queryAt === -1 ? '' : url.slice(queryAt + 1))
  if (iterator === null) parameters.delete('iterator')
  else parameters.set('iterator', iterator)
  return parameters.size > 0 ? `${path}?${parameters}` : path
}
