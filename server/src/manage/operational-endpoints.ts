import type { Endpoint } from '../domain/endpoint.ts'
import { type EnvironmentId, isId } from '../domain/ids.ts'
import { operationalTypesFaults } from '../domain/operational.ts'
import type { Page, PageAsk } from '../domain/page.ts'
import { theOperational } from './applications.ts'
import { type Expectation, expectNothing } from './change.ts'
import { refuse } from './checks.ts'
import type { ManageContext } from './context.ts'
import { createEndpoint, type EndpointWish, listEndpoints, replaceEndpoint } from './endpoints.ts'
import { readPage } from './page.ts'

/** What can be said about where operational webhooks go. */
export type OperationalWish = Omit<EndpointWish, 'channels' | 'filter' | 'control'>

const wishOf = (wish: OperationalWish): EndpointWish => ({
  ...wish,
  channels: null,
  filter: null,
  control: (held) => held,
})

/** Made with the first endpoint: who asks for no operational webhooks has no application for them. */
async function ensureApplication(context: ManageContext, environmentId: EnvironmentId): Promise<void> {
  const { applications } = context.store
  if (await applications.operational(environmentId)) return
  const now = context.world.now()
  const { id } = await applications.ensureOperational({
    ...{
      id: context.newId('application'),
      environmentId,
      uid: null,
      name: 'Operational webhooks',
      kind: 'operational',
      pausedAt: null,
    },
    ...{ throttleRate: null, control: {}, metadata: {}, createdAt: now, updatedAt: now, revision: 1 },
  })
  context.changed(id)
}

/** As `listEndpoints`. */
export async function listOperational(
  context: ManageContext,
  environmentId: EnvironmentId,
  ask: PageAsk,
): Promise<Page<Endpoint>> {
  if (!(await context.store.applications.operational(environmentId))) {
    return readPage<Endpoint>(ask, { keys: 'endpoint', keyOf: ({ id }) => id, fetch: async () => [] })
  }
  return listEndpoints(context, environmentId, theOperational, ask)
}

/** As `createEndpoint`. */
export async function createOperational(
  context: ManageContext,
  environmentId: EnvironmentId,
  wish: OperationalWish,
  secret: string | null,
  headers: Readonly<Record<string, string>>,
): Promise<Endpoint> {
  refuse(operationalTypesFaults(wish.eventTypes, '/eventTypes'))
  await ensureApplication(context, environmentId)
  return createEndpoint(context, environmentId, theOperational, wishOf(wish), secret, headers)
}

/** As `replaceEndpoint`. */
export async function replaceOperational(
  context: ManageContext,
  environmentId: EnvironmentId,
  idOrUid: string,
  wish: OperationalWish,
  expect: Expectation = expectNothing,
): Promise<{ readonly created: boolean; readonly row: Endpoint }> {
  refuse(operationalTypesFaults(wish.eventTypes, '/eventTypes'))
  if (!isId('endpoint', idOrUid)) await ensureApplication(context, environmentId)
  return replaceEndpoint(context, environmentId, theOperational, idOrUid, wishOf(wish), expect)
}
