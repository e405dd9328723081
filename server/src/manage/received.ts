import type { EnvironmentId } from '../domain/ids.ts'
import type { Page, PageAsk } from '../domain/page.ts'
import { Problem } from '../domain/problem.ts'
import type { ReceivedFilter, ReceivedMessage } from '../ports/store.ts'
import type { ManageContext } from './context.ts'
import { readPage } from './page.ts'
import { getSource } from './sources.ts'

/** A received request, by id or `eventId`. Throws Problem `not-found`, for the source too. */
export async function getReceived(
  context: ManageContext,
  environmentId: EnvironmentId,
  source: string,
  idOrEventId: string,
): Promise<ReceivedMessage> {
  const { id } = await getSource(context, environmentId, source)
  const found = await context.store.received.find(id, idOrEventId)
  if (!found) throw new Problem('not-found', `No message '${idOrEventId}' of this source.`)
  return found
}

/** What a source has received, without payloads. Throws `not-found`, `iterator-invalid`. */
export async function listReceived(
  context: ManageContext,
  environmentId: EnvironmentId,
  source: string,
  filter: ReceivedFilter,
  ask: PageAsk,
): Promise<Page<ReceivedMessage>> {
  const { id } = await getSource(context, environmentId, source)
  return readPage<ReceivedMessage>(ask, {
    keys: 'message',
    keyOf: ({ message }) => message.id,
    fetch: (search) => context.store.received.list(id, filter, search),
  })
}
