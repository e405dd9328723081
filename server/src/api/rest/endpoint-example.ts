import { operations } from '@posthorn/contract'
import type { FastifyInstance } from 'fastify'
import type { Publish } from '../../engine/accept.ts'
import type { Manage } from '../../manage/manage.ts'
import { flagsOf } from '../principal.ts'
import { serve } from '../route.ts'
import { messageMembers } from './message.ts'

export function endpointExampleRoute(app: FastifyInstance, publish: Publish, { endpoints }: Manage): void {
  serve(app, operations['v1.endpoint.send-example'], async ({ params, body }, { principal }) => {
    const { environmentId } = principal
    const { app_id, endpoint_id } = params
    const { eventType, exampleIndex = 0 } = body
    const { endpointId, payload } = await endpoints.example(
      environmentId,
      app_id,
      endpoint_id,
      eventType,
      exampleIndex,
      flagsOf(principal),
    )
    const fact = { eventType, eventId: null, channels: null, tags: null, payload, contentType: null }
    const { message } = await publish(environmentId, app_id, fact, { only: endpointId })
    return { status: 202, json: `{${messageMembers(message, true)}}` }
  })
}
