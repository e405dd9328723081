import type { EnvironmentId, Millis } from '../domain/ids.ts'
import { Problem } from '../domain/problem.ts'
import { nonceBytes } from '../domain/seal.ts'
import type { Source } from '../domain/source.ts'
import { hashOfToken, openToken, sealToken } from '../domain/source-seal.ts'
import { untilFresh } from './change.ts'
import type { ManageContext } from './context.ts'
import { getSource, newToken } from './sources.ts'

/** The token of its URL, in the clear. */
export const tokenOf = ({ masterKey }: Pick<ManageContext, 'masterKey'>, source: Source): string =>
  openToken(masterKey, source)

// As the client libraries document it for `rotateToken`.
const formerLifeMs: Millis = 48 * 3_600_000
const mostFormer = 3

/** Gives it another; the former one works for 48 hours more. Throws `not-found`, `token-rotations-spent`, `changed-meanwhile`. */
export async function rotateToken(
  context: ManageContext,
  environmentId: EnvironmentId,
  idOrUid: string,
): Promise<Source> {
  const { store, world, masterKey } = context
  return untilFresh(async () => {
    const found = await getSource(context, environmentId, idOrUid)
    const now = world.now()
    if ((await store.sources.countTokens(found.id, now)) > mostFormer) throw new Problem('token-rotations-spent')
    const token = newToken(world)
    const sealedToken = sealToken(masterKey, found.id, token, world.randomBytes(nonceBytes))
    const row: Source = { ...found, sealedToken, updatedAt: now, revision: found.revision + 1 }
    const result = await store.sources.rotateToken(row, hashOfToken(token), now + formerLifeMs)
    if (result === 'stale') return 'stale'
    context.changed(row.id)
    return row
  })
}
