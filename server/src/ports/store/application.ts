import type { Application } from '../../domain/application.ts'
import type { ApplicationId, EnvironmentId, Millis } from '../../domain/ids.ts'
import type { PageSearch } from '../../domain/page.ts'
import type { Told } from './road.ts'

/** `stale`: the row was changed since it was read; read again and decide again. */
export type WriteResult = 'done' | 'uid-taken' | 'stale'

/** How often that was changed which messages of an application are matched against, in itself and in its environment. */
export interface RoutesCounts {
  readonly environmentId: EnvironmentId
  readonly application: number
  readonly environment: number
}

export interface ApplicationStore {
  insert(row: Application): Promise<'done' | 'uid-taken'>
  /** Only if the stored revision is `row.revision - 1`. */
  update(row: Application): Promise<WriteResult>
  /**
   * With its endpoints; their waiting deliveries are swept afterwards. `told` is stored in the same transaction.
   * `ifRevision`: only if it still has that one.
   */
  delete(id: ApplicationId, at: Millis, told?: Told | null, ifRevision?: number): Promise<'done' | 'stale'>
  /** Of the customers' applications. */
  find(environmentId: EnvironmentId, idOrUid: string): Promise<Application | null>
  /** Whatever it is for. */
  byId(id: ApplicationId): Promise<Application | null>
  /** Null: it is not there, or deleted. */
  routes(id: ApplicationId): Promise<RoutesCounts | null>
  /** The one whose messages are operational webhooks; null: nobody has asked for them yet. */
  operational(environmentId: EnvironmentId): Promise<Application | null>
  /** As `operational`; made from this row where there is none. */
  ensureOperational(row: Application): Promise<Application>
  list(
    environmentId: EnvironmentId,
    filter: { readonly withEndpointsOnly: boolean },
    search: PageSearch,
  ): Promise<readonly Application[]>
}
