import { type ApplicationIn, type ApplicationOut, operations } from '@posthorn/contract'
import type { FastifyInstance } from 'fastify'
import type { Application } from '../../domain/application.ts'
import type { ControlPart } from '../../domain/control.ts'
import { isId } from '../../domain/ids.ts'
import { Problem } from '../../domain/problem.ts'
import { uidFault } from '../../domain/uid.ts'
import type { ApplicationWish } from '../../manage/applications.ts'
import type { Manage } from '../../manage/manage.ts'
import { invalid } from '../input.ts'
import { demand, type Principal } from '../principal.ts'
import { done, ok, pageAnswer, serve, upserted } from '../route.ts'
import { controlShown, controlWish } from './control.ts'
import { pageAskOf } from './page-ask.ts'
import { rateOf } from './renamed.ts'
import { timeText } from './time.ts'

/** What a body says about an application; what it leaves out takes its default. */
const applicationWish = (body: ApplicationIn): ApplicationWish => ({
  name: body.name,
  uid: body.uid,
  throttleRate: rateOf(body) ?? null,
  control: (held) => controlWish('application', held, body.control),
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
  serve(app, operations['v1.application.update'], async ({ params, body }, { principal, expect }) => {
    const wish = applicationWish(body)
    const { created, row } = await applications.replace(principal.environmentId, params.app_id, wish, expect)
    return upserted(created, json(row))
  })
  serve(app, operations['v1.application.patch'], async ({ params, body }, { principal, expect }) => {
    const { name, uid, metadata } = body
    const control = (held: ControlPart): ControlPart => controlWish('application', held, body.control)
    const patch = { name, uid, metadata, throttleRate: rateOf(body), control }
    return ok(json(await applications.patch(principal.environmentId, params.app_id, patch, expect)))
  })
  serve(app, operations['v1.application.delete'], async ({ params }, { principal, expect }) => {
    await applications.delete(principal.environmentId, params.app_id, expect)
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

/** The application of the path, made as the body describes it if there is none. */
export async function ensureApplication(
  { applications }: Pick<Manage, 'applications'>,
  principal: Principal,
  idOrUid: string,
  body: ApplicationIn,
): Promise<void> {
  const { environmentId } = principal
  try {
    await applications.get(environmentId, idOrUid)
  } catch (error) {
    if (!(error instanceof Problem) || error.code !== 'not-found' || isId('application', idOrUid)) throw error
    demand(principal, { scope: 'manage', portal: null })
    const uidInPath = uidFault(idOrUid, '/path/app_id')
    if (uidInPath) throw invalid([uidInPath])
    if (body.uid != null && body.uid !== idOrUid) {
      throw invalid([
        { pointer: '/application/uid', message: `must be '${idOrUid}', the name in the path, or left out` },
      ])
    }
    await applications.create(environmentId, { ...applicationWish(body), uid: idOrUid }, true)
  }
}
