import type { DatabaseTarget } from '../domain/database-target.ts'
import { type Schema, SchemaError, stepName, usableSchema } from './migrations.ts'
import { postgresSchema } from './postgres/schema.ts'
import { sqliteSchema } from './sqlite/schema.ts'

/** The schema of the database that is meant. Nothing is made or changed by looking. `pooled`: see `ConnectionManner`. */
export const schemaOf = (target: DatabaseTarget, pooled: boolean): Schema =>
  target.engine === 'postgres' ? postgresSchema(target, pooled) : sqliteSchema(target.path, false)

/** Throws SchemaError where something is to be done before this program can use the database. */
export async function requireMigrated(schema: Schema): Promise<void> {
  const { pending } = usableSchema(schema.steps, await schema.applied())
  if (pending.length === 0) return
  throw new SchemaError(
    `The database lacks ${pending.length === 1 ? 'the schema step' : 'the schema steps'} ${pending.map(stepName).join(', ')}, and POSTHORN_MIGRATE is off: run posthorn migrate first.`,
  )
}
