import type { Method, Operation } from './operation.ts'
import { operations } from './operations.ts'

/** An operation of the official client libraries. */
export interface ClientOperation {
  /** As the client's methods are called: `endpoint.transformation.get`. */
  readonly name: string
  readonly method: Method
  readonly path: string
}

// From the sources of npm svix 2.5.0; server/test/api/table.test.ts reads them again and compares.
const table: readonly (readonly [name: string, method: Method, path: string])[] = [
  ['application.list', 'GET', '/api/v1/app'],
  ['application.create', 'POST', '/api/v1/app'],
  ['application.get', 'GET', '/api/v1/app/{app_id}'],
  ['application.upsert', 'PUT', '/api/v1/app/{app_id}'],
  ['application.delete', 'DELETE', '/api/v1/app/{app_id}'],
  ['application.patch', 'PATCH', '/api/v1/app/{app_id}'],
  ['authentication.appPortalAccess', 'POST', '/api/v1/auth/app-portal-access/{app_id}'],
  ['authentication.logout', 'POST', '/api/v1/auth/logout'],
  ['authentication.expireAll', 'POST', '/api/v1/auth/app/{app_id}/expire-all'],
  ['authentication.streamPortalAccess', 'POST', '/api/v1/auth/stream-portal-access/{stream_id}'],
  ['authentication.streamLogout', 'POST', '/api/v1/auth/stream-logout'],
  ['authentication.streamExpireAll', 'POST', '/api/v1/auth/stream/{stream_id}/expire-all'],
  [
    'authentication.rotateStreamPollerToken',
    'POST',
    '/api/v1/auth/stream/{stream_id}/sink/{sink_id}/poller/token/rotate',
  ],
  ['authentication.getStreamPollerToken', 'GET', '/api/v1/auth/stream/{stream_id}/sink/{sink_id}/poller/token'],
  ['autoconfigSubscription.create', 'POST', '/api/v1/app/{app_id}/autoconfig'],
  ['autoconfigSubscription.rotate', 'POST', '/api/v1/app/{app_id}/autoconfig/{autoconfig_id}/rotate'],
  ['backgroundTask.list', 'GET', '/api/v1/background-task'],
  ['backgroundTask.get', 'GET', '/api/v1/background-task/{task_id}'],
  ['connector.list', 'GET', '/api/v1/connector'],
  ['connector.create', 'POST', '/api/v1/connector'],
  ['connector.get', 'GET', '/api/v1/connector/{connector_id}'],
  ['connector.upsert', 'PUT', '/api/v1/connector/{connector_id}'],
  ['connector.delete', 'DELETE', '/api/v1/connector/{connector_id}'],
  ['connector.patch', 'PATCH', '/api/v1/connector/{connector_id}'],
  ['destination.list', 'GET', '/api/v1/app/{app_id}/destination'],
  ['destination.create', 'POST', '/api/v1/app/{app_id}/destination'],
  ['destination.get', 'GET', '/api/v1/app/{app_id}/destination/{destination_id}'],
  ['destination.upsert', 'PUT', '/api/v1/app/{app_id}/destination/{destination_id}'],
  ['destination.delete', 'DELETE', '/api/v1/app/{app_id}/destination/{destination_id}'],
  ['destination.patch', 'PATCH', '/api/v1/app/{app_id}/destination/{destination_id}'],
  ['destination.transformation.get', 'GET', '/api/v1/app/{app_id}/destination/{destination_id}/transformation'],
  ['destination.transformation.patch', 'PATCH', '/api/v1/app/{app_id}/destination/{destination_id}/transformation'],
  ['endpoint.list', 'GET', '/api/v1/app/{app_id}/endpoint'],
  ['endpoint.create', 'POST', '/api/v1/app/{app_id}/endpoint'],
  ['endpoint.get', 'GET', '/api/v1/app/{app_id}/endpoint/{endpoint_id}'],
  ['endpoint.upsert', 'PUT', '/api/v1/app/{app_id}/endpoint/{endpoint_id}'],
  ['endpoint.delete', 'DELETE', '/api/v1/app/{app_id}/endpoint/{endpoint_id}'],
  ['endpoint.patch', 'PATCH', '/api/v1/app/{app_id}/endpoint/{endpoint_id}'],
  ['endpoint.getSecret', 'GET', '/api/v1/app/{app_id}/endpoint/{endpoint_id}/secret'],
  ['endpoint.rotateSecret', 'POST', '/api/v1/app/{app_id}/endpoint/{endpoint_id}/secret/rotate'],
  ['endpoint.getHeaders', 'GET', '/api/v1/app/{app_id}/endpoint/{endpoint_id}/headers'],
  ['endpoint.setHeaders', 'PUT', '/api/v1/app/{app_id}/endpoint/{endpoint_id}/headers'],
  ['endpoint.patchHeaders', 'PATCH', '/api/v1/app/{app_id}/endpoint/{endpoint_id}/headers'],
  ['endpoint.replayMissing', 'POST', '/api/v1/app/{app_id}/endpoint/{endpoint_id}/replay-missing'],
  ['endpoint.bulkReplay', 'POST', '/api/v1/app/{app_id}/endpoint/{endpoint_id}/bulk-replay'],
  ['endpoint.getStats', 'GET', '/api/v1/app/{app_id}/endpoint/{endpoint_id}/stats'],
  ['endpoint.recover', 'POST', '/api/v1/app/{app_id}/endpoint/{endpoint_id}/recover'],
  ['endpoint.sendExample', 'POST', '/api/v1/app/{app_id}/endpoint/{endpoint_id}/send-example'],
  ['endpoint.transformationPartialUpdate', 'PATCH', '/api/v1/app/{app_id}/endpoint/{endpoint_id}/transformation'],
  ['endpoint.transformation.get', 'GET', '/api/v1/app/{app_id}/endpoint/{endpoint_id}/transformation'],
  ['environment.export', 'POST', '/api/v1/environment/export'],
  ['environment.import', 'POST', '/api/v1/environment/import'],
  ['eventType.list', 'GET', '/api/v1/event-type'],
  ['eventType.create', 'POST', '/api/v1/event-type'],
  ['eventType.importOpenapi', 'POST', '/api/v1/event-type/import/openapi'],
  ['eventType.get', 'GET', '/api/v1/event-type/{event_type_name}'],
  ['eventType.upsert', 'PUT', '/api/v1/event-type/{event_type_name}'],
  ['eventType.delete', 'DELETE', '/api/v1/event-type/{event_type_name}'],
  ['eventType.patch', 'PATCH', '/api/v1/event-type/{event_type_name}'],
  ['health.get', 'GET', '/api/v1/health'],
  ['ingest.authentication.consumerPortalAccess', 'POST', '/ingest/api/v1/source/{source_id}/dashboard'],
  ['ingest.endpoint.list', 'GET', '/ingest/api/v1/source/{source_id}/endpoint'],
  ['ingest.endpoint.create', 'POST', '/ingest/api/v1/source/{source_id}/endpoint'],
  ['ingest.endpoint.get', 'GET', '/ingest/api/v1/source/{source_id}/endpoint/{endpoint_id}'],
  ['ingest.endpoint.upsert', 'PUT', '/ingest/api/v1/source/{source_id}/endpoint/{endpoint_id}'],
  ['ingest.endpoint.delete', 'DELETE', '/ingest/api/v1/source/{source_id}/endpoint/{endpoint_id}'],
  ['ingest.endpoint.getSecret', 'GET', '/ingest/api/v1/source/{source_id}/endpoint/{endpoint_id}/secret'],
  ['ingest.endpoint.rotateSecret', 'POST', '/ingest/api/v1/source/{source_id}/endpoint/{endpoint_id}/secret/rotate'],
  ['ingest.endpoint.getHeaders', 'GET', '/ingest/api/v1/source/{source_id}/endpoint/{endpoint_id}/headers'],
  ['ingest.endpoint.setHeaders', 'PUT', '/ingest/api/v1/source/{source_id}/endpoint/{endpoint_id}/headers'],
  [
    'ingest.endpoint.transformation.get',
    'GET',
    '/ingest/api/v1/source/{source_id}/endpoint/{endpoint_id}/transformation',
  ],
  [
    'ingest.endpoint.transformation.patch',
    'PATCH',
    '/ingest/api/v1/source/{source_id}/endpoint/{endpoint_id}/transformation',
  ],
  ['ingest.source.list', 'GET', '/ingest/api/v1/source'],
  ['ingest.source.create', 'POST', '/ingest/api/v1/source'],
  ['ingest.source.get', 'GET', '/ingest/api/v1/source/{source_id}'],
  ['ingest.source.upsert', 'PUT', '/ingest/api/v1/source/{source_id}'],
  ['ingest.source.delete', 'DELETE', '/ingest/api/v1/source/{source_id}'],
  ['ingest.source.rotateToken', 'POST', '/ingest/api/v1/source/{source_id}/token/rotate'],
  ['integration.list', 'GET', '/api/v1/app/{app_id}/integration'],
  ['integration.create', 'POST', '/api/v1/app/{app_id}/integration'],
  ['integration.get', 'GET', '/api/v1/app/{app_id}/integration/{integ_id}'],
  ['integration.update', 'PUT', '/api/v1/app/{app_id}/integration/{integ_id}'],
  ['integration.delete', 'DELETE', '/api/v1/app/{app_id}/integration/{integ_id}'],
  ['integration.rotateKey', 'POST', '/api/v1/app/{app_id}/integration/{integ_id}/key/rotate'],
  ['message.list', 'GET', '/api/v1/app/{app_id}/msg'],
  ['message.create', 'POST', '/api/v1/app/{app_id}/msg'],
  ['message.precheck', 'POST', '/api/v1/app/{app_id}/msg/precheck/active'],
  ['message.get', 'GET', '/api/v1/app/{app_id}/msg/{msg_id}'],
  ['message.expungeContent', 'DELETE', '/api/v1/app/{app_id}/msg/{msg_id}/content'],
  ['message.bulkExpungeContent', 'POST', '/api/v1/app/{app_id}/msg/bulk-expunge'],
  ['message.expungeAllContents', 'POST', '/api/v1/app/{app_id}/msg/expunge-all-contents'],
  ['message.poller.poll', 'GET', '/api/v1/app/{app_id}/poller/{sink_id}'],
  ['message.poller.consumerSeek', 'POST', '/api/v1/app/{app_id}/poller/{sink_id}/consumer/{consumer_id}/seek'],
  ['message.poller.consumerPoll', 'GET', '/api/v1/app/{app_id}/poller/{sink_id}/consumer/{consumer_id}'],
  ['messageAttempt.listByEndpoint', 'GET', '/api/v1/app/{app_id}/attempt/endpoint/{endpoint_id}'],
  ['messageAttempt.listByMsg', 'GET', '/api/v1/app/{app_id}/attempt/msg/{msg_id}'],
  ['messageAttempt.listAttemptedMessages', 'GET', '/api/v1/app/{app_id}/endpoint/{endpoint_id}/msg'],
  ['messageAttempt.listAttemptedDestinations', 'GET', '/api/v1/app/{app_id}/msg/{msg_id}/endpoint'],
  ['messageAttempt.get', 'GET', '/api/v1/app/{app_id}/msg/{msg_id}/attempt/{attempt_id}'],
  ['messageAttempt.expungeContent', 'DELETE', '/api/v1/app/{app_id}/msg/{msg_id}/attempt/{attempt_id}/content'],
  ['messageAttempt.resend', 'POST', '/api/v1/app/{app_id}/msg/{msg_id}/endpoint/{endpoint_id}/resend'],
  ['operationalWebhook.endpoint.list', 'GET', '/api/v1/operational-webhook/endpoint'],
  ['operationalWebhook.endpoint.create', 'POST', '/api/v1/operational-webhook/endpoint'],
  ['operationalWebhook.endpoint.get', 'GET', '/api/v1/operational-webhook/endpoint/{endpoint_id}'],
  ['operationalWebhook.endpoint.upsert', 'PUT', '/api/v1/operational-webhook/endpoint/{endpoint_id}'],
  ['operationalWebhook.endpoint.delete', 'DELETE', '/api/v1/operational-webhook/endpoint/{endpoint_id}'],
  ['operationalWebhook.endpoint.getSecret', 'GET', '/api/v1/operational-webhook/endpoint/{endpoint_id}/secret'],
  [
    'operationalWebhook.endpoint.rotateSecret',
    'POST',
    '/api/v1/operational-webhook/endpoint/{endpoint_id}/secret/rotate',
  ],
  ['operationalWebhook.endpoint.getHeaders', 'GET', '/api/v1/operational-webhook/endpoint/{endpoint_id}/headers'],
  ['operationalWebhook.endpoint.setHeaders', 'PUT', '/api/v1/operational-webhook/endpoint/{endpoint_id}/headers'],
  ['statistics.aggregateEventTypes', 'PUT', '/api/v1/stats/usage/event-types'],
  ['statistics.aggregateAppStats', 'POST', '/api/v1/stats/usage/app'],
  ['streaming.sinkHeadersGet', 'GET', '/api/v1/stream/{stream_id}/sink/{sink_id}/headers'],
  ['streaming.sinkHeadersPatch', 'PATCH', '/api/v1/stream/{stream_id}/sink/{sink_id}/headers'],
  ['streaming.eventType.list', 'GET', '/api/v1/stream/event-type'],
  ['streaming.eventType.create', 'POST', '/api/v1/stream/event-type'],
  ['streaming.eventType.get', 'GET', '/api/v1/stream/event-type/{name}'],
  ['streaming.eventType.upsert', 'PUT', '/api/v1/stream/event-type/{name}'],
  ['streaming.eventType.delete', 'DELETE', '/api/v1/stream/event-type/{name}'],
  ['streaming.eventType.patch', 'PATCH', '/api/v1/stream/event-type/{name}'],
  ['streaming.events.get', 'GET', '/api/v1/stream/{stream_id}/sink/{sink_id}/events'],
  ['streaming.events.create', 'POST', '/api/v1/stream/{stream_id}/events'],
  ['streaming.sink.list', 'GET', '/api/v1/stream/{stream_id}/sink'],
  ['streaming.sink.create', 'POST', '/api/v1/stream/{stream_id}/sink'],
  ['streaming.sink.get', 'GET', '/api/v1/stream/{stream_id}/sink/{sink_id}'],
  ['streaming.sink.upsert', 'PUT', '/api/v1/stream/{stream_id}/sink/{sink_id}'],
  ['streaming.sink.delete', 'DELETE', '/api/v1/stream/{stream_id}/sink/{sink_id}'],
  ['streaming.sink.patch', 'PATCH', '/api/v1/stream/{stream_id}/sink/{sink_id}'],
  ['streaming.sink.getSecret', 'GET', '/api/v1/stream/{stream_id}/sink/{sink_id}/secret'],
  ['streaming.sink.rotateSecret', 'POST', '/api/v1/stream/{stream_id}/sink/{sink_id}/secret/rotate'],
  ['streaming.sink.transformation.get', 'GET', '/api/v1/stream/{stream_id}/sink/{sink_id}/transformation'],
  ['streaming.sink.transformation.patch', 'PATCH', '/api/v1/stream/{stream_id}/sink/{sink_id}/transformation'],
  ['streaming.stream.list', 'GET', '/api/v1/stream'],
  ['streaming.stream.create', 'POST', '/api/v1/stream'],
  ['streaming.stream.get', 'GET', '/api/v1/stream/{stream_id}'],
  ['streaming.stream.upsert', 'PUT', '/api/v1/stream/{stream_id}'],
  ['streaming.stream.delete', 'DELETE', '/api/v1/stream/{stream_id}'],
  ['streaming.stream.patch', 'PATCH', '/api/v1/stream/{stream_id}'],
]

