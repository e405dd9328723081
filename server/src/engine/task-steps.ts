import { type ApplicationId, firstIdAt, type MessageId, type Millis } from '../domain/ids.ts'
import {
  type AttemptCursor,
  looksPerStep,
  type ReplayAsk,
  replayVerdict,
  restAfter,
  sendsPerStep,
  standingsOf,
  subscriptionsOf,
  type Task,
  type TaskAsk,
  type TaskFailure,
  type TaskProgress,
} from '../domain/task.ts'
import type { Judge } from '../ports/judge.ts'
import type { ReplayedDelivery, Store, TaskResult, TaskStep } from '../ports/store.ts'
import type { Directory } from './directory.ts'

/** One step as it was decided: what the store is to do, and how long the task rests afterwards. */
export interface DecidedStep {
  readonly step: TaskStep
  readonly restMs: Millis
}

// A few milliseconds of the store's reader, and of whoever reads beside it.
const mostLooked = 500
const mostApplications = 100
const mostCounted = 10_000

/** What the steps of tasks look at. */
export interface StepParts {
  readonly store: Pick<Store, 'tasks' | 'expunge' | 'messages'>
  readonly judge: Pick<Judge, 'filter'>
  readonly directory: Pick<Directory, 'cached' | 'load'>
  readonly expunge: Expunge
}

/** Removes the content of up to `limit` messages between two ids; `last` null: there are none. */
export type Expunge = (
  applicationId: ApplicationId,
  above: MessageId | '',
  below: MessageId,
  limit: number,
) => Promise<{ readonly last: MessageId | null; readonly seen: number; readonly count: number }>

/**
 * Looks at what comes next for a task and decides its step. What the step changes is done by `TaskStore.advance`, but for
 * the removal of content: that can be repeated.
 */
export async function decideStep(parts: StepParts, task: Task, now: Millis): Promise<DecidedStep> {
  const { store } = parts
  const { ask } = task
  switch (ask.kind) {
    case 'recover':
    case 'replay-missing':
    case 'bulk-replay':
      return replayStep(parts, task, ask, now)
    case 'expunge':
      return expungeStep(parts, task, ask, now)
    case 'event-type-usage':
      return subscriptionStep(store, task, now)
    case 'application-usage':
      return usageStep(store, task, ask, now)
  }
}

const stepOf = (
  task: Task,
  now: Millis,
  progress: Partial<TaskProgress>,
  rest: Partial<Pick<TaskStep, 'status' | 'deliveries' | 'results'>>,
): TaskStep => ({
  ...{ id: task.id, revision: task.revision, at: now, status: 'running', deliveries: null, results: [] },
  progress: { ...task.progress, ...progress },
  ...rest,
})

/** The step that ends a task which cannot go on. */
export const failingStep = (task: Task, now: Millis, failure: TaskFailure): TaskStep =>
  stepOf(task, now, { failure }, { status: 'failed' })

async function replayStep(parts: StepParts, task: Task, ask: ReplayAsk, now: Millis): Promise<DecidedStep> {
  const { store, directory } = parts
  const { environmentId, applicationId, progress, rate } = task
  const { endpointId } = ask
  if (!applicationId) throw new Error(`task ${task.id} names no application`)
  const routes = directory.cached(environmentId, applicationId) ?? (await directory.load(environmentId, applicationId))
  const endpoint = routes?.destinations.find(({ id }) => id === endpointId)
  if (!endpoint) return { step: failingStep(task, now, 'endpoint-deleted'), restMs: 0 }
  const most = sendsPerStep(rate)
  const limit = Math.min(mostLooked, looksPerStep(rate))
  const { looked, last, found } = await store.tasks.look({
    applicationId,
    endpointId,
    after: progress.after || firstIdAt('message', ask.since),
    below: firstIdAt('message', ask.until),
    limit,
    standings: standingsOf(ask),
  })
  const rows: ReplayedDelivery[] = []
  const skipped = { ...progress.skipped }
  let done = { seen: looked, last }
  // What is missing is what would be sent today, so the endpoint's filter is asked as well.
  const filter = ask.kind === 'replay-missing' ? endpoint.filter : null
  let judged = 0
  for (const candidate of found) {
    const verdict = replayVerdict(ask, endpoint, candidate, now)
    if (verdict.kind === 'skip') skipped[verdict.because] = (skipped[verdict.because] ?? 0) + 1
    if (verdict.kind !== 'send') continue
    const { messageId, lastAttemptId, place } = candidate
    if (filter !== null) judged += 1
    if (filter === null || (await passes(parts, applicationId, filter, messageId))) {
      rows.push({ messageId, dueAt: verdict.dueAt, orderKey: verdict.orderKey, lastAttemptId })
    }
    // The rest of what was looked at is looked at again: it may stand otherwise by then.
    if (Math.max(rows.length, judged) === most) {
      done = { seen: place, last: messageId }
      break
    }
  }
  // It ends with a step that sends nothing: only the store knows how many of these are really sent.
  const over = rows.length === 0 && done.seen === looked && looked < limit
  return {
    step: stepOf(
      task,
      now,
      {
        after: done.last ?? progress.after,
        seen: progress.seen + done.seen,
        done: progress.done + (ask.dryRun ? rows.length : 0),
        skipped,
      },
      { status: over ? 'finished' : 'running', deliveries: ask.dryRun ? null : { endpointId, rows } },
    ),
    restMs: restAfter(rate, Math.max(ask.dryRun ? 0 : rows.length, judged), done.seen),
  }
}

