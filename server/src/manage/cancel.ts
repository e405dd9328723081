import { endedAttempt } from '../domain/attempt.ts'
import type { ApplicationId, EnvironmentId, MessageId } from '../domain/ids.ts'
import type { ManageContext } from './context.ts'
import { getMessage } from './messages.ts'
import { readAll } from './page.ts'

/** Ends what waits of a message, at all endpoints and nodes. Resolves to how many deliveries that were. Throws `not-found`. */
export async function cancelMessage(
  context: ManageContext,
  environmentId: EnvironmentId,
  application: string,
  message: string,
): Promise<number> {
  const { id, applicationId } = await getMessage(context, environmentId, application, message, false)
  const inMemory = await context.cancelHot(applicationId, id)
  const { waiting, ended } = await endStored(context, id)
  // What was on its way from the store into memory meanwhile has arrived by now.
  const arrived = ended < waiting ? await context.cancelHot(applicationId, id) : 0
  const elsewhere = ended + arrived < waiting ? await cancelElsewhere(context, applicationId, id) : 0
  context.wake()
  return inMemory + ended + arrived + elsewhere
}

/** What nobody holds. */
async function endStored(
  { store, world, newId }: ManageContext,
  id: MessageId,
): Promise<{ readonly waiting: number; readonly ended: number }> {
  const destinations = await destinationsOf(store, id)
  const now = world.now()
  const attempts = destinations
    .filter(({ state }) => state.kind === 'waiting')
    .map(({ endpoint: { id: endpointId, url } }) =>
      endedAttempt(
        { id: newId('attempt'), messageId: id, endpointId, trigger: 'manual', url, startedAt: now },
        'canceled',
      ),
    )
  return { waiting: attempts.length, ended: attempts.length === 0 ? 0 : await store.road.end(attempts, now) }
}

/** What other nodes hold. Only what really ended so counts: what is under way there may end otherwise. */
async function cancelElsewhere(context: ManageContext, applicationId: ApplicationId, id: MessageId): Promise<number> {
  const held = await context.recall({ kind: 'cancel', applicationId, messageIds: [id] })
  if (held.length === 0) return 0
  // What its node put back before it heard of this, and what a node held that is not heard any more.
  await endStored(context, id)
  // Of that, what was claimed for this one meanwhile.
  await context.cancelHot(applicationId, id)
  const asked = new Set(held.map(({ endpointId }) => endpointId))
  const destinations = await destinationsOf(context.store, id)
  return destinations.filter(({ endpoint, state }) => asked.has(endpoint.id) && state.kind === 'canceled').length
}

const destinationsOf = (store: ManageContext['store'], id: MessageId) =>
  readAll(
    (search) => store.attempts.destinations(id, search),
    ({ endpoint }) => endpoint.id,
  )
