import { type BulkReplayIn, operations, type RecoverIn, type TaskBegunOut } from '@posthorn/contract'
import type { FastifyInstance } from 'fastify'
import { momentOf } from '../../domain/moment.ts'
import type { Standing, Task, TaskKind, TaskStatus } from '../../domain/task.ts'
import { taskData, taskStatuses, taskTypes } from '../../domain/task-wording.ts'
import type { Manage } from '../../manage/manage.ts'
import type { ReplayWish } from '../../manage/tasks.ts'
import { type Answer, ok, pageAnswer, serve } from '../route.ts'
import { pageAskOf } from './page-ask.ts'
import { timeOf, timeText } from './time.ts'

// By the number the clients give a message's status: success, pending, fail, sending, canceled.
const standings: readonly Standing[] = ['delivered', 'waiting', 'failed', 'waiting', 'canceled']

const kinds = Object.keys(taskTypes) as readonly TaskKind[]
const kindOf = (type: string): TaskKind | null => kinds.find((kind) => taskTypes[kind] === type) ?? null
const statusesOf = (status: string): readonly TaskStatus[] =>
  (Object.keys(taskStatuses) as readonly TaskStatus[]).filter((own) => taskStatuses[own] === status)

const spanOf = ({ since, until, dryRun = false, rate = null }: RecoverIn) => ({
  since: momentOf(since),
  until: timeOf(until),
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
    const own = principal.kind === 'portal' ? principal.applicationId : null
    const { task, results } = await tasks.get(principal.environmentId, params.task_id, own)
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
  serve(app, operations['v1.message.expunge-all-contents'], async ({ params }, { principal }) =>
    begun(await tasks.expunge(principal.environmentId, params.app_id)),
  )
  serve(app, operations['v1.statistics.aggregate-event-types'], async (_, { principal }) =>
    begun(await tasks.eventTypeUsage(principal.environmentId)),
  )
  serve(app, operations['v1.statistics.aggregate-app-stats'], async ({ body }, { principal }) => {
    const { task, unresolved } = await tasks.applicationUsage(principal.environmentId, {
      since: momentOf(body.since),
      until: momentOf(body.until),
      applications: body.appIds ?? null,
    })
    return { status: 202, json: JSON.stringify({ ...shown(task), unresolvedAppIds: unresolved }) }
  })
}

const begun = (task: Task): Answer => ({ status: 202, json: JSON.stringify(shown(task)) })

const shown = (task: Task): TaskBegunOut => ({
  id: task.id,
  status: taskStatuses[task.status],
  task: taskTypes[task.ask.kind],
  updatedAt: timeText(task.updatedAt),
})

const resultNames = { 'event-type-usage': 'event_types', 'application-usage': 'appStats' } as const

/** `results` null: left out, as from lists, where there may be very many. */
function json(task: Task, results: readonly string[] | null): string {
  const { kind } = task.ask
  const data = JSON.stringify(taskData(task))
  const found =
    results !== null && (kind === 'event-type-usage' || kind === 'application-usage')
      ? `"${resultNames[kind]}":[${results.join(',')}],`
      : ''
  return `${JSON.stringify(shown(task)).slice(0, -1)},"data":{${found}${data.slice(1)}}`
}
