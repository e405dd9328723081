import type { ApplicationId, Millis } from '../../domain/ids.ts'
import type { PortalToken } from '../../domain/portal.ts'

export interface PortalTokenStore {
  insert(token: PortalToken): Promise<void>
  /** Expired ones too; none of a deleted application. */
  byHash(hash: string): Promise<PortalToken | null>
  end(hash: string, at: Millis): Promise<void>
  /**
   * Up to `limit` tokens of an application that would live longer end at `at`; `sessionIds` null: of any session or none.
   * Resolves to how many there were.
   */
  endAll(applicationId: ApplicationId, sessionIds: readonly string[] | null, at: Millis, limit: number): Promise<number>
  /** Removes up to `limit` that ended before `at`; resolves to how many there were. */
  sweepExpired(at: Millis, limit: number): Promise<number>
}
