import { timeOfId } from './ids.ts'
import type { Fact } from './operational.ts'
import type { Task, TaskFailure, TaskKind } from './task.ts'

/** The clients' words for what a task does. */
export const taskTypes = {
  recover: 'endpoint.recover',
  'replay-missing': 'endpoint.replay',
  'bulk-replay': 'endpoint.bulk-replay',
  // The client libraries' word; ours is expunge.
  expunge: 'application.purge_content',
  'event-type-usage': 'event-type.aggregate',
  'application-usage': 'application.stats',
} as const satisfies Record<TaskKind, string>

/** The clients' words for how it stands: of those that ended early they know one. */
export const taskStatuses = {
  running: 'running',
  finished: 'finished',
  failed: 'failed',
  canceled: 'failed',
} as const satisfies Record<Task['status'], string>

const failures = {
  'endpoint-deleted': 'The endpoint was deleted.',
  'content-held': 'The content is gone for all who ask, but a reader kept it in the log of the database.',
  broken: 'It could not go on; the log says why.',
} as const satisfies Record<TaskFailure, string>

/** That a task is over, as operational webhooks tell it: with its counts, not with what it has found. */
export const taskFinished = (task: Task): Fact => ({
  kind: 'background_task.finished',
  task: { id: task.id, status: taskStatuses[task.status], task: taskTypes[task.ask.kind], data: taskData(task) },
})

/** How far a task is, as people are shown it; without the rows it has found, which may be very many. */
export function taskData({ ask, applicationId, status, progress }: Task): Readonly<Record<string, unknown>> {
  const { seen, done, after, failure } = progress
  const ended = {
    ...(status === 'canceled' && { canceled: true }),
    ...(failure !== null && { error: failures[failure] }),
  }
  const at = after === '' ? null : new Date(timeOfId(after)).toISOString()
  switch (ask.kind) {
    case 'event-type-usage':
    case 'application-usage':
      return { applicationsSeen: seen, ...ended }
    case 'expunge':
      return { messagesPurged: done, messagesSeen: seen, at, appId: applicationId, ...ended }
    case 'recover':
    case 'replay-missing':
    case 'bulk-replay':
      return {
        messagesSent: ask.dryRun ? 0 : done,
        ...(ask.dryRun && { dryRun: true, messagesCounted: done }),
        messagesSeen: seen,
        messagesSkipped: progress.skipped,
        at,
        appId: applicationId,
        endpointId: ask.endpointId,
        ...ended,
      }
  }
}
