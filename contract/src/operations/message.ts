import Type from 'typebox'
import { ListResponseMessageOut, MessageIn, MessageOut } from '../message.ts'
import { pageQuery } from '../page.ts'
import { app, get, message, messageFilter, operation, withContent } from './shared.ts'

export const messageOperations = {
  'v1.message.list': operation({
    operationId: 'v1.message.list',
    method: 'GET',
    path: '/api/v1/app/{app_id}/msg',
    tag: 'Message',
    summary: 'List the messages of an application',
    description: 'Newest first, unless asked otherwise.',
    scope: 'read',
    portal: 'ViewBase',
    params: Type.Object(app),
    query: Type.Object({ ...pageQuery, ...messageFilter, with_content: withContent }),
    body: null,
    success: get(ListResponseMessageOut),
    problems: ['not-found', 'iterator-invalid'],
  }),
  'v1.message.create': operation({
    operationId: 'v1.message.create',
    method: 'POST',
    path: '/api/v1/app/{app_id}/msg',
    tag: 'Message',
    summary: 'Publish a message',
    description:
      'Answered when the message and every delivery of it are on disk. Creating an application needs scope `manage` too.',
    scope: 'publish',
    portal: null,
    params: Type.Object(app),
    query: Type.Object({ with_content: withContent }),
    body: MessageIn,
    success: [{ status: 202, meaning: 'Accepted, and stored.', schema: MessageOut }],
    problems: ['not-found', 'event-id-taken', 'unavailable'],
  }),
  'v1.message.get': operation({
    operationId: 'v1.message.get',
    method: 'GET',
    path: '/api/v1/app/{app_id}/msg/{msg_id}',
    tag: 'Message',
    summary: 'Get a message',
    scope: 'read',
    portal: 'ViewBase',
    params: Type.Object(message),
    query: Type.Object({ with_content: withContent }),
    body: null,
    success: get(MessageOut),
    problems: ['not-found'],
  }),
} as const
