import type { EnvironmentId, Millis, SourceId } from '../../domain/ids.ts'
import type { PageSearch } from '../../domain/page.ts'
import type { Handshake, Source } from '../../domain/source.ts'
import type { WriteResult } from './application.ts'
import type { Told } from './road.ts'

/** Something that happened to challenges of a source. */
export interface HandshakeNote {
  readonly sourceId: SourceId
  readonly name: string
  readonly at: Millis
  /** Null: it succeeded. */
  readonly failure: string | null
}

/** A request that a secret of a source let pass. */
export interface SecretUse {
  readonly sourceId: SourceId
  readonly secretId: string
  readonly at: Millis
}

export interface SourceStore {
  /** The source and its application, in one transaction. */
  insert(row: Source, tokenHash: string): Promise<'done' | 'uid-taken'>
  /** Holds only while the stored revision is one below the row's. */
  update(row: Source): Promise<WriteResult>
  /** Removes the source, its tokens and quarantine, and its application with its endpoints. As for applications. */
  delete(id: SourceId, at: Millis, told?: Told | null, ifRevision?: number): Promise<'done' | 'stale'>
  /** By id or by the caller's `uid`. */
  find(environmentId: EnvironmentId, idOrUid: string): Promise<Source | null>
  /** Null: nobody has this token, or not any more. */
  byToken(hash: string, now: Millis): Promise<Source | null>
  list(environmentId: EnvironmentId, search: PageSearch): Promise<readonly Source[]>
  /** Makes `row.sealedToken` current; the tokens before lapse at `until` if not earlier. `row` as for `update`. */
  rotateToken(row: Source, tokenHash: string, until: Millis): Promise<'done' | 'stale'>
  /** How many tokens, the current one among them, are alive. */
  countTokens(id: SourceId, now: Millis): Promise<number>
  /** Removes up to `limit` tokens that have lapsed; resolves to how many there were. */
  sweepTokens(at: Millis, limit: number): Promise<number>
  /** In order of their time. */
  noteHandshakes(notes: readonly HandshakeNote[]): Promise<void>
  /** By name. */
  handshakes(id: SourceId): Promise<readonly Handshake[]>
  /** Secrets that were seen to pass, the latest time of each. */
  noteSecretUses(uses: readonly SecretUse[]): Promise<void>
  secretUses(id: SourceId): Promise<Readonly<Record<string, Millis>>>
}
