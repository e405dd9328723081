import type { EnvironmentId } from '../domain/ids.ts'
import { matches } from '../domain/match.ts'
import type { Message } from '../domain/message.ts'
import type { Page, PageAsk } from '../domain/page.ts'
import { Problem } from '../domain/problem.ts'
import type { MessageFilter } from '../ports/store.ts'
import { getApplication } from './applications.ts'
import type { ManageContext } from './context.ts'
import { readPage } from './page.ts'

/** By id or `eventId`. Throws Problem `not-found`, for the application too. */
export async function getMessage(
  context: ManageContext,
  environmentId: EnvironmentId,
  application: string,
  idOrEventId: string,
  withPayload: boolean,
): Promise<Message> {
  const { id } = await getApplication(context, environmentId, application)
  const found = await context.store.messages.find(id, idOrEventId, withPayload)
  if (!found) throw new Problem('not-found', `No message '${idOrEventId}' in this application.`)
  return found
}

/**
 * Whether any endpoint would get such a message. An endpoint with a filter expression counts: what the expression says
 * hangs on a payload that is not there yet. Throws Problem `not-found`.
 */
export async function precheckMessage(
  context: ManageContext,
  environmentId: EnvironmentId,
  application: string,
  message: Pick<Message, 'eventType' | 'channels'>,
): Promise<boolean> {
  const { id } = await getApplication(context, environmentId, application)
  const endpoints = await context.store.endpoints.all(id)
  return endpoints.some((endpoint) => matches(endpoint, message).kind === 'yes')
}

/** Messages by id, which is by age. Throws `not-found`, `iterator-invalid`. */
export async function listMessages(
  context: ManageContext,
  environmentId: EnvironmentId,
  application: string,
  filter: MessageFilter,
  withPayload: boolean,
  ask: PageAsk,
): Promise<Page<Message>> {
  const { id } = await getApplication(context, environmentId, application)
  return readPage<Message>(ask, {
    keys: 'message',
    keyOf: (message) => message.id,
    fetch: (search) => context.store.messages.list(id, filter, withPayload, search),
    ...(withPayload ? { weigh: (message) => message.payload?.length ?? 0 } : {}),
  })
}
