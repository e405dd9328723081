import { operations } from '@posthorn/contract'
import type { FastifyInstance } from 'fastify'
import { Problem } from '../../domain/problem.ts'
import type { Store } from '../../ports/store.ts'
import { admissionOf, routePath } from '../route.ts'

/** Whether requests should be sent here: not while the store is silent, nor once a stop has begun. */
export function healthRoute(app: FastifyInstance, store: Pick<Store, 'ping'>, draining: () => boolean): void {
  const operation = operations['v1.health.get']
  app.route({
    // HEAD by hand: the framework's own would say `content-length: 0`, which 204 must not (RFC 9110, 8.6).
    method: [operation.method, 'HEAD'],
    exposeHeadRoute: false,
    url: routePath(operation),
    config: admissionOf(operation),
    handler: async (_, reply) => {
      if (draining()) throw new Problem('unavailable', 'This server is stopping.', [], 5)
      await store.ping().catch(() => {
        throw new Problem('unavailable', 'The store does not answer.', [], 5)
      })
      return reply.code(204).send()
    },
  })
}
