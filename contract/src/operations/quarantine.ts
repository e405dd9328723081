import Type from 'typebox'
import { pageQuery } from '../page.ts'
import {
  ListResponseQuarantinedRequestOut,
  QuarantinedRequestFullOut,
  QuarantineReverifyIn,
  QuarantineReverifyOut,
} from '../quarantine.ts'
import { done, get, named, none, operation, source } from './shared.ts'

const tag = 'Quarantine'
const all = '/ingest/api/v1/source/{source_id}/quarantine'
const quarantined = Type.Object({ ...source, quarantine_id: named('The id of the quarantined request.') })

export const quarantineOperations = {
  'v1.ingest.quarantine.list': operation({
    operationId: 'v1.ingest.quarantine.list',
    method: 'GET',
    path: all,
    own: true,
    tag,
    summary: 'List the requests that a source has refused',
    description: 'With why. Newest first, unless asked otherwise. Without headers and bodies.',
    scope: 'read',
    portal: null,
    params: Type.Object(source),
    query: Type.Object(pageQuery),
    body: null,
    confidential: true,
    success: get(ListResponseQuarantinedRequestOut),
    problems: ['not-found', 'iterator-invalid'],
  }),
  'v1.ingest.quarantine.get': operation({
    operationId: 'v1.ingest.quarantine.get',
    method: 'GET',
    path: `${all}/{quarantine_id}`,
    own: true,
    tag,
    summary: 'Look at a refused request',
    scope: 'read',
    portal: null,
    params: quarantined,
    query: none,
    body: null,
    confidential: true,
    success: get(QuarantinedRequestFullOut),
    problems: ['not-found'],
  }),
  'v1.ingest.quarantine.delete': operation({
    operationId: 'v1.ingest.quarantine.delete',
    method: 'DELETE',
    path: `${all}/{quarantine_id}`,
    own: true,
    tag,
    summary: 'Drop a refused request',
    scope: 'manage',
    portal: null,
    params: quarantined,
    query: none,
    body: null,
    success: done,
    problems: ['not-found'],
  }),
  'v1.ingest.quarantine.reverify': operation({
    operationId: 'v1.ingest.quarantine.reverify',
    method: 'POST',
    path: `${all}/reverify`,
    own: true,
    tag,
    summary: 'Check all refused requests again',
    description:
      'As the source is now, with the time at which each came as the clock. What passes becomes a message, in the order in which they came, unless it is one already. Takes ten seconds at most: where it is not `done`, call again with `iterator`.',
    scope: 'manage',
    portal: null,
    params: Type.Object(source),
    query: none,
    body: QuarantineReverifyIn,
    bodyOptional: true,
    success: [{ status: 200, meaning: 'Checked.', schema: QuarantineReverifyOut }],
    problems: ['not-found', 'iterator-invalid', 'unavailable'],
  }),
} as const
