import type { ApplicationId, EnvironmentId, Millis, PortalTokenId } from '../../domain/ids.ts'
import type { PortalToken } from '../../domain/portal.ts'
import type { PortalTokenStore } from '../../ports/store.ts'
import { type Db, first } from '../db.ts'
import type { Queries } from './queries.ts'

type PortalTokenRow = {
  readonly id: PortalTokenId
  readonly hash: string
  readonly environment_id: EnvironmentId
  readonly application_id: ApplicationId
  readonly capabilities: string
  readonly feature_flags: string
  readonly session_id: string | null
  readonly created_at: number
  readonly expires_at: number
}

const columns =
  'hash, id, environment_id, application_id, capabilities, feature_flags, session_id, created_at, expires_at'
const tokenOf = (row: PortalTokenRow): PortalToken => ({
  id: row.id,
  hash: row.hash,
  environmentId: row.environment_id,
  applicationId: row.application_id,
  capabilities: JSON.parse(row.capabilities) as PortalToken['capabilities'],
  featureFlags: JSON.parse(row.feature_flags) as readonly string[],
  sessionId: row.session_id,
  createdAt: row.created_at,
  expiresAt: row.expires_at,
})

async function insert(db: Db, token: PortalToken): Promise<void> {
  await db.run(
    `insert into portal_token (${columns})
     values (:hash, :id, :environmentId, :applicationId, :capabilities, :featureFlags, :sessionId, :createdAt, :expiresAt)`,
    { ...token, capabilities: JSON.stringify(token.capabilities), featureFlags: JSON.stringify(token.featureFlags) },
  )
}

async function byHash(db: Db, hash: string): Promise<PortalToken | null> {
  const row = await first<PortalTokenRow>(
    db,
    `select ${columns} from portal_token where hash = :hash and exists (
       select 1 from application where application.id = portal_token.application_id and deleted_at is null)`,
    { hash },
  )
  return row && tokenOf(row)
}

async function end(db: Db, hash: string, at: Millis): Promise<void> {
  await db.run('update portal_token set expires_at = :at where hash = :hash and expires_at > :at', { hash, at })
}

const ending = (which: string): string =>
  `update portal_token set expires_at = :at where hash in (
     select hash from portal_token where application_id = :applicationId${which} and expires_at > :at limit :limit)`
const endings = {
  all: ending(''),
  ofSessions: ending(' and session_id in (select value->>0 from @each(:sessionIds))'),
}

async function endAll(
  db: Db,
  applicationId: ApplicationId,
  sessionIds: readonly string[] | null,
  at: Millis,
  limit: number,
): Promise<number> {
  return sessionIds === null
    ? db.run(endings.all, { applicationId, at, limit })
    : db.run(endings.ofSessions, { applicationId, at, limit, sessionIds: JSON.stringify(sessionIds.map((id) => [id])) })
}

async function sweepExpired(db: Db, at: Millis, limit: number): Promise<number> {
  return db.run(
    'delete from portal_token where hash in (select hash from portal_token where expires_at < :at limit :limit)',
    { at, limit },
  )
}

export const portalTokens = { insert, byHash, end, endAll, sweepExpired } satisfies Queries<PortalTokenStore>