/** What cannot be worked out does not pass, as on the road. Throws Problem `unavailable`. */
async function passes(
  { store, judge }: StepParts,
  applicationId: ApplicationId,
  filter: string,
  messageId: MessageId,
): Promise<boolean> {
  const message = await store.messages.find(applicationId, messageId, true)
  if (message?.payload == null) return false
  const [verdict] = await judge.filter(applicationId, [filter], { ...message, payload: message.payload })
  return verdict?.kind === 'yes'
}

// After a kill the last step is done again: it removes nothing twice, but what it had removed is not counted.
async function expungeStep(
  { store, expunge }: StepParts,
  task: Task,
  ask: Extract<TaskAsk, { kind: 'expunge' }>,
  now: Millis,
): Promise<DecidedStep> {
  const { applicationId, progress, rate } = task
  if (!applicationId) throw new Error(`task ${task.id} names no application`)
  const limit = sendsPerStep(rate)
  const above = progress.after as MessageId | ''
  const { last, seen, count } = await expunge(applicationId, above, firstIdAt('message', ask.until), limit)
  if (last !== null) {
    const more = { after: last, seen: progress.seen + seen, done: progress.done + count }
    return { step: stepOf(task, now, more, {}), restMs: restAfter(rate, count, seen) }
  }
  const gone = await store.expunge.forGood()
  return {
    step: gone ? stepOf(task, now, {}, { status: 'finished' }) : failingStep(task, now, 'content-held'),
    restMs: 0,
  }
}

async function subscriptionStep({ tasks }: Pick<Store, 'tasks'>, task: Task, now: Millis): Promise<DecidedStep> {
  const { progress, rate, environmentId } = task
  const applications = await tasks.applications(environmentId, progress.after as ApplicationId, null, mostApplications)
  const eventTypes = new Map(applications.map(({ id }) => [id, [] as (readonly string[] | null)[]]))
  for (const row of await tasks.subscriptions([...eventTypes.keys()])) {
    eventTypes.get(row.applicationId)?.push(row.eventTypes)
  }
  const results = [...eventTypes].map(([appId, ofEndpoints]): TaskResult => {
    const { explicit, hasCatchAll } = subscriptionsOf(ofEndpoints)
    const json = JSON.stringify({ appId, explicitlySubscribedEventTypes: explicit, hasCatchAllEndpoint: hasCatchAll })
    return { place: appId, json }
  })
  return {
    step: stepOf(
      task,
      now,
      { after: applications.at(-1)?.id ?? progress.after, seen: progress.seen + applications.length },
      { status: applications.length < mostApplications ? 'finished' : 'running', results },
    ),
    restMs: restAfter(rate, 0, applications.length),
  }
}

async function usageStep(
  { tasks }: Pick<Store, 'tasks'>,
  task: Task,
  ask: Extract<TaskAsk, { kind: 'application-usage' }>,
  now: Millis,
): Promise<DecidedStep> {
  const { progress, rate, environmentId } = task
  const among = ask.applicationIds
  const applications = await tasks.applications(environmentId, progress.after as ApplicationId, among, mostApplications)
  const results: TaskResult[] = []
  let { after, within } = progress
  let left = mostCounted
  for (const { id, uid } of applications) {
    const from: (AttemptCursor & { readonly counted: number }) | null = within?.applicationId === id ? within : null
    const { counted, next } = await tasks.countAttempts(id, from, ask.since, ask.until, left)
    left -= counted
    const inAll = (from?.counted ?? 0) + counted
    within = next && { ...next, counted: inAll }
    if (next) break
    results.push({ place: id, json: JSON.stringify({ messageDestinations: inAll, appId: id, appUid: uid }) })
    after = id
    if (left <= 0) break
  }
  const over = results.length === applications.length && applications.length < mostApplications
  return {
    step: stepOf(
      task,
      now,
      { after, within, seen: progress.seen + results.length },
      { status: over ? 'finished' : 'running', results },
    ),
    restMs: restAfter(rate, 0, mostCounted - left + results.length),
  }
}
