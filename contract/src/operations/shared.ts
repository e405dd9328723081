import Type, { type TProperties, type TSchema } from 'typebox'
import { MessageStatus } from '../attempt.ts'
import { Channel } from '../endpoint.ts'
import { EventTypeName } from '../event-type.ts'
import type { Operation } from '../operation.ts'

/** What the files of this folder, one per noun, say in common. */
export const operation = <Path extends TProperties, Query extends TProperties, Body extends TSchema | null>(
  given: Operation<Path, Query, Body>,
): Operation<Path, Query, Body> => given

// What a path names may be an id of ours or a caller's name; what is neither is simply not found.
export const named = (description: string) => Type.String({ description })
export const app = { app_id: named("The application's id or uid.") }
export const endpoint = { ...app, endpoint_id: named("The endpoint's id or uid.") }
export const source = { source_id: named("The source's id or uid.") }
export const message = { ...app, msg_id: named("The message's id or eventId.") }
export const eventType = { event_type_name: EventTypeName }

export const none = Type.Object({})
export const get = (schema: TSchema) => [{ status: 200, meaning: 'Found.', schema }]
export const created = (schema: TSchema) => [{ status: 201, meaning: 'Created.', schema }]
export const upserted = (schema: TSchema) => [
  { status: 200, meaning: 'Updated.', schema },
  { status: 201, meaning: 'Created.', schema },
]
export const done = [{ status: 204, meaning: 'Done.' }]

export const flag = (description: string) => Type.Optional(Type.Boolean({ description }))
export const withContent = flag('Whether payloads are included. Default: true.')
export const expandedStatuses = flag('Whether status 4 (canceled) may appear; if not, it is shown as 0. Default: true.')
export const messageFilter = {
  channel: Type.Optional({ ...Channel, description: 'Only messages in this channel.' }),
  tag: Type.Optional(Type.String({ minLength: 1, maxLength: 128, description: 'Only messages with this tag.' })),
  event_types: Type.Optional(
    Type.Array(EventTypeName, {
      minItems: 1,
      maxItems: 100,
      description: 'Separated by commas, or the parameter repeated.',
    }),
  ),
  before: Type.Optional(Type.String({ format: 'date-time', description: 'Only what is older.' })),
  after: Type.Optional(Type.String({ format: 'date-time', description: 'Only what is younger.' })),
}
export const status = Type.Optional(MessageStatus)
export const attemptFilter = {
  ...messageFilter,
  status,
  status_code_class: Type.Optional(
    Type.Integer({ enum: [0, 100, 200, 300, 400, 500], description: '0: no answer; 200: 2xx; …' }),
  ),
  with_content: flag('Whether the answers of receivers are included. Default: true.'),
  expanded_statuses: expandedStatuses,
}
