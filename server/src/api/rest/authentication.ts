import { type AppPortalAccessOut, operations } from '@posthorn/contract'
import type { FastifyInstance } from 'fastify'
import { capabilitiesOf } from '../../domain/portal.ts'
import { Problem } from '../../domain/problem.ts'
import type { Manage } from '../../manage/manage.ts'
import { portalUrl } from '../portal-page.ts'
import { done, ok, serve } from '../route.ts'
import { ensureApplication } from './application.ts'

export function authenticationRoutes(app: FastifyInstance, manage: Manage, publicUrl: string): void {
  const { portalTokens } = manage
  serve(app, operations['v1.authentication.app-portal-access'], async ({ params, body }, { principal }) => {
    const { application, capabilities, readOnly, featureFlags, expiry, sessionId } = body
    if (application) await ensureApplication(manage, principal, params.app_id, application)
    const { token, text } = await portalTokens.create(principal.environmentId, params.app_id, {
      capabilities: capabilitiesOf(capabilities ?? null, readOnly ?? false),
      featureFlags: featureFlags ?? [],
      sessionId: sessionId ?? null,
      lifeMs: expiry == null ? null : expiry * 1000,
    })
    const url = portalUrl(publicUrl, text, token.applicationId)
    return ok(JSON.stringify({ url, token: text } satisfies AppPortalAccessOut))
  })
  serve(app, operations['v1.authentication.expire-all'], async ({ params, body }, { principal }) => {
    const { expiry, sessionIds } = body
    await portalTokens.endAll(principal.environmentId, params.app_id, sessionIds ?? [], (expiry ?? 0) * 1000)
    return done
  })
  serve(app, operations['v1.authentication.logout'], async (_, { principal }) => {
    if (principal.kind !== 'portal') throw new Problem('portal-token-needed')
    await portalTokens.end(principal.hash)
    return done
  })
}
