import type { Attempt } from '../domain/attempt.ts'
import type { DeliveryState } from '../domain/delivery.ts'
import type { Endpoint } from '../domain/endpoint.ts'
import { type AttemptId, type EnvironmentId, isId } from '../domain/ids.ts'
import type { Message } from '../domain/message.ts'
import type { Page, PageAsk } from '../domain/page.ts'
import { Problem } from '../domain/problem.ts'
import type { AttemptFilter, MessageFilter } from '../ports/store.ts'
import { getApplication } from './applications.ts'
import type { ManageContext } from './context.ts'
import { endpointOf, getEndpoint } from './endpoints.ts'
import { getMessage } from './messages.ts'
import { readPage } from './page.ts'

/** Throws Problem `not-found`, for application and message too. */
export async function getAttempt(
  context: ManageContext,
  environmentId: EnvironmentId,
  application: string,
  message: string,
  id: string,
): Promise<Attempt> {
  const { id: messageId } = await getMessage(context, environmentId, application, message, false)
  const found = isId('attempt', id) ? await context.store.attempts.find(messageId, id) : null
  if (!found) throw new Problem('not-found', `No attempt '${id}' of this message.`)
  return found
}

/** Attempts by id, which is by age. Throws `not-found`, `iterator-invalid`. */
export async function listAttemptsByEndpoint(
  context: ManageContext,
  environmentId: EnvironmentId,
  application: string,
  endpoint: string,
  filter: AttemptFilter,
  ask: PageAsk,
): Promise<Page<{ readonly attempt: Attempt; readonly message: Message | null }>> {
  const { id } = await getEndpoint(context, environmentId, application, endpoint)
  return readPage<{ readonly attempt: Attempt; readonly message: Message | null }>(ask, {
    keys: 'attempt',
    keyOf: ({ attempt }) => attempt.id,
    fetch: (search) => context.store.attempts.listByEndpoint(id, filter, search),
  })
}

/** Attempts by id, which is by age. `endpoint`: only those at it, by id or uid. Throws `not-found`, `iterator-invalid`. */
export async function listAttemptsByMessage(
  context: ManageContext,
  environmentId: EnvironmentId,
  application: string,
  message: string,
  endpoint: string | null,
  filter: AttemptFilter,
  ask: PageAsk,
): Promise<Page<Attempt>> {
  const { id, applicationId } = await getMessage(context, environmentId, application, message, false)
  const endpointId = endpoint === null ? null : (await endpointOf(context, applicationId, endpoint)).id
  return readPage<Attempt>(ask, {
    keys: 'attempt',
    keyOf: (attempt) => attempt.id,
    fetch: (search) => context.store.attempts.listByMessage(id, { ...filter, endpointId }, search),
  })
}

export interface AttemptedMessage {
  readonly message: Message
  readonly state: DeliveryState
  readonly cursor: AttemptId
}

/** Where a message stands, as people ask for it: `pending` has not been tried, `sending` has and will be again. */
export type Standing = 'delivered' | 'failed' | 'canceled' | 'pending' | 'sending'

export const standingOf = (state: DeliveryState): Standing =>
  state.kind !== 'waiting' ? state.kind : state.attempts === 0 ? 'pending' : 'sending'

/** Messages by the latest attempt at this endpoint. Throws `not-found`, `iterator-invalid`. */
export async function listAttemptedMessages(
  context: ManageContext,
  environmentId: EnvironmentId,
  application: string,
  endpoint: string,
  filter: MessageFilter,
  standing: Standing | null,
  withPayload: boolean,
  ask: PageAsk,
): Promise<Page<AttemptedMessage>> {
  const { id } = await getEndpoint(context, environmentId, application, endpoint)
  const waiting = standing === 'pending' || standing === 'sending'
  const state = waiting ? 'waiting' : standing
  return readPage<AttemptedMessage>(ask, {
    // What waits for its first try has no attempt: the store then gives out a cursor of its own.
    keys: /^atmpt_\w+$/,
    keyOf: ({ cursor }) => cursor,
    ...(withPayload ? { weigh: ({ message }) => message.payload?.length ?? 0 } : {}),
    fetch: (search) => context.store.attempts.attemptedMessages(id, { ...filter, state }, withPayload, search),
    ...(waiting ? { keep: (row) => standingOf(row.state) === standing } : {}),
  })
}

export interface AttemptedDestination {
  readonly endpoint: Endpoint
  readonly state: DeliveryState
}

/** The endpoints a message goes to, by id. Throws `not-found`, `iterator-invalid`. */
export async function listAttemptedDestinations(
  context: ManageContext,
  environmentId: EnvironmentId,
  application: string,
  message: string,
  ask: PageAsk,
): Promise<Page<AttemptedDestination>> {
  const { id } = await getMessage(context, environmentId, application, message, false)
  return readPage<AttemptedDestination>(ask, {
    keys: 'endpoint',
    keyOf: ({ endpoint }) => endpoint.id,
    fetch: (search) => context.store.attempts.destinations(id, search),
  })
}

/** Makes a message due now at an endpoint. Throws `not-found`, `content-gone`, `endpoint-disabled`. */
export async function resend(
  context: ManageContext,
  environmentId: EnvironmentId,
  application: string,
  message: string,
  endpoint: string,
): Promise<void> {
  const { id: applicationId } = await getApplication(context, environmentId, application)
  const found = await getMessage(context, environmentId, application, message, true)
  const to = await endpointOf(context, applicationId, endpoint)
  if (found.payload === null) throw new Problem('content-gone')
  if (to.disabledBecause !== null) throw new Problem('endpoint-disabled')
  await context.store.road.resend({ messageId: found.id, endpointId: to.id })
  context.probe(to.id)
}
