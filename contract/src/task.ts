import Type, { type Static } from 'typebox'
import { Channel } from './endpoint.ts'
import { EventTypeName } from './event-type.ts'
import { nullable } from './nullable.ts'
import { listOf } from './page.ts'

/** As the client libraries know them; those of features that are not there never appear. */
export const BackgroundTaskType = Type.Enum([
  'endpoint.replay',
  'endpoint.recover',
  'endpoint.bulk-replay',
  'application.stats',
  'application.purge_content',
  'event-type.aggregate',
  'message.broadcast',
  'sdk.generate',
])
export const BackgroundTaskStatus = Type.Enum(['running', 'finished', 'failed'])

const taskShown = {
  id: Type.String(),
  status: BackgroundTaskStatus,
  task: BackgroundTaskType,
  updatedAt: Type.String({ format: 'date-time' }),
}
const example = {
  id: 'qtask_0TkxGmxb0007Qd4nCk1uRp8WzLs',
  status: 'running',
  task: 'endpoint.recover',
  updatedAt: '2026-03-01T09:10:00.000Z',
}

export const BackgroundTaskOut = Type.Object(
  {
    ...taskShown,
    data: Type.Unsafe<unknown>({
      type: 'object',
      description:
        'How far it is, and what it found. `messagesSent` (or `messagesCounted` where it only counts), `messagesSeen`, `messagesSkipped` by reason and `at`, up to when messages were looked at; `messagesPurged`; `event_types` and `appStats`, which lists leave out. A canceled one is `failed`, with `canceled: true`.',
    }),
  },
  {
    examples: [
      {
        ...example,
        data: {
          messagesSent: 1200,
          messagesSeen: 48_000,
          messagesSkipped: { waiting: 3 },
          at: '2026-02-27T14:03:11.402Z',
          appId: 'app_0TkxGmxa0007Lq2vYc8eMh5TzWk',
          endpointId: 'ep_0TkxGmxa0009Jd8sVb3nXq5PzUf',
        },
      },
    ],
  },
)
export type BackgroundTaskOut = Static<typeof BackgroundTaskOut>

export const ListResponseBackgroundTaskOut = listOf(BackgroundTaskOut)

/** A task that has just begun; `GET /background-task/{id}` shows how it goes on. */
const begun = (task: Static<typeof BackgroundTaskType>) => Type.Object(taskShown, { examples: [{ ...example, task }] })

export const RecoverOut = begun('endpoint.recover')
export const ReplayOut = begun('endpoint.replay')
export const ExpungeAllContentsOut = begun('application.purge_content')
export const AggregateEventTypesOut = begun('event-type.aggregate')
export type TaskBegunOut = Static<typeof RecoverOut>

const Time = Type.String({ format: 'date-time' })
const replayed = {
  since: { ...Time, description: 'Messages accepted at that moment or later.' },
  until: Type.Optional(nullable({ ...Time, description: 'Messages accepted before that. Default: now.' })),
  dryRun: Type.Optional(Type.Boolean({ description: 'Only count what would be sent. Default: false.' })),
  rate: Type.Optional(
    nullable(
      Type.Integer({
        minimum: 1,
        maximum: 10_000,
        description: 'How many messages a second are taken up. Default: 1000.',
      }),
    ),
  ),
}
const replayedExample = { since: '2026-02-27T00:00:00Z', until: '2026-02-28T00:00:00Z', rate: 50 }

export const RecoverIn = Type.Object(replayed, { examples: [replayedExample] })
export type RecoverIn = Static<typeof RecoverIn>

export const ReplayIn = Type.Object(replayed, { examples: [{ ...replayedExample, dryRun: true }] })

export const BulkReplayIn = Type.Object(
  {
    ...replayed,
    eventTypes: Type.Optional(nullable(Type.Array(EventTypeName, { minItems: 1, maxItems: 100 }))),
    channel: Type.Optional(nullable(Channel)),
    tag: Type.Optional(nullable(Type.String({ minLength: 1, maxLength: 128 }))),
    status: Type.Optional(
      Type.Unsafe<number | null>({
        type: ['integer', 'null'],
        enum: [0, 1, 2, 3, 4, null],
        description: 'Where the message stands at the endpoint: 0 success, 1 pending, 2 fail, 3 sending, 4 canceled.',
      }),
    ),
    statusCodeClass: Type.Optional(
      Type.Unsafe<number | null>({
        type: ['integer', 'null'],
        enum: [0, 100, 200, 300, 400, 500, null],
        description: 'Of the last attempt. 0: no answer; 200: 2xx; …',
      }),
    ),
  },
  { examples: [{ ...replayedExample, eventTypes: ['invoice.paid'], status: 2, statusCodeClass: 500 }] },
)
export type BulkReplayIn = Static<typeof BulkReplayIn>

export const AppUsageStatsIn = Type.Object(
  {
    since: Time,
    until: Time,
    appIds: Type.Optional(
      nullable(Type.Array(Type.String(), { maxItems: 1000, description: 'Ids or uids. Default: all applications.' })),
    ),
  },
  { examples: [{ since: '2026-02-01T00:00:00Z', until: '2026-03-01T00:00:00Z', appIds: ['acme'] }] },
)

export const AppUsageStatsOut = Type.Object(
  {
    ...taskShown,
    unresolvedAppIds: Type.Array(Type.String(), { description: 'Those asked for that are not here.' }),
  },
  { examples: [{ ...example, task: 'application.stats', unresolvedAppIds: [] }] },
)

/** The bodies that have a name in the reference. */
export const taskSchemas = {
  BackgroundTaskOut,
  ListResponseBackgroundTaskOut,
  RecoverIn,
  RecoverOut,
  ReplayIn,
  ReplayOut,
  BulkReplayIn,
  ExpungeAllContentsOut,
  AggregateEventTypesOut,
  AppUsageStatsIn,
  AppUsageStatsOut,
} as const
