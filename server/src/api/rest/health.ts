import { operations } from '@posthorn/contract'
import type { FastifyInstance } from 'fastify'
import { Problem } from '../../domain/problem.ts'
import type { Store } from '../../ports/store.ts'
import { routePath } from '../route.ts'

export function healthRoute(app: FastifyInstance, store: Pick<Store, 'ping'>): void {
  const operation = operations['v1.health.get']
  app.route({
    method: operation.method,
    url: routePath(operation),
    config: { scope: operation.scope },
    handler: async (_, reply) => {
      await store.ping().catch(() => {
        throw new Problem('unavailable', 'The store does not answer.', [], 5)
      })
      return reply.code(204).send()
    },
  })
}
