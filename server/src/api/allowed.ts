import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { Problem } from '../domain/problem.ts'
import { pathOf } from './problem.ts'

interface KnownPath {
  readonly shape: RegExp
  readonly methods: Set<string>
}

/** The methods that each path of the server has, read off its routes as they are made. */
export class AllowedMethods {
  readonly #paths = new Map<string, KnownPath>()

  /** Must be called before the first route is made. */
  constructor(app: FastifyInstance) {
    app.addHook('onRoute', ({ url, method }) => {
      const known = this.#paths.get(url) ?? { shape: shapeOf(url), methods: new Set(['OPTIONS']) }
      for (const one of [method].flat()) known.methods.add(one)
      this.#paths.set(url, known)
    })
  }

  /** OPTIONS is answered, a path that is there with another method is 405, any other 404. */
  readonly answerUnrouted = (request: FastifyRequest, reply: FastifyReply): FastifyReply => {
    const path = pathOf(request.url)
    // RFC 9110, 9.3.7: of the server as a whole there is nothing to tell.
    if (request.method === 'OPTIONS' && path === '*') return reply.code(204).send()
    const allowed = this.#of(path)
    if (allowed.size === 0 || allowed.has(request.method) !== (request.method === 'OPTIONS')) {
      throw new Problem('not-found', 'There is nothing at this path.')
    }
    const names = [...allowed].toSorted().join(', ')
    reply.header('allow', names)
    if (request.method !== 'OPTIONS') {
      throw new Problem('method-not-allowed', `${request.method} is not one of ${names}.`)
    }
    if (allowed.has('POST')) reply.header('accept-post', 'application/json')
    if (allowed.has('PATCH')) reply.header('accept-patch', 'application/json')
    return reply.code(204).send()
  }

  #of(path: string): ReadonlySet<string> {
    const all = [...this.#paths.values()].filter(({ shape }) => shape.test(path))
    return new Set(all.flatMap(({ methods }) => [...methods]))
  }
}

/** A path as the framework spells it: parameters as `:name`, the rest of a path as `*`. */
const shapeOf = (url: string): RegExp =>
  new RegExp(
    `^${url
      .replaceAll(/[.+?^$()|[\]\\]/g, '\\$&')
      .replaceAll(/:\w+/g, '[^/]+')
      .replaceAll('*', '.*')}/?$`,
  )
