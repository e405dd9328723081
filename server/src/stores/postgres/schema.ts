import { randomUUID } from 'node:crypto'
import type pg from 'pg'
import type { PostgresTarget } from '../../domain/database-target.ts'
import type { Schema } from '../migrations.ts'
import { Connections } from './connections.ts'
import { migrate, migrationScript, postgresApplied, postgresSteps } from './migrate.ts'

/** The schema of a database, over a connection of its own that is made when it is first needed. */
export function postgresSchema(target: PostgresTarget, pooled: boolean): Schema {
  const steps = postgresSteps()
  const manner = { applicationName: 'posthorn migrate', pooled, origin: randomUUID() }
  let client: Promise<pg.Client> | null = null
  const connected = (): Promise<pg.Client> => {
    client ??= new Connections(target, manner, 1).own()
    return client
  }
  return {
    steps,
    applied: async () => postgresApplied(await connected()),
    migrate: async () => migrate(await connected(), steps),
    script: async () => migrationScript(await connected(), steps),
    async close() {
      await client?.then(
        (one) => one.end(),
        () => {},
      )
    },
  }
}
