import { notBuilt } from '@posthorn/contract'
import type { FastifyInstance } from 'fastify'
import { Problem } from '../../domain/problem.ts'
import { routePath } from '../route.ts'

/** Says of each operation that only the client libraries know that it is not built, and what to do instead. */
export function notBuiltRoutes(app: FastifyInstance): void {
  for (const operation of notBuilt) {
    const { name, method, instead } = operation
    app.route({
      method,
      url: routePath(operation),
      config: { admission: { scope: method === 'GET' ? 'read' : 'manage', portal: null } },
      // Before the body is read: whatever it holds, the answer is the same.
      onRequest: (_, __, done) => done(new Problem('not-built', `${name} is not built yet. ${instead}`)),
      handler: () => {
        throw new Error(`${name} was reached`)
      },
    })
  }
}
