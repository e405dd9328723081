import Type from 'typebox'
import { pageQuery } from '../page.ts'
import { ListResponseReceivedMessageOut, ReceivedMessageFullOut } from '../received.ts'
import { get, messageFilter, named, none, operation, source } from './shared.ts'

const tag = 'Received'

export const receivedOperations = {
  'v1.ingest.message.list': operation({
    operationId: 'v1.ingest.message.list',
    method: 'GET',
    path: '/ingest/api/v1/source/{source_id}/message',
    own: true,
    tag,
    summary: 'List what a source has received',
    description: 'Newest first, unless asked otherwise. Without headers and bodies.',
    scope: 'read',
    portal: null,
    params: Type.Object(source),
    query: Type.Object({
      ...pageQuery,
      event_types: messageFilter.event_types,
      before: messageFilter.before,
      after: messageFilter.after,
    }),
    body: null,
    confidential: true,
    success: get(ListResponseReceivedMessageOut),
    problems: ['not-found', 'iterator-invalid'],
  }),
  'v1.ingest.message.get': operation({
    operationId: 'v1.ingest.message.get',
    method: 'GET',
    path: '/ingest/api/v1/source/{source_id}/message/{msg_id}',
    own: true,
    tag,
    summary: 'Look at a received request',
    description:
      'As it came: headers in their order, the body byte for byte. `decoded` makes it readable: unpacked, as JSON, form, parts or text.',
    scope: 'read',
    portal: null,
    params: Type.Object({ ...source, msg_id: named("The message's id or eventId.") }),
    query: none,
    body: null,
    confidential: true,
    success: get(ReceivedMessageFullOut),
    problems: ['not-found'],
  }),
} as const
