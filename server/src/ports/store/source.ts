import type { EnvironmentId, Millis, SourceId } from '../../domain/ids.ts'
import type { PageSearch } from '../../domain/page.ts'
import type { Handshake, Source } from '../../domain/source.ts'
import type { WriteResult } from './application.ts'

/** A token under which a source is reached, by its hash. `until` null: the current one. */
export interface SourceToken {
  readonly hash: string
  readonly until: Millis | null
}

/** Something that happened to challenges of a source. */
export interface HandshakeNote {
  readonly sourceId: SourceId
  readonly name: string
  readonly at: Millis
  /** Null: it succeeded. */
  readonly failure: string | null
}

export interface SourceStore {
  /** The source and its application, in one transaction. */
  insert(row: Source, tokenHash: string): Promise<'done' | 'uid-taken'>
  /** Holds only while the stored revision is one below the row's. */
  update(row: Source): Promise<WriteResult>
  /** Removes the source, its tokens and quarantine, and its application with its endpoints. */
  delete(id: SourceId, at: Millis, ifRevision?: number | null): Promise<'done' | 'stale'>
  /** By id or by the caller's `uid`. */
  find(environmentId: EnvironmentId, idOrUid: string): Promise<Source | null>
  /** Null: nobody has this token, or not any more. */
  byToken(hash: string, now: Millis): Promise<Source | null>
  list(environmentId: EnvironmentId, search: PageSearch): Promise<readonly Source[]>
  /** Makes `row.sealedToken` current; the tokens before lapse at `until` if not earlier. `row` as for `update`. */
  rotateToken(row: Source, tokenHash: string, until: Millis): Promise<'done' | 'stale'>
  /** How many tokens, the current one among them, are alive. */
  countTokens(id: SourceId, now: Millis): Promise<number>
  noteHandshakes(notes: readonly HandshakeNote[]): Promise<void>
  handshakes(id: SourceId): Promise<readonly Handshake[]>
  /** Secrets that were seen to pass, the latest time of each. */
  noteSecretUses(
    uses: readonly { readonly sourceId: SourceId; readonly secretId: string; readonly at: Millis }[],
  ): Promise<void>
  secretUses(id: SourceId): Promise<Readonly<Record<string, Millis>>>
}
