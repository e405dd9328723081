import type { Environment } from '../../domain/environment.ts'
import type { EnvironmentId } from '../../domain/ids.ts'

export interface EnvironmentStore {
  /** The environment of this name, made if there is none. */
  ensure(environment: Environment): Promise<Environment>
  /** Only if the stored revision is `row.revision - 1`. */
  update(row: Environment): Promise<'done' | 'stale'>
  find(id: EnvironmentId): Promise<Environment | null>
  byName(name: string): Promise<Environment | null>
  list(): Promise<readonly Environment[]>
}
