import { readdirSync, readFileSync } from 'node:fs'
import manifest from '../../package.json' with { type: 'json' }

/** One step of the schema, as its file `0004_fleet.sql` has it. */
export interface Step {
  readonly number: number
  readonly name: string
  /** Whether a program that does not know this step can no longer use the database once it is applied. */
  readonly breaking: boolean
  readonly sql: string
}

/** A step as the database has noted it. */
export interface AppliedStep extends Omit<Step, 'sql'> {
  /** Milliseconds, by the clock of the database. */
  readonly at: number
  /** The Posthorn that applied it; null: one that did not note it yet. */
  readonly version: string | null
}

/** What bringing a database up to date came to. */
export interface Migrated {
  readonly applied: readonly Step[]
  /** Steps of a newer Posthorn, all of which this one can live with. */
  readonly newer: readonly AppliedStep[]
}

/** The schema of one database. */
export interface Schema {
  /** All that this program knows. */
  readonly steps: readonly Step[]
  /** What the database has noted, oldest first. Changes nothing. */
  applied(): Promise<readonly AppliedStep[]>
  /**
   * Brings it up to date; several may do so at once. Throws SchemaError when the database is too new, a step fails, or one
   * that is breaking would meet an older program that works on the database now.
   */
  migrate(): Promise<Migrated>
  /** What `migrate` would run, to be read or pasted into the engine's console. Changes nothing. */
  script(): Promise<string>
  close(): Promise<void>
}

/** What has to be done with a database, from what this program knows and what the database has noted. */
export type SchemaState =
  | { readonly kind: 'usable'; readonly pending: readonly Step[]; readonly newer: readonly AppliedStep[] }
  | { readonly kind: 'refused'; readonly because: string }

/** The database cannot be used, or brought up to date, by this program; the message says what to do. */
export class SchemaError extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, { cause })
    this.name = 'SchemaError'
  }
}

/** Noted in place of a step while a database is being filled by `posthorn move`: until it is done, nobody else may use it. */
export const moveMark = 0

export const thisVersion: string = manifest.version

/**
 * The steps of a folder, in order. A file's first line says `-- compatible` or `-- breaking`: whether older programs may go on
 * using the database after it; one that says neither is breaking.
 */
export function readSteps(folder: URL): readonly Step[] {
  const files = readdirSync(folder)
    .filter((file) => file.endsWith('.sql'))
    .sort()
  return files.map((file, index) => {
    const [, digits, name] = /^(\d{4})_([a-z_]+)\.sql$/.exec(file) ?? []
    if (name === undefined || Number(digits) !== index + 1)
      throw new Error(`${file} is no step of a schema: steps are numbered without gaps, as in 0004_fleet.sql`)
    const sql = readFileSync(new URL(file, folder), 'utf8')
    return { number: Number(digits), name, breaking: !/^-- compatible\b/.test(sql), sql }
  })
}

export const stepName = ({ number, name }: Pick<Step, 'number' | 'name'>): string =>
  `${String(number).padStart(4, '0')}_${name}`

/** Forward only: what is not noted is pending, in order. `known` are all steps of this program, `applied` all of the database. */
export function schemaState(known: readonly Step[], applied: readonly AppliedStep[]): SchemaState {
  if (applied.some(({ number }) => number === moveMark))
    return {
      kind: 'refused',
      because:
        'Another database is being moved into this one, or that was broken off: run posthorn move again, from the same one, until it is done.',
    }
  const noted = new Map(applied.map((step) => [step.number, step]))
  for (const step of known) {
    const other = noted.get(step.number)
    if (other !== undefined && other.name !== step.name)
      return {
        kind: 'refused',
        because: `The database has taken the schema step ${stepName(other)}, where this Posthorn (${thisVersion}) has ${stepName(step)}: it is not one of its own. Start the Posthorn that made it${versionOf(other)}.`,
      }
  }
  const newer = applied.filter(({ number }) => number > known.length)
  const breaking = newer.filter((step) => step.breaking).at(-1)
  if (breaking !== undefined)
    return {
      kind: 'refused',
      because: `The database has the schema step ${stepName(breaking)}, which this Posthorn (${thisVersion}, steps up to ${known.length}) cannot work with: it was last used by a newer version. Start that version${versionOf(breaking)}, or restore the backup taken before the upgrade.`,
    }
  return { kind: 'usable', pending: known.filter(({ number }) => !noted.has(number)), newer }
}

const versionOf = ({ version }: AppliedStep): string => (version === null ? '' : ` (${version} or later)`)

/** The state, where it is usable. Throws SchemaError where it is not. */
export function usableSchema(
  known: readonly Step[],
  applied: readonly AppliedStep[],
): SchemaState & { readonly kind: 'usable' } {
  const state = schemaState(known, applied)
  if (state.kind === 'refused') throw new SchemaError(state.because)
  return state
}

/** What to tell of a step that did not work; those before it stay. */
export const failedStep = (step: Step, error: unknown): SchemaError =>
  new SchemaError(
    `The schema step ${stepName(step)} failed, and nothing of it stays; the steps before it are applied. ${error instanceof Error ? error.message : error}`,
    error,
  )

/** The statement that notes a step as applied. Names are those of files, so nothing has to be escaped. */
export const noteStep = ({ number, name, breaking }: Step, nowMs: string): string =>
  `insert into schema_step (number, name, at, breaking, version)
values (${number}, '${name}', ${nowMs}, ${breaking ? 1 : 0}, '${thisVersion}')`

/** Steps as a script: each a transaction of its own, after what makes the table that notes them. */
export const scriptOf = (table: readonly string[], pending: readonly Step[], note: (step: Step) => string): string =>
  pending.length === 0
    ? ''
    : [
        ...table.map((statement) => `${statement};\n`),
        ...pending.map((step) => `\n-- ${stepName(step)}\nbegin;\n${step.sql.trimEnd()}\n${note(step)};\ncommit;\n`),
      ].join('')

/** A row of `schema_step`, read whole: databases older than a column do not have it. */
export function readAppliedStep(row: Readonly<Record<string, unknown>>): AppliedStep {
  return {
    number: Number(row.number),
    name: String(row.name),
    breaking: Number(row.breaking ?? 1) !== 0,
    at: Number(row.at),
    version: typeof row.version === 'string' && row.version !== '' ? row.version : null,
  }
}