/** Every operation of the official client libraries. */
export const clientOperations: readonly ClientOperation[] = table.map(([name, method, path]) => ({
  name,
  method,
  path,
}))

// The first that a name begins with, or has as a part, says what a caller can do today.
const advice: readonly (readonly [part: string, text: string])[] = [
  ['transformation', 'Payloads are sent byte for byte as they were published: shape them before publishing.'],
  ['message.poller', 'To ask for messages instead of being sent them, list them: GET /api/v1/app/{app_id}/msg.'],
  ['connector', 'Create an endpoint: POST /api/v1/app/{app_id}/endpoint.'],
  ['destination', 'Create an endpoint: POST /api/v1/app/{app_id}/endpoint.'],
  ['integration', 'Create an endpoint: POST /api/v1/app/{app_id}/endpoint; a key comes from `posthorn keys create`.'],
  ['autoconfigSubscription', 'Create an endpoint: POST /api/v1/app/{app_id}/endpoint.'],
  ['streaming', 'Publish messages to an application: POST /api/v1/app/{app_id}/msg.'],
  ['authentication', 'There are no streams yet, so nobody needs access to one.'],
]

export interface NotBuilt extends ClientOperation {
  /** What a caller can do instead today. */
  readonly instead: string
}

const shapeOf = ({ method, path }: { readonly method: string; readonly path: string }): string =>
  `${method} ${path.replaceAll(/\{\w+\}/g, '{}')}`

const built = new Set(Object.values(operations).map((operation: Operation) => shapeOf(operation)))

/** What the client libraries can ask for and no part of Posthorn serves: answered `not-built`, never `not-found`. */
export const notBuilt: readonly NotBuilt[] = clientOperations
  .filter((operation) => !built.has(shapeOf(operation)))
  .map((operation) => ({
    ...operation,
    instead: advice.find(([part]) => `.${operation.name}`.includes(`.${part}`))?.[1] ?? 'It is on its way.',
  }))
