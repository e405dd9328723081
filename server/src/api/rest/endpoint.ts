import { type EndpointOut, type EndpointStats, type EndpointUpsertIn, operations } from '@posthorn/contract'
import type { FastifyInstance } from 'fastify'
import type { Endpoint } from '../../domain/endpoint.ts'
import type { EnvironmentId } from '../../domain/ids.ts'
import type { EndpointWish } from '../../manage/endpoints.ts'
import type { Manage } from '../../manage/manage.ts'
import type { Principal } from '../principal.ts'
import { created, done, ok, pageAnswer, serve, upserted } from '../route.ts'
import { controlShown, endpointControlWish, resolvedShown } from './control.ts'
import { pageAskOf } from './page-ask.ts'
import { eventTypesOf, rateOf } from './renamed.ts'
import { timeOf, timeText } from './time.ts'

/** How long a former secret signs on where nobody says otherwise. */
export const usualGraceSeconds = 86_400

/** What a body says about an endpoint; what it leaves out takes its default. */
export const endpointWish = (body: EndpointUpsertIn, principal: Principal): EndpointWish => ({
  url: body.url,
  description: body.description ?? '',
  uid: body.uid,
  disabled: body.disabled ?? false,
  eventTypes: eventTypesOf(body) ?? null,
  channels: body.channels ?? null,
  filter: body.filter,
  control: endpointControlWish(principal, body.control),
  metadata: body.metadata ?? {},
  throttleRate: rateOf(body) ?? null,
})

/** By itself an endpoint is shown with what counts for it; in a list that would be read anew for each. */
export const wholeEndpoint =
  (endpoints: Pick<Manage['endpoints'], 'resolved'>) =>
  async (environmentId: EnvironmentId, row: Endpoint): Promise<string> => {
    const { control, applicationThrottleRate } = await endpoints.resolved(environmentId, row)
    const shared = { applicationThrottleRate: { value: applicationThrottleRate, from: 'application' } }
    return JSON.stringify({
      ...endpointShown(row),
      metadata: row.metadata,
      resolved: { ...resolvedShown(control), ...shared },
    })
  }

export function endpointRoutes(app: FastifyInstance, { endpoints }: Manage): void {
  const whole = wholeEndpoint(endpoints)
  serve(app, operations['v1.endpoint.list'], async ({ params, query }, { principal, url }) => {
    const page = await endpoints.list(principal.environmentId, params.app_id, pageAskOf(query, 'ascending'))
    return pageAnswer(page, url, endpointJson)
  })
  serve(app, operations['v1.endpoint.create'], async ({ params, body }, { principal }) => {
    const { secret = null, headers } = body
    const { environmentId } = principal
    const row = await endpoints.create(
      environmentId,
      params.app_id,
      endpointWish(body, principal),
      secret,
      headers ?? {},
    )
    return created(await whole(environmentId, row))
  })
  serve(app, operations['v1.endpoint.get'], async ({ params }, { principal }) => {
    const { environmentId } = principal
    return ok(await whole(environmentId, await endpoints.get(environmentId, params.app_id, params.endpoint_id)))
  })
  serve(app, operations['v1.endpoint.update'], async ({ params, body }, { principal, expect }) => {
    const { app_id, endpoint_id } = params
    const { created, row } = await endpoints.replace(
      principal.environmentId,
      app_id,
      endpoint_id,
      endpointWish(body, principal),
      expect,
    )
    return upserted(created, await whole(principal.environmentId, row))
  })
  serve(app, operations['v1.endpoint.patch'], async ({ params, body }, { principal, expect }) => {
    const { url, description, uid, disabled, channels, filter, metadata, control } = body
    const patch = {
      url,
      description,
      uid,
      disabled,
      channels,
      filter,
      metadata,
      control: endpointControlWish(principal, control),
      eventTypes: eventTypesOf(body),
      throttleRate: rateOf(body),
    }
    const row = await endpoints.patch(principal.environmentId, params.app_id, params.endpoint_id, patch, expect)
    return ok(await whole(principal.environmentId, row))
  })
  serve(app, operations['v1.endpoint.delete'], async ({ params }, { principal, expect }) => {
    await endpoints.delete(principal.environmentId, params.app_id, params.endpoint_id, expect)
    return done
  })
  serve(app, operations['v1.endpoint.get-stats'], async ({ params, query }, { principal }) => {
    const span = { since: timeOf(query.since), until: timeOf(query.until) }
    const stats = await endpoints.stats(principal.environmentId, params.app_id, params.endpoint_id, span)
    const { delivered: success, failed: fail, canceled, pending, sending } = stats
    const shown: EndpointStats = { success, pending, sending, fail, canceled }
    return ok(JSON.stringify(shown))
  })
  serve(app, operations['v1.endpoint.pause'], async ({ params }, { principal }) =>
    ok(endpointJson(await endpoints.pause(principal.environmentId, params.app_id, params.endpoint_id, true))),
  )
  serve(app, operations['v1.endpoint.resume'], async ({ params }, { principal }) =>
    ok(endpointJson(await endpoints.pause(principal.environmentId, params.app_id, params.endpoint_id, false))),
  )
  serve(app, operations['v1.endpoint.get-secret'], async ({ params }, { principal }) =>
    ok(JSON.stringify({ key: await endpoints.secret(principal.environmentId, params.app_id, params.endpoint_id) })),
  )
  serve(app, operations['v1.endpoint.rotate-secret'], async ({ params, body }, { principal }) => {
    const graceMs = (body.gracePeriodSeconds ?? usualGraceSeconds) * 1000
    const { app_id, endpoint_id } = params
    await endpoints.rotateSecret(principal.environmentId, app_id, endpoint_id, body.key ?? null, graceMs)
    return done
  })
  serve(app, operations['v1.endpoint.get-headers'], async ({ params }, { principal }) =>
    ok(JSON.stringify(await endpoints.headers(principal.environmentId, params.app_id, params.endpoint_id))),
  )
  serve(app, operations['v1.endpoint.update-headers'], async ({ params, body }, { principal, expect }) => {
    await endpoints.replaceHeaders(principal.environmentId, params.app_id, params.endpoint_id, body.headers, expect)
    return done
  })
  serve(app, operations['v1.endpoint.patch-headers'], async ({ params, body }, { principal, expect }) => {
    const { headers = {}, deleteHeaders = [] } = body
    await endpoints.patchHeaders(
      principal.environmentId,
      params.app_id,
      params.endpoint_id,
      headers,
      deleteHeaders,
      expect,
    )
    return done
  })
}

/** An endpoint as it is shown wherever it appears, but for its metadata. */
export const endpointShown = (row: Endpoint): Omit<EndpointOut, 'metadata'> => ({
  id: row.id,
  uid: row.uid,
  url: row.url,
  description: row.description,
  disabled: row.disabledBecause !== null,
  eventTypes: row.eventTypes === null ? null : [...row.eventTypes],
  filterTypes: row.eventTypes === null ? null : [...row.eventTypes],
  channels: row.channels === null ? null : [...row.channels],
  throttleRate: row.throttleRate,
  rateLimit: row.throttleRate,
  filter: row.filter,
  control: controlShown(row.control),
  paused: row.pausedAt !== null,
  breakerOpenedAt: row.breakerOpenedAt === null ? null : timeText(row.breakerOpenedAt),
  version: 1,
  createdAt: timeText(row.createdAt),
  updatedAt: timeText(row.updatedAt),
})

export const endpointJson = (row: Endpoint): string => JSON.stringify({ ...endpointShown(row), metadata: row.metadata })
