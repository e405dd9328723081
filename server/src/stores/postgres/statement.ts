import type { SqlParameters } from '../db.ts'

/** A text of `queries/` as PostgreSQL takes it. */
export interface Statement {
  /** Of the prepared statement; one for each text, the same on every connection. */
  readonly name: string
  readonly text: string
  /** Of its parameters, in the order of their numbers. */
  readonly parameters: readonly string[]
  readonly shape: StatementShape
}

/**
 * What a statement is like to the planner. `by-rows`: the rows that were sent with it (`:rows`) are looked up one by one, by
 * their keys. `in-order`: it reads along an index, from a place on.
 */
export type StatementShape = 'by-rows' | 'in-order'

const known = new Map<string, Statement>()

/** Fills in the fragments and numbers the parameters. Texts are few and never built from values, so each is kept. */
export function statementOf(sql: string): Statement {
  const before = known.get(sql)
  if (before !== undefined) return before
  const parameters: string[] = []
  const text = sql
    .replaceAll(/@each\(([^)]*)\)/g, 'jsonb_array_elements(cast($1 as jsonb))')
    .replaceAll('@skip_locked', 'for update skip locked')
    .replaceAll(/@exactly\(([^)]*)\)/g, 'between $1 and $1')
    .replaceAll(/@in\(\w+\)/g, 'collate "POSIX"')
    .replaceAll(/@among\(([^)]*)\)/g, '= any(array(select value->>0 from jsonb_array_elements(cast($1 as jsonb))))')
    .replaceAll('@now_ms', '(extract(epoch from clock_timestamp()) * 1000)::bigint')
    .replaceAll(/(?<!:):([a-zA-Z]\w*)/g, (_, name: string) => {
      const at = parameters.indexOf(name)
      if (at >= 0) return `$${at + 1}`
      parameters.push(name)
      return `$${parameters.length}`
    })
  const shape = /@(each|among)\(:rows\)/.test(sql) ? 'by-rows' : 'in-order'
  const statement: Statement = { name: `posthorn_${known.size}`, text, parameters, shape }
  known.set(sql, statement)
  return statement
}

/** The values of a statement's parameters, in its order; one that is not there is null. */
export const valuesOf = ({ parameters }: Statement, given: SqlParameters): (string | number | null)[] =>
  parameters.map((name) => given[name] ?? null)
