import { operations } from '@posthorn/contract'
import type { FastifyInstance } from 'fastify'
import type { Publish } from '../../engine/accept.ts'
import type { Manage } from '../../manage/manage.ts'
import { invalid } from '../input.ts'
import { textOf } from '../json.ts'
import { type RunningAsks, replayedHeader } from '../repeatable.ts'
import { admissionOf, jsonType, routePath } from '../route.ts'
import { ensureApplication } from './application.ts'
import { acceptedMembers } from './message.ts'
import { readMessage } from './message-body.ts'

/** Publishing, by hand where the others are served: what is asked and answered is never parsed and printed as a whole. */
export function messageCreateRoute(app: FastifyInstance, publish: Publish, manage: Manage, running: RunningAsks): void {
  const operation = operations['v1.message.create']
  app.route<{ Params: { app_id: string }; Querystring: { with_content?: unknown } }>({
    method: operation.method,
    url: routePath(operation),
    config: admissionOf(operation),
    handler: async (request, reply) => {
      const { principal } = request
      if (principal === null) throw new Error('a message was published without a key')
      const { app_id } = request.params
      const { with_content = 'true' } = request.query
      if (with_content !== 'true' && with_content !== 'false') {
        throw invalid([{ pointer: '/query/with_content', message: 'must be true or false' }])
      }
      const { fact, application } = readMessage(textOf(request.body))
      if (application) await ensureApplication(manage, principal, app_id, application)
      const { message, repeated, warnings } = await running.run(request, (ask) =>
        publish(principal.environmentId, app_id, fact, { ask }),
      )
      if (repeated) reply.header(replayedHeader, 'true')
      return reply
        .code(202)
        .header('content-type', jsonType)
        .send(`{${acceptedMembers(message, warnings, with_content === 'true')}}`)
    },
  })
}
