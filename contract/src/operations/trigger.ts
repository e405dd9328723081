import Type from 'typebox'
import { SourceTriggerIn, SourceTriggerOut } from '../trigger.ts'
import { none, operation, source } from './shared.ts'

export const triggerOperations = {
  'v1.ingest.source.trigger': operation({
    operationId: 'v1.ingest.source.trigger',
    method: 'POST',
    path: '/ingest/api/v1/source/{source_id}/trigger',
    own: true,
    tag: 'Source',
    summary: 'Make a request as the provider would send it',
    description:
      "From a recorded event, with an id and a time of its own, signed with the secret of the source. It is handed back, not sent: send it to the source, or to a handler of your own that knows the secret. Only recorded events are signed, never a caller's own body.",
    scope: 'manage',
    portal: null,
    params: Type.Object(source),
    query: none,
    body: SourceTriggerIn,
    confidential: true,
    success: [{ status: 200, meaning: 'Made.', schema: SourceTriggerOut }],
    problems: ['not-found', 'not-signable'],
  }),
} as const
