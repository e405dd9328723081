import type { EnvironmentId, KeyId, Millis } from '../../domain/ids.ts'
import type { ApiKey } from '../../domain/key.ts'

export interface KeyStore {
  insert(key: ApiKey): Promise<void>
  /** Unless there is a key that is not revoked. Resolves to whether it was inserted. */
  insertFirst(key: ApiKey): Promise<boolean>
  byHash(hash: string): Promise<ApiKey | null>
  list(environmentId: EnvironmentId | null): Promise<readonly ApiKey[]>
  /** False: no such key. Revoking twice keeps the first moment. */
  revoke(id: KeyId, at: Millis): Promise<boolean>
}
