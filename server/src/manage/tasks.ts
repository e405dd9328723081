import type { ApplicationId, EnvironmentId, Millis } from '../domain/ids.ts'
import { isId } from '../domain/ids.ts'
import type { Page, PageAsk } from '../domain/page.ts'
import { Problem } from '../domain/problem.ts'
import {
  notBegun,
  type ReplayAsk,
  type Task,
  type TaskAsk,
  type TaskKind,
  type TaskStatus,
  usualRate,
} from '../domain/task.ts'
import { taskFinished } from '../domain/task-wording.ts'
import { getApplication } from './applications.ts'
import { refuse } from './checks.ts'
import type { ManageContext } from './context.ts'
import { getEndpoint } from './endpoints.ts'
import { readPage } from './page.ts'

type Distributed<Ask, Key extends PropertyKey> = Ask extends unknown ? Omit<Ask, Key> : never

/** What somebody asks to be sent again. `until` null: up to now. */
export type ReplayWish = Distributed<ReplayAsk, 'endpointId' | 'until'> & {
  readonly until: Millis | null
  /** Messages a second; null: the usual rate. */
  readonly rate: number | null
}

async function begin(
  { store, world, newId, wakeTasks }: ManageContext,
  environmentId: EnvironmentId,
  applicationId: ApplicationId | null,
  ask: TaskAsk,
  rate: number = usualRate,
): Promise<Task> {
  const now = world.now()
  const task: Task = {
    ...{ id: newId('task'), environmentId, applicationId, ask, rate, status: 'running', progress: notBegun },
    ...{ createdAt: now, updatedAt: now, revision: 1 },
  }
  await store.tasks.insert(task)
  wakeTasks()
  return task
}

const spanFault = (since: Millis, until: Millis | null) =>
  until !== null && until <= since ? { pointer: '/until', message: 'must be later than since' } : null

/** Begins to send to an endpoint again. Throws `not-found`, `request-invalid`, and `endpoint-disabled` unless it only counts. */
export async function beginReplay(
  context: ManageContext,
  environmentId: EnvironmentId,
  application: string,
  endpoint: string,
  wish: ReplayWish,
): Promise<Task> {
  const to = await getEndpoint(context, environmentId, application, endpoint)
  const { until, rate, ...rest } = wish
  refuse([spanFault(wish.since, until)])
  if (to.disabledBecause !== null && !wish.dryRun) throw new Problem('endpoint-disabled')
  // What is accepted from now on is not for this task: it is sent anyway. The millisecond that runs belongs to it still.
  const end = Math.min(until ?? Number.POSITIVE_INFINITY, context.world.now() + 1)
  const ask: ReplayAsk = { ...rest, endpointId: to.id, until: end }
  return begin(context, environmentId, to.applicationId, ask, rate ?? usualRate)
}

/** Begins to remove the content of everything an application was sent until now. Throws `not-found`. */
export async function beginExpunge(
  context: ManageContext,
  environmentId: EnvironmentId,
  application: string,
): Promise<Task> {
  const { id } = await getApplication(context, environmentId, application)
  return begin(context, environmentId, id, { kind: 'expunge', until: context.world.now() + 1 })
}

/** Begins to count which event types each application's endpoints ask for. */
export const beginEventTypeUsage = (context: ManageContext, environmentId: EnvironmentId): Promise<Task> =>
  begin(context, environmentId, null, { kind: 'event-type-usage' })

// Each is looked up before the answer.
const mostNamed = 1_000

/** Begins to count attempts; `applications` null: of all. Throws `request-invalid` where none of those named is there. */
export async function beginApplicationUsage(
  context: ManageContext,
  environmentId: EnvironmentId,
  { since, until, applications }: { since: Millis; until: Millis; applications: readonly string[] | null },
): Promise<{ readonly task: Task; readonly unresolved: readonly string[] }> {
  refuse([
    spanFault(since, until),
    applications && applications.length > mostNamed
      ? { pointer: '/appIds', message: `must not name more than ${mostNamed}; leave it out for all` }
      : null,
  ])
  const ids: ApplicationId[] = []
  const unresolved: string[] = []
  for (const name of new Set(applications)) {
    const found = await context.store.applications.find(environmentId, name)
    if (found) ids.push(found.id)
    else unresolved.push(name)
  }
  refuse([
    applications && ids.length === 0 ? { pointer: '/appIds', message: 'names no application that is here' } : null,
  ])
  const applicationIds = applications && ids
  const task = await begin(context, environmentId, null, { kind: 'application-usage', since, until, applicationIds })
  return { task, unresolved }
}

/** `applicationId` null: whosever it is. Throws `not-found`. */
async function getTask(
  { store }: ManageContext,
  environmentId: EnvironmentId,
  id: string,
  applicationId: ApplicationId | null = null,
): Promise<Task> {
  const found = isId('task', id) ? await store.tasks.find(environmentId, id, applicationId) : null
  if (!found) throw new Problem('not-found', `No task '${id}' in this environment.`)
  return found
}

/** A task with what it has found so far, as JSON texts. Throws `not-found`. */
export async function getTaskResults(
  context: ManageContext,
  environmentId: EnvironmentId,
  id: string,
  applicationId: ApplicationId | null,
): Promise<{ readonly task: Task; readonly results: readonly string[] }> {
  const task = await getTask(context, environmentId, id, applicationId)
  return { task, results: await context.store.tasks.results(task.id) }
}

/** Tasks by id, which is by age. Throws `iterator-invalid`. */
export const listTasks = (
  { store }: ManageContext,
  environmentId: EnvironmentId,
  filter: { readonly statuses: readonly TaskStatus[] | null; readonly kind: TaskKind | null },
  ask: PageAsk,
): Promise<Page<Task>> =>
  readPage<Task>(ask, {
    keys: 'task',
    keyOf: ({ id }) => id,
    fetch: (search) => store.tasks.list(environmentId, filter, search),
  })

/** Stops a task where it stands; one that is over stays as it is. Throws `not-found`. */
export async function cancelTask(context: ManageContext, environmentId: EnvironmentId, id: string): Promise<Task> {
  const task = await getTask(context, environmentId, id)
  const told = await context.told(environmentId, [taskFinished({ ...task, status: 'canceled' })])
  await context.store.tasks.cancel(task.id, context.world.now(), told)
  context.wakeTasks()
  context.wake()
  return getTask(context, environmentId, id)
}
