// A portal token sees one application. What it may not do at all is 403, whatever the path names: that can be read in the
// reference anyway. What it may not see is 404, word for word as if it were not there: whether a neighbour exists, and
// under which name, is nobody's business.

import { applicationNotFound } from '../manage/applications.ts'
import type { Manage } from '../manage/manage.ts'
import { sourceNotFound } from '../manage/sources.ts'
import type { PortalPrincipal } from './principal.ts'

interface Named {
  readonly applications: Pick<Manage['applications'], 'get'>
  readonly sources: Pick<Manage['sources'], 'get'>
}

/**
 * Lets a request with a portal token into the token's own application (or source): the name in its path becomes that application's
 * id, so that no handler can come to another one, even if a uid changes hands meanwhile. Throws Problem `not-found`.
 */
export async function intoApplication(
  { applications, sources }: Named,
  { environmentId, applicationId }: PortalPrincipal,
  request: { readonly params: unknown },
): Promise<void> {
  const { params } = request
  if (typeof params !== 'object' || params === null) return
  if ('source_id' in params) {
    const named = String(params.source_id)
    if (named === applicationId) return
    const { id } = await sources.get(environmentId, named)
    if (id !== applicationId) throw sourceNotFound(named)
    params.source_id = id
  }
  if (!('app_id' in params)) return
  const named = String(params.app_id)
  if (named === applicationId) return
  const { id } = await applications.get(environmentId, named)
  if (id !== applicationId) throw applicationNotFound(named)
  params.app_id = applicationId
}
