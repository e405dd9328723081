import { operations } from '@posthorn/contract'
import type { FastifyInstance } from 'fastify'
import type { Manage } from '../../manage/manage.ts'
import type { Principal } from '../principal.ts'
import { created, done, ok, pageAnswer, serve, upserted } from '../route.ts'
import { endpointJson, endpointWish, usualGraceSeconds, wholeEndpoint } from './endpoint.ts'
import { pageAskOf } from './page-ask.ts'

/** The endpoints of a source, on the paths of the client libraries: those of the application that it is. */
export function sourceEndpointRoutes(app: FastifyInstance, { sources, endpoints }: Manage): void {
  const idOf = async ({ environmentId }: Principal, { source_id }: { readonly source_id: string }): Promise<string> =>
    (await sources.get(environmentId, source_id)).id
  const whole = wholeEndpoint(endpoints)

  serve(app, operations['v1.ingest.endpoint.list'], async ({ params, query }, { principal, url }) => {
    const source = await idOf(principal, params)
    return pageAnswer(
      await endpoints.list(principal.environmentId, source, pageAskOf(query, 'ascending')),
      url,
      endpointJson,
    )
  })
  serve(app, operations['v1.ingest.endpoint.create'], async ({ params, body }, { principal }) => {
    const source = await idOf(principal, params)
    const { environmentId } = principal
    const { secret = null, headers } = body
    const row = await endpoints.create(environmentId, source, endpointWish(body, principal), secret, headers ?? {})
    return created(await whole(environmentId, row))
  })
  serve(app, operations['v1.ingest.endpoint.get'], async ({ params }, { principal }) => {
    const source = await idOf(principal, params)
    const { environmentId } = principal
    return ok(await whole(environmentId, await endpoints.get(environmentId, source, params.endpoint_id)))
  })
  serve(app, operations['v1.ingest.endpoint.update'], async ({ params, body }, { principal, expect }) => {
    const source = await idOf(principal, params)
    const { environmentId } = principal
    const wish = endpointWish(body, principal)
    const { created, row } = await endpoints.replace(environmentId, source, params.endpoint_id, wish, expect)
    return upserted(created, await whole(environmentId, row))
  })
  serve(app, operations['v1.ingest.endpoint.delete'], async ({ params }, { principal, expect }) => {
    await endpoints.delete(principal.environmentId, await idOf(principal, params), params.endpoint_id, expect)
    return done
  })
  serve(app, operations['v1.ingest.endpoint.get-secret'], async ({ params }, { principal }) => {
    const source = await idOf(principal, params)
    const key = await endpoints.secret(principal.environmentId, source, params.endpoint_id)
    return ok(JSON.stringify({ key }))
  })
  serve(app, operations['v1.ingest.endpoint.rotate-secret'], async ({ params, body }, { principal }) => {
    const source = await idOf(principal, params)
    const graceMs = (body.gracePeriodSeconds ?? usualGraceSeconds) * 1000
    await endpoints.rotateSecret(principal.environmentId, source, params.endpoint_id, body.key ?? null, graceMs)
    return done
  })
  serve(app, operations['v1.ingest.endpoint.get-headers'], async ({ params }, { principal }) => {
    const source = await idOf(principal, params)
    return ok(JSON.stringify(await endpoints.headers(principal.environmentId, source, params.endpoint_id)))
  })
  serve(app, operations['v1.ingest.endpoint.update-headers'], async ({ params, body }, { principal, expect }) => {
    const source = await idOf(principal, params)
    await endpoints.replaceHeaders(principal.environmentId, source, params.endpoint_id, body.headers, expect)
    return done
  })
}
