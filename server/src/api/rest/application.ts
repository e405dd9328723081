import { type ApplicationIn, type ApplicationOut, operations } from '@posthorn/contract'
import type { FastifyInstance } from 'fastify'
import type { Application } from '../../domain/application.ts'
import type { ControlPart } from '../../domain/control.ts'
import type { ApplicationWish } from '../../manage/applications.ts'
import type { Manage } from '../../manage/manage.ts'
import { done, ok, pageAnswer, serve, upserted } from '../route.ts'
import { controlShown, controlWish } from './control.ts'
import { pageAskOf } from './page-ask.ts'
import { timeText } from './time.ts'

/** Where both names of a renamed field are given, the newer one counts. */
const rateOf = (body: Partial<Pick<ApplicationIn, 'throttleRate' | 'rateLimit'>>): number | null | undefined =>
  body.throttleRate === undefined ? body.rateLimit : body.throttleRate

/** What a body says about an application; what it leaves out takes its default. */
export const applicationWish = (body: ApplicationIn): ApplicationWish => ({
  name: body.name,
  uid: body.uid,
  throttleRate: rateOf(body) ?? null,
  control: (held) => controlWish(held, body.control),
  metadata: body.metadata ?? {},
})

export function applicationRoutes(app: FastifyInstance, { applications }: Manage): void {
  serve(app, operations['v1.application.list'], async ({ query }, { principal, url }) => {
    const filter = {
      withEndpointsOnly: query.exclude_apps_with_no_endpoints ?? false,
      notAllDisabled: query.exclude_apps_with_disabled_endpoints ?? false,
    }
    return pageAnswer(
      await applications.list(principal.environmentId, filter, pageAskOf(query, 'ascending')),
      url,
      json,
    )
  })
  serve(app, operations['v1.application.create'], async ({ query, body }, { principal }) => {
    const { created, row } = await applications.create(
      principal.environmentId,
      applicationWish(body),
      query.get_if_exists,
    )
    return upserted(created, json(row))
  })
  serve(app, operations['v1.application.get'], async ({ params }, { principal }) =>
    ok(json(await applications.get(principal.environmentId, params.app_id))),
  )
  serve(app, operations['v1.application.update'], async ({ params, body }, { principal }) => {
    const { created, row } = await applications.replace(principal.environmentId, params.app_id, applicationWish(body))
    return upserted(created, json(row))
  })
  serve(app, operations['v1.application.patch'], async ({ params, body }, { principal }) => {
    const { name, uid, metadata } = body
    const control = (held: ControlPart): ControlPart => controlWish(held, body.control)
    const patch = { name, uid, metadata, throttleRate: rateOf(body), control }
    return ok(json(await applications.patch(principal.environmentId, params.app_id, patch)))
  })
  serve(app, operations['v1.application.delete'], async ({ params }, { principal }) => {
    await applications.delete(principal.environmentId, params.app_id)
    return done
  })
}

function json(row: Application): string {
  const shown: ApplicationOut = {
    id: row.id,
    uid: row.uid,
    name: row.name,
    throttleRate: row.throttleRate,
    rateLimit: row.throttleRate,
    metadata: { ...row.metadata },
    control: controlShown(row.control),
    createdAt: timeText(row.createdAt),
    updatedAt: timeText(row.updatedAt),
  }
  return JSON.stringify(shown)
}
