import {
  type BackgroundTaskOut,
  type BulkReplayIn,
  operations,
  type RecoverIn,
  type TaskBegunOut,
} from '@posthorn/contract'
import type { FastifyInstance } from 'fastify'
import { timeOfId } from '../../domain/ids.ts'
import type { SkipReason, Standing, Task, TaskFailure, TaskKind, TaskStatus } from '../../domain/task.ts'
import type { Manage } from '../../manage/manage.ts'
import type { ReplayWish } from '../../manage/tasks.ts'
import { type Answer, ok, pageAnswer, serve } from '../route.ts'
import { pageAskOf } from './page-ask.ts'
import { timeOf, timeText } from './time.ts'

const types = {
  recover: 'endpoint.recover',
  'replay-missing': 'endpoint.replay',
  'bulk-replay': 'endpoint.bulk-replay',
  'event-type-usage': 'event-type.aggregate',
  'application-usage': 'application.stats',
} as const satisfies Record<TaskKind, BackgroundTaskOut['task']>

// The clients' own enumeration knows three.
const statuses = { running: 'running', finished: 'finished', failed: 'failed', canceled: 'failed' } as const

const skipNames = {
  waiting: 'waiting',
  'content-gone': 'contentGone',
  expired: 'expired',
} as const satisfies Record<SkipReason, string>

const failures = {
  'endpoint-deleted': 'The endpoint was deleted.',
  'application-deleted': 'The application was deleted.',
  broken: 'It could not go on; the log says why.',
} as const satisfies Record<TaskFailure, string>

// By the number the clients give a message's status: success, pending, fail, sending, canceled.
const standings: readonly Standing[] = ['delivered', 'waiting', 'failed', 'waiting', 'canceled']

const kinds = Object.keys(types) as readonly TaskKind[]
const kindOf = (type: string): TaskKind | null => kinds.find((kind) => types[kind] === type) ?? null
const statusesOf = (status: string): readonly TaskStatus[] =>
  (Object.keys(statuses) as readonly TaskStatus[]).filter((own) => statuses[own] === status)

const spanOf = ({ since, until, dryRun = false, rate = null }: RecoverIn) => ({
  since: Date.parse(since),
  until: timeOf(until ?? undefined),
  dryRun,
  rate,
})

const bulkOf = (body: BulkReplayIn): ReplayWish => ({
  kind: 'bulk-replay',
  ...spanOf(body),
  eventTypes: body.eventTypes ?? null,
  channel: body.channel ?? null,
  tag: body.tag ?? null,
  standing: body.status == null ? null : (standings[body.status] ?? null),
  statusCodeClass: body.statusCodeClass ?? null,
})

export function backgroundTaskRoutes(app: FastifyInstance, { tasks }: Manage): void {
  serve(app, operations['v1.background-task.list'], async ({ query }, { principal, url }) => {
    const ask = pageAskOf(query, 'descending')
    const kind = query.task === undefined ? null : kindOf(query.task)
    const filter = { kind, statuses: query.status === undefined ? null : statusesOf(query.status) }
    const none = query.task !== undefined && kind === null
    const page = none
      ? { rows: [], iterator: null, prevIterator: null, done: true }
      : await tasks.list(principal.environmentId, filter, ask)
    return pageAnswer(page, url, (row) => json(row, null))
  })
  serve(app, operations['v1.background-task.get'], async ({ params }, { principal }) => {
    const { task, results } = await tasks.get(principal.environmentId, params.task_id)
    return ok(json(task, results))
  })
  serve(app, operations['v1.background-task.cancel'], async ({ params }, { principal }) =>
    ok(json(await tasks.cancel(principal.environmentId, params.task_id), null)),
  )
  serve(app, operations['v1.endpoint.recover'], async ({ params, body }, { principal }) => {
    const wish = { kind: 'recover', ...spanOf(body) } as const
    return begun(await tasks.replay(principal.environmentId, params.app_id, params.endpoint_id, wish))
  })
  serve(app, operations['v1.endpoint.replay-missing'], async ({ params, body }, { principal }) => {
    const wish = { kind: 'replay-missing', ...spanOf(body) } as const
    return begun(await tasks.replay(principal.environmentId, params.app_id, params.endpoint_id, wish))
  })
  serve(app, operations['v1.endpoint.bulk-replay'], async ({ params, body }, { principal }) =>
    begun(await tasks.replay(principal.environmentId, params.app_id, params.endpoint_id, bulkOf(body))),
  )
  serve(app, operations['v1.statistics.aggregate-event-types'], async (_, { principal }) =>
    begun(await tasks.eventTypeUsage(principal.environmentId)),
  )
  serve(app, operations['v1.statistics.aggregate-app-stats'], async ({ body }, { principal }) => {
    const { task, unresolved } = await tasks.applicationUsage(principal.environmentId, {
      since: Date.parse(body.since),
      until: Date.parse(body.until),
      applications: body.appIds ?? null,
    })
    return { status: 202, json: JSON.stringify({ ...shown(task), unresolvedAppIds: unresolved }) }
  })
}

export const begun = (task: Task): Answer => ({ status: 202, json: JSON.stringify(shown(task)) })

const shown = (task: Task): TaskBegunOut => ({
  id: task.id,
  status: statuses[task.status],
  task: types[task.ask.kind],
  updatedAt: timeText(task.updatedAt),
})

/** `results` null: left out, as from lists, where there may be very many. */
const json = (task: Task, results: readonly string[] | null): string =>
  `${JSON.stringify(shown(task)).slice(0, -1)},"data":{${dataMembers(task, results)}}}`

function dataMembers({ ask, applicationId, status, progress }: Task, results: readonly string[] | null): string {
  const { seen, done, skipped, after, failure } = progress
  const ended = {
    ...(status === 'canceled' && { canceled: true }),
    ...(failure !== null && { error: failures[failure] }),
  }
  const members = (data: object): string => JSON.stringify({ ...data, ...ended }).slice(1, -1)
  const found = (name: string): string => {
    const rest = members({ applicationsSeen: seen })
    return results === null ? rest : `"${name}":[${results.join(',')}],${rest}`
  }
  switch (ask.kind) {
    case 'event-type-usage':
      return found('event_types')
    case 'application-usage':
      return found('appStats')
    case 'recover':
    case 'replay-missing':
    case 'bulk-replay':
      return members({
        messagesSent: ask.dryRun ? 0 : done,
        ...(ask.dryRun && { dryRun: true, messagesCounted: done }),
        messagesSeen: seen,
        messagesSkipped: Object.fromEntries(
          Object.entries(skipNames).flatMap(([reason, name]) => {
            const count = skipped[reason as SkipReason]
            return count === undefined ? [] : [[name, count]]
          }),
        ),
        at: after === '' ? null : timeText(timeOfId(after)),
        appId: applicationId,
        endpointId: ask.endpointId,
      })
  }
}
