import type { IngestSourceIn, Svix } from 'svix'

/** What the calls of the table find on the server. */
export interface Scene {
  readonly app: string
  readonly endpoint: string
  readonly message: string
  readonly attempt: string
  readonly eventType: string
  readonly task: string
  readonly operational: string
  readonly source: string
  readonly sourceEndpoint: string
  /** Where a receiver listens. */
  readonly url: string
  /** Times around everything the scene holds. */
  readonly since: Date
  readonly until: Date
  /** A client whose token is one of the portal's, to be given up. */
  readonly portal: () => Promise<Svix>
  /** A text no other call was given. */
  readonly fresh: () => string
}

type Call = (svix: Svix, scene: Scene) => Promise<unknown>

const openapi = {
  openapi: '3.1.0',
  info: { title: 'Events', version: '1' },
  webhooks: {
    'table.imported': {
      post: {
        description: 'Imported.',
        requestBody: { content: { 'application/json': { schema: { type: 'object' } } } },
        responses: {},
      },
    },
  },
}

export const svixSource: IngestSourceIn = {
  ...{ name: 'Made', type: 'svix' },
  config: { secret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw' },
}

/** A real call of each operation about sending and receiving, by the name of the client's method. */
export const calls: Readonly<Record<string, Call>> = {
  'application.list': (svix) => svix.application.list({ limit: 2 }),
  'application.create': (svix, { fresh }) => svix.application.create({ name: 'Made', uid: fresh(), throttleRate: 5 }),
  'application.getOrCreate': (svix, { fresh }) => svix.application.getOrCreate({ name: 'Made', uid: fresh() }),
  'application.get': (svix, { app }) => svix.application.get(app),
  'application.upsert': (svix, { fresh }) => svix.application.upsert(fresh(), { name: 'Made' }),
  'application.patch': (svix, { app }) => svix.application.patch(app, { metadata: { a: 'b' } }),
  'application.delete': async (svix) => svix.application.delete((await svix.application.create({ name: 'Gone' })).id),

  'authentication.appPortalAccess': (svix, { app }) =>
    svix.authentication.appPortalAccess(app, { expiry: 3600, featureFlags: [] }),
  'authentication.logout': async (_, { portal }) => (await portal()).authentication.logout(),
  'authentication.expireAll': (svix, { app }) => svix.authentication.expireAll(app, { expiry: 60 }),

  'backgroundTask.list': (svix) => svix.backgroundTask.list({ limit: 2 }),
  'backgroundTask.get': (svix, { task }) => svix.backgroundTask.get(task),

  'endpoint.list': (svix, { app }) => svix.endpoint.list(app, { limit: 2 }),
  'endpoint.create': (svix, { app, url, fresh }) =>
    svix.endpoint.create(app, { url, uid: fresh(), channels: ['none'], headers: { 'x-a': 'b' } }),
  'endpoint.get': (svix, { app, endpoint }) => svix.endpoint.get(app, endpoint),
  'endpoint.upsert': (svix, { app, url, fresh }) => svix.endpoint.upsert(app, fresh(), { url, channels: ['none'] }),
  'endpoint.patch': (svix, { app, endpoint }) => svix.endpoint.patch(app, endpoint, { description: 'Patched' }),
  'endpoint.delete': async (svix, { app, url }) =>
    svix.endpoint.delete(app, (await svix.endpoint.create(app, { url, channels: ['none'] })).id),
  'endpoint.getSecret': (svix, { app, endpoint }) => svix.endpoint.getSecret(app, endpoint),
  'endpoint.rotateSecret': (svix, { app, endpoint }) => svix.endpoint.rotateSecret(app, endpoint),
  'endpoint.getHeaders': (svix, { app, endpoint }) => svix.endpoint.getHeaders(app, endpoint),
  'endpoint.setHeaders': (svix, { app, endpoint }) =>
    svix.endpoint.setHeaders(app, endpoint, { headers: { 'x-a': 'b' } }),
  'endpoint.patchHeaders': (svix, { app, endpoint }) =>
    svix.endpoint.patchHeaders(app, endpoint, { headers: { 'x-a': 'c' }, deleteHeaders: ['x-b'] }),
  'endpoint.replayMissing': (svix, { app, endpoint, since, until }) =>
    svix.endpoint.replayMissing(app, endpoint, { since, until }),
  'endpoint.bulkReplay': (svix, { app, endpoint, since, until, eventType }) =>
    svix.endpoint.bulkReplay(app, endpoint, { since, until, eventTypes: [eventType] }),
  'endpoint.recover': (svix, { app, endpoint, since, until }) => svix.endpoint.recover(app, endpoint, { since, until }),
  'endpoint.getStats': (svix, { app, endpoint, since, until }) =>
    svix.endpoint.getStats(app, endpoint, { since, until }),
  'endpoint.sendExample': (svix, { app, endpoint, eventType }) =>
    svix.endpoint.sendExample(app, endpoint, { eventType }),

  'environment.export': (svix) => svix.environment.export(),
  'environment.import': (svix, { fresh }) =>
    svix.environment.import({ eventTypes: [{ name: fresh(), description: 'Imported' }] }),

  'eventType.list': (svix) => svix.eventType.list({ limit: 2, withContent: true, includeArchived: true }),
  'eventType.create': (svix, { fresh }) =>
    svix.eventType.create({ name: fresh(), description: 'Made', schemas: { '1': { type: 'object' } } }),
  'eventType.importOpenapi': (svix) => svix.eventType.importOpenapi({ spec: openapi, dryRun: true }),
  'eventType.get': (svix, { eventType }) => svix.eventType.get(eventType),
  'eventType.upsert': (svix, { fresh }) => svix.eventType.upsert(fresh(), { description: 'Made' }),
  'eventType.patch': (svix, { eventType }) => svix.eventType.patch(eventType, { deprecated: false }),
  'eventType.delete': async (svix, { fresh }) =>
    svix.eventType.delete((await svix.eventType.create({ name: fresh(), description: 'Gone' })).name, {
      expunge: true,
    }),

  'health.get': (svix) => svix.health.get(),

  'ingest.authentication.consumerPortalAccess': (svix, { source }) =>
    svix.ingest.authentication.consumerPortalAccess(source, { expiry: 3600, readOnly: true }),
  'ingest.source.list': (svix) => svix.ingest.source.list({ limit: 2 }),
  'ingest.source.create': (svix, { fresh }) =>
    svix.ingest.source.create({ ...svixSource, uid: fresh(), metadata: { a: 'b' } }),
  'ingest.source.get': (svix, { source }) => svix.ingest.source.get(source),
  'ingest.source.upsert': (svix, { fresh }) => svix.ingest.source.upsert(fresh(), svixSource),
  'ingest.source.delete': async (svix) => svix.ingest.source.delete((await svix.ingest.source.create(svixSource)).id),
  'ingest.source.rotateToken': (svix, { source }) => svix.ingest.source.rotateToken(source),
  'ingest.endpoint.list': (svix, { source }) => svix.ingest.endpoint.list(source, { limit: 2 }),
  'ingest.endpoint.create': (svix, { source, url, fresh }) =>
    svix.ingest.endpoint.create(source, { url, uid: fresh(), headers: { 'x-a': 'b' } }),
  'ingest.endpoint.get': (svix, { source, sourceEndpoint }) => svix.ingest.endpoint.get(source, sourceEndpoint),
  'ingest.endpoint.upsert': (svix, { source, url, fresh }) => svix.ingest.endpoint.upsert(source, fresh(), { url }),
  'ingest.endpoint.delete': async (svix, { source, url }) =>
    svix.ingest.endpoint.delete(source, (await svix.ingest.endpoint.create(source, { url })).id),
  'ingest.endpoint.getSecret': (svix, { source, sourceEndpoint }) =>
    svix.ingest.endpoint.getSecret(source, sourceEndpoint),
  'ingest.endpoint.rotateSecret': (svix, { source, sourceEndpoint }) =>
    svix.ingest.endpoint.rotateSecret(source, sourceEndpoint),
  'ingest.endpoint.getHeaders': (svix, { source, sourceEndpoint }) =>
    svix.ingest.endpoint.getHeaders(source, sourceEndpoint),
  'ingest.endpoint.setHeaders': (svix, { source, sourceEndpoint }) =>
    svix.ingest.endpoint.setHeaders(source, sourceEndpoint, { headers: { 'x-a': 'b' } }),

  'message.list': (svix, { app, eventType }) => svix.message.list(app, { eventTypes: [eventType], withContent: true }),
  'message.create': (svix, { app, eventType, fresh }) =>
    svix.message.create(app, { eventType, eventId: fresh(), payload: { n: 1 }, channels: ['c'], tags: ['t'] }),
  'message.precheck': (svix, { app, eventType }) => svix.message.precheck(app, { eventType, channels: ['c'] }),
  'message.get': (svix, { app, message }) => svix.message.get(app, message),
  'message.expungeContent': async (svix, { app, eventType }) =>
    svix.message.expungeContent(app, (await svix.message.create(app, { eventType, payload: {} })).id),
  'message.bulkExpungeContent': async (svix, { app, eventType }) =>
    svix.message.bulkExpungeContent(app, { ids: [(await svix.message.create(app, { eventType, payload: {} })).id] }),
  'message.expungeAllContents': async (svix) =>
    svix.message.expungeAllContents((await svix.application.create({ name: 'Emptied' })).id),

  'messageAttempt.listByEndpoint': (svix, { app, endpoint }) =>
    svix.messageAttempt.listByEndpoint(app, endpoint, { withContent: true, withMsg: true }),
  'messageAttempt.listByMsg': (svix, { app, message }) => svix.messageAttempt.listByMsg(app, message),
  'messageAttempt.listAttemptedMessages': (svix, { app, endpoint }) =>
    svix.messageAttempt.listAttemptedMessages(app, endpoint),
  'messageAttempt.listAttemptedDestinations': (svix, { app, message }) =>
    svix.messageAttempt.listAttemptedDestinations(app, message),
  'messageAttempt.get': (svix, { app, message, attempt }) => svix.messageAttempt.get(app, message, attempt),
  'messageAttempt.expungeContent': (svix, { app, message, attempt }) =>
    svix.messageAttempt.expungeContent(app, message, attempt),
  'messageAttempt.resend': (svix, { app, message, endpoint }) => svix.messageAttempt.resend(app, message, endpoint),

  'operationalWebhook.endpoint.list': (svix) => svix.operationalWebhook.endpoint.list({ limit: 2 }),
  'operationalWebhook.endpoint.create': (svix, { url, fresh }) =>
    svix.operationalWebhook.endpoint.create({ url, uid: fresh() }),
  'operationalWebhook.endpoint.get': (svix, { operational }) => svix.operationalWebhook.endpoint.get(operational),
  'operationalWebhook.endpoint.upsert': (svix, { operational, url }) =>
    svix.operationalWebhook.endpoint.upsert(operational, { url, description: 'Put' }),
  'operationalWebhook.endpoint.delete': async (svix, { url }) =>
    svix.operationalWebhook.endpoint.delete((await svix.operationalWebhook.endpoint.create({ url })).id),
  'operationalWebhook.endpoint.getSecret': (svix, { operational }) =>
    svix.operationalWebhook.endpoint.getSecret(operational),
  'operationalWebhook.endpoint.rotateSecret': (svix, { operational }) =>
    svix.operationalWebhook.endpoint.rotateSecret(operational),
  'operationalWebhook.endpoint.getHeaders': (svix, { operational }) =>
    svix.operationalWebhook.endpoint.getHeaders(operational),
  'operationalWebhook.endpoint.setHeaders': (svix, { operational }) =>
    svix.operationalWebhook.endpoint.setHeaders(operational, { headers: { 'x-a': 'b' } }),

  'statistics.aggregateEventTypes': (svix) => svix.statistics.aggregateEventTypes(),
  'statistics.aggregateAppStats': (svix, { app, since, until }) =>
    svix.statistics.aggregateAppStats({ since, until, appIds: [app] }),
}
