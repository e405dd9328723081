import { DatabaseSync } from 'node:sqlite'
import type { SqlRow } from '../db.ts'
import { migrate } from '../sqlite/migrate.ts'

/** One table as both engines have it. */
export interface Table {
  readonly name: string
  readonly columns: readonly { readonly name: string; readonly integer: boolean }[]
  /** Columns that tell its rows apart, and that an index has in this order. All are texts. */
  readonly key: readonly string[]
}

// Of processes, and of what they have in memory: those of the other database have their own.
const ofNodes = new Set(['schema_step', 'node', 'leader', 'change', 'change_count'])

// SQLite tells the rows of these apart by itself; an index has these columns.
const keys: Readonly<Record<string, readonly string[]>> = {
  message: ['application_id', 'id'],
  attempt: ['message_id', 'id'],
  quarantine: ['source_id', 'id'],
}

/**
 * Every table that is moved, those first that others refer to. Read from SQLite's schema, since the two are the same
 * (schemas.test.ts).
 */
export function movedTables(): readonly Table[] {
  const database = new DatabaseSync(':memory:')
  try {
    migrate(database)
    // In the order they were made, which is one that references allow.
    const names = database.prepare("select name from sqlite_schema where type = 'table' order by rowid").all()
    return names
      .map(({ name }) => String(name))
      .filter((name) => !name.startsWith('sqlite_') && !ofNodes.has(name))
      .map((name) => {
        const columns = database.prepare('select name, type, pk from pragma_table_info(?)').all(name)
        const primary = columns.filter(({ pk }) => Number(pk) > 0).sort((a, b) => Number(a.pk) - Number(b.pk))
        const key = keys[name] ?? primary.map((column) => String(column.name))
        if (key.length === 0) throw new Error(`nothing tells the rows of ${name} apart`)
        return {
          ...{ name, key },
          columns: columns.map(({ name, type }) => ({
            name: String(name),
            integer: type === 'INTEGER' || type === 'integer',
          })),
        }
      })
  } finally {
    database.close()
  }
}

const nul = '\u0000'

/** A row as it is written on the other side. Nobody holds a lease there: what was on its way is due when the move began. */
export function carried(table: Table, row: SqlRow, begunAt: number): SqlRow {
  const moved: Record<string, string | number | null> = { ...row }
  if (table.name === 'delivery' && row.lease !== null) Object.assign(moved, { lease: null, due_at: begunAt })
  // PostgreSQL has no place for NUL in a text, which SQLite took from receivers and strangers. A payload stays what it is, as
  // base64; of words it is what U+FFFD is for.
  if (typeof row.payload === 'string' && 'encoding' in row && row.payload.includes(nul))
    Object.assign(moved, { payload: Buffer.from(row.payload).toString('base64'), encoding: 'base64' })
  for (const { name } of table.columns) {
    const value = moved[name]
    if (typeof value === 'string' && value.includes(nul)) moved[name] = value.replaceAll(nul, '\ufffd')
  }
  return moved
}
