// A portal token sees one application. What it may not do at all is 403, whatever the path names: that can be read in the
// reference anyway. What it may not see is 404, word for word as if it were not there: whether a neighbour exists, and
// under which name, is nobody's business.

import type { EnvironmentId } from '../domain/ids.ts'
import { Problem } from '../domain/problem.ts'
import { applicationNotFound } from '../manage/applications.ts'
import { sourceNotFound } from '../manage/sources.ts'
import type { PortalPrincipal } from './principal.ts'

interface Noun {
  get(environmentId: EnvironmentId, idOrUid: string): Promise<{ readonly uid: string | null }>
}

interface Named {
  readonly applications: Noun
  readonly sources: Noun
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
  // What is read is the token's own, never what is named: whether a neighbour has that name would show in the time it takes.
  const demandOwn = async (named: string, noun: Noun, notFound: (named: string) => Problem): Promise<void> => {
    if (named === applicationId) return
    const own = await noun.get(environmentId, applicationId).catch((error: unknown) => {
      if (error instanceof Problem && error.code === 'not-found') return null
      throw error
    })
    if (own?.uid !== named) throw notFound(named)
  }
  if ('source_id' in params) {
    await demandOwn(String(params.source_id), sources, sourceNotFound)
    params.source_id = applicationId
  }
  if ('app_id' in params) {
    await demandOwn(String(params.app_id), applications, applicationNotFound)
    params.app_id = applicationId
  }
}
