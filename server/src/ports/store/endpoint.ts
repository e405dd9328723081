import type { Endpoint } from '../../domain/endpoint.ts'
import type { ApplicationId, EndpointId, Millis } from '../../domain/ids.ts'
import type { PageSearch } from '../../domain/page.ts'
import type { WriteResult } from './application.ts'
import type { Told } from './road.ts'

export interface EndpointStore {
  /** `told`, here and below, is stored in the same transaction, if there is a change. */
  insert(row: Endpoint, told?: Told | null): Promise<'done' | 'uid-taken'>
  update(row: Endpoint, told?: Told | null): Promise<WriteResult>
  /** `ifRevision`: only if it still has that one. */
  delete(id: EndpointId, at: Millis, told?: Told | null, ifRevision?: number): Promise<'done' | 'stale'>
  find(applicationId: ApplicationId, idOrUid: string): Promise<Endpoint | null>
  list(applicationId: ApplicationId, search: PageSearch): Promise<readonly Endpoint[]>
  /** All that are not deleted: what a message is matched against. */
  all(applicationId: ApplicationId): Promise<readonly Endpoint[]>
  /** One of all there are, deleted ones too; null: there is none. Tells whether what is sealed can be opened. */
  any(): Promise<Endpoint | null>
}
