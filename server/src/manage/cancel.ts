import { endedAttempt } from '../domain/attempt.ts'
import type { EnvironmentId } from '../domain/ids.ts'
import type { ManageContext } from './context.ts'
import { getMessage } from './messages.ts'
import { readAll } from './page.ts'

/** Ends what waits of a message, at all endpoints. Resolves to how many deliveries that were. Throws `not-found`. */
export async function cancelMessage(
  context: ManageContext,
  environmentId: EnvironmentId,
  application: string,
  message: string,
): Promise<number> {
  const { store, world, newId } = context
  const { id, applicationId } = await getMessage(context, environmentId, application, message, false)
  const inMemory = await context.cancelHot(applicationId, id)
  const destinations = await readAll(
    (search) => store.attempts.destinations(id, search),
    ({ endpoint }) => endpoint.id,
  )
  const waiting = destinations.filter(({ state }) => state.kind === 'waiting')
  const now = world.now()
  const attempts = waiting.map(({ endpoint: { id: endpointId, url } }) =>
    endedAttempt(
      { id: newId('attempt'), messageId: id, endpointId, trigger: 'manual', url, startedAt: now },
      'canceled',
    ),
  )
  const inStore = attempts.length === 0 ? 0 : await store.road.end(attempts, now)
  // What was on its way from the store into memory meanwhile has arrived by now.
  const arrived = inStore < attempts.length ? await context.cancelHot(applicationId, id) : 0
  context.wake()
  return inMemory + inStore + arrived
}
