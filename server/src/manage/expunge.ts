import type { EnvironmentId, MessageId } from '../domain/ids.ts'
import { Problem } from '../domain/problem.ts'
import { getApplication } from './applications.ts'
import { getAttempt } from './attempts.ts'
import type { ManageContext } from './context.ts'
import { getMessage } from './messages.ts'

// Messages handed to one step of the store.
const stepMessages = 100

/** Resolves when the content is gone and its bytes are in no file. Throws `not-found`, `content-held`. */
export async function expungeMessage(
  context: ManageContext,
  environmentId: EnvironmentId,
  application: string,
  message: string,
): Promise<void> {
  const { id, applicationId } = await getMessage(context, environmentId, application, message, false)
  await context.expunge(applicationId, [id])
  await forGood(context)
}

/** As for one. Resolves to what became of each, by the name it was asked for. Throws `not-found`, `content-held`. */
export async function expungeMany(
  context: ManageContext,
  environmentId: EnvironmentId,
  application: string,
  names: readonly string[],
): Promise<ReadonlyMap<string, 'expunged' | 'not-found'>> {
  const { id: applicationId } = await getApplication(context, environmentId, application)
  const ids = new Map<string, MessageId>()
  for (const name of new Set(names)) {
    const found = await context.store.messages.find(applicationId, name, false)
    if (found) ids.set(name, found.id)
  }
  const every = [...new Set(ids.values())]
  for (let at = 0; at < every.length; at += stepMessages) {
    await context.expunge(applicationId, every.slice(at, at + stepMessages))
  }
  if (every.length > 0) await forGood(context)
  return new Map(names.map((name) => [name, ids.has(name) ? 'expunged' : 'not-found']))
}

/** Removes what the receiver answered. Throws `not-found`, `content-held`. */
export async function expungeAttempt(
  context: ManageContext,
  environmentId: EnvironmentId,
  application: string,
  message: string,
  attempt: string,
): Promise<void> {
  const { messageId, id } = await getAttempt(context, environmentId, application, message, attempt)
  await context.store.expunge.attempt(messageId, id)
  await forGood(context)
}

/** Resolves when what was expunged before is in no file of the database. Throws `content-held`. */
async function forGood({ store }: ManageContext): Promise<void> {
  if (!(await store.expunge.forGood())) throw new Problem('content-held')
}
