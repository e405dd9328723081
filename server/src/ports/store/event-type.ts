import type { Environment } from '../../domain/environment.ts'
import type { EventType } from '../../domain/event-type.ts'
import type { EnvironmentId, Millis } from '../../domain/ids.ts'
import type { PageSearch } from '../../domain/page.ts'

/** An event type that was published; nothing is said about whether it is declared. */
export interface SeenEventType {
  readonly environmentId: EnvironmentId
  readonly name: string
  /** For the first time. */
  readonly seenAt: Millis
}

export interface EventTypeStore {
  insert(row: EventType): Promise<'done' | 'name-taken'>
  update(row: EventType): Promise<'done' | 'stale'>
  /**
   * Many at once, and beside them an environment (null: none), in one transaction: a row of revision 1 must not be there
   * yet, any other only changes the one before it. `stale`: nothing was written.
   */
  writeAll(rows: readonly EventType[], environment: Environment | null): Promise<'done' | 'stale'>
  /** `ifRevision`: only if it still has that one. */
  expunge(environmentId: EnvironmentId, name: string, ifRevision?: number): Promise<'done' | 'stale'>
  /** Keeps the first time each was seen; of one environment about 10,000. */
  noteSeen(rows: readonly SeenEventType[]): Promise<void>
  /** Those that were seen and are not declared, or are archived. */
  undeclared(
    environmentId: EnvironmentId,
    search: PageSearch,
  ): Promise<readonly (SeenEventType & { readonly archived: boolean })[]>
  find(environmentId: EnvironmentId, name: string): Promise<EventType | null>
  /** Its flags, and nothing else of it. */
  findFlags(environmentId: EnvironmentId, name: string): Promise<Pick<EventType, 'featureFlags'> | null>
  list(
    environmentId: EnvironmentId,
    filter: { readonly includeArchived: boolean },
    search: PageSearch,
  ): Promise<readonly EventType[]>
}
