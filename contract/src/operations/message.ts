import Type from 'typebox'
import { ListResponseMessageOut, MessageIn, MessageOut, MessagePrecheckIn, MessagePrecheckOut } from '../message.ts'
import { pageQuery } from '../page.ts'
import { app, get, message, messageFilter, none, operation, withContent } from './shared.ts'

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
  'v1.message.precheck': operation({
    operationId: 'v1.message.precheck',
    method: 'POST',
    path: '/api/v1/app/{app_id}/msg/precheck/active',
    tag: 'Message',
    summary: 'Ask whether any endpoint would get such a message',
    description:
      'To save making one that nobody gets. Only type and channels are known beforehand: an endpoint with a filter expression counts as one that would.',
    scope: 'publish',
    portal: null,
    params: Type.Object(app),
    query: none,
    body: MessagePrecheckIn,
    success: [{ status: 200, meaning: 'Looked up; nothing was stored.', schema: MessagePrecheckOut }],
    problems: ['not-found'],
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
