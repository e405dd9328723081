import type { ApplicationId, EnvironmentId, Millis, TaskId } from '../../domain/ids.ts'
import { wordingOf } from '../../domain/operational.ts'
import type { PageSearch } from '../../domain/page.ts'
import {
  sentOf,
  type Task,
  type TaskAsk,
  type TaskKind,
  type TaskProgress,
  type TaskStatus,
} from '../../domain/task.ts'
import { taskFinished } from '../../domain/task-wording.ts'
import type { TaskStep, TaskStore, Told } from '../../ports/store.ts'
import { type Db, first } from '../db.ts'
import { appendTold } from './commit.ts'
import { pageParameters, pagesBy, pageText } from './page.ts'
import type { Queries } from './queries.ts'
import { addReplayed, holdReplayed, look } from './replay.ts'
import { applications, countAttempts, subscriptions } from './usage.ts'

type TaskRow = {
  readonly id: TaskId
  readonly environment_id: EnvironmentId
  readonly application_id: ApplicationId | null
  readonly kind: TaskKind
  readonly status: TaskStatus
  readonly ask: string
  readonly progress: string
  readonly rate: number
  readonly created_at: number
  readonly updated_at: number
  readonly revision: number
}

const columns =
  'id, environment_id, application_id, kind, status, ask, progress, rate, created_at, updated_at, revision'

const taskOf = (row: TaskRow): Task => ({
  id: row.id,
  environmentId: row.environment_id,
  applicationId: row.application_id,
  ask: JSON.parse(row.ask) as TaskAsk,
  status: row.status,
  progress: JSON.parse(row.progress) as TaskProgress,
  rate: row.rate,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
  revision: row.revision,
})

async function insert(db: Db, row: Task): Promise<void> {
  await db.run(
    `insert into task (${columns})
     values (:id, :environmentId, :applicationId, :kind, :status, :ask, :progress, :rate, :createdAt, :updatedAt, :revision)`,
    { ...row, kind: row.ask.kind, ask: JSON.stringify(row.ask), progress: JSON.stringify(row.progress) },
  )
}

const findAny = `select ${columns} from task where environment_id = :environmentId and id = :id`
// Another application's is not read at all: how long that took would tell that it is there.
const findOwn = `${findAny} and application_id = :applicationId`

async function find(
  db: Db,
  environmentId: EnvironmentId,
  id: TaskId,
  applicationId: ApplicationId | null = null,
): Promise<Task | null> {
  const row = await (applicationId === null
    ? first<TaskRow>(db, findAny, { environmentId, id })
    : first<TaskRow>(db, findOwn, { environmentId, id, applicationId }))
  return row && taskOf(row)
}

const pages = pagesBy(
  'id',
  `select ${columns} from task
   where environment_id = :environmentId and id > :above and id < :below
     and (cast(:statuses as text) is null or status in (select value->>0 from @each(:statuses)))
     and (cast(:kind as text) is null or kind = :kind)`,
)

async function list(
  db: Db,
  environmentId: EnvironmentId,
  filter: { readonly statuses: readonly TaskStatus[] | null; readonly kind: TaskKind | null },
  search: PageSearch,
): Promise<readonly Task[]> {
  const statuses = filter.statuses && JSON.stringify(filter.statuses.map((status) => [status]))
  const rows = await db.all<TaskRow>(pageText(pages, search), {
    environmentId,
    statuses,
    kind: filter.kind,
    ...pageParameters(search),
  })
  return rows.map(taskOf)
}

async function running(db: Db, limit: number): Promise<readonly Task[]> {
  const rows = await db.all<TaskRow>(`select ${columns} from task where status = 'running' order by id limit :limit`, {
    limit,
  })
  return rows.map(taskOf)
}

async function results(db: Db, id: TaskId): Promise<readonly string[]> {
  const rows = await db.all<{ json: string }>('select json from task_result where task_id = :id order by place', { id })
  return rows.map(({ json }) => json)
}

const addResults = `
  insert into task_result (task_id, place, json) select :id, value->>0, value->>1 from @each(:rows) where true
  on conflict (task_id, place) do update set json = excluded.json`

const advance = (db: Db, step: TaskStep, told: Told | null = null): Promise<Task | null> =>
  db.transaction(async () => {
    const { id, revision, at, status, deliveries, results } = step
    if (deliveries) await holdReplayed(db, deliveries.endpointId, deliveries.rows)
    // Before anything is written, so that whoever canceled it meanwhile finds that nothing more was done.
    const ours = await db.run(
      `update task set revision = revision + 1 where id = :id and revision = :revision and status = 'running'`,
      { id, revision },
    )
    if (ours === 0) return null
    if (results.length > 0) {
      await db.run(addResults, { id, rows: JSON.stringify(results.map(({ place, json }) => [place, json])) })
    }
    const wanted = deliveries?.rows.length ?? 0
    const sent = deliveries && wanted > 0 ? await addReplayed(db, deliveries.endpointId, deliveries.rows, at) : 0
    const progress = JSON.stringify(sentOf(step.progress, wanted, sent))
    return stand(db, id, status, progress, at, told)
  })

/** Where each step, and each cancellation, ends inside its transaction. */
async function stand(
  db: Db,
  id: TaskId,
  status: TaskStatus,
  progress: string,
  at: Millis,
  told: Told | null,
): Promise<Task | null> {
  const [row] = await db.all<TaskRow>(
    `update task set status = :status, progress = :progress, updated_at = :at where id = :id returning ${columns}`,
    { id, status, progress, at },
  )
  if (!row) return null
  const task = taskOf(row)
  if (told) {
    // Only here it is known how far a canceled task came.
    const { payload } = wordingOf(taskFinished(task))
    await appendTold(db, { ...told, messages: told.messages.map((message) => ({ ...message, payload })) })
  }
  return task
}

const cancel = (db: Db, id: TaskId, at: Millis, told: Told | null = null): Promise<boolean> =>
  db.transaction(async () => {
    const row = await first<{ progress: string }>(
      db,
      `update task set revision = revision + 1 where id = :id and status = 'running' returning progress`,
      { id },
    )
    if (row) await stand(db, id, 'canceled', row.progress, at, told)
    return row !== null
  })

const forget = (db: Db, before: Millis, limit: number): Promise<number> =>
  db.transaction(async () => {
    const rows = await db.all<{ id: TaskId }>(
      `select id from task where status <> 'running' and created_at < :before order by id limit :limit`,
      { before, limit },
    )
    const ids = JSON.stringify(rows.map(({ id }) => [id]))
    if (rows.length > 0) {
      await db.run('delete from task_result where task_id in (select value->>0 from @each(:ids))', { ids })
      await db.run('delete from task where id in (select value->>0 from @each(:ids))', { ids })
    }
    return rows.length
  })

export const tasks = {
  ...{ insert, find, list, running, results, advance, cancel, forget },
  ...{ look, applications, subscriptions, countAttempts },
} satisfies Queries<TaskStore>
