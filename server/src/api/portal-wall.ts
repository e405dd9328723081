// A portal token sees one application. What it may not do at all is 403, whatever the path names: that can be read in the
// reference anyway. What it may not see is 404, word for word as if it were not there: whether a neighbour exists, and
// under which name, is nobody's business.

import { applicationNotFound } from '../manage/applications.ts'
import type { Manage } from '../manage/manage.ts'
import type { PortalPrincipal } from './principal.ts'

/**
 * Lets a request with a portal token into the token's own application: the name in its path becomes that application's
 * id, so that no handler can come to another one, even if a uid changes hands meanwhile. Throws Problem `not-found`.
 */
export async function intoApplication(
  applications: Pick<Manage['applications'], 'get'>,
  { environmentId, applicationId }: PortalPrincipal,
  request: { readonly params: unknown },
): Promise<void> {
  const { params } = request
  if (typeof params !== 'object' || params === null || !('app_id' in params)) return
  const named = String(params.app_id)
  if (named === applicationId) return
  const { id } = await applications.get(environmentId, named)
  if (id !== applicationId) throw applicationNotFound(named)
  params.app_id = applicationId
}
