import { existsSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { loadSettings, settingFlags, settingOptions, storeManner } from '../config.ts'
import { shownTarget } from '../domain/database-target.ts'
import { type AppliedStep, type Schema, type Step, schemaState, stepName, thisVersion } from '../stores/migrations.ts'
import { schemaOf } from '../stores/schema.ts'
import { type Command, exitCodes, type Io, UsageError } from './command.ts'
import { onDatabase } from './database.ts'

export const migrate: Command = {
  summary: 'brings the schema of the database up to date, or shows what that would do',
  usage: `Usage: posthorn migrate [--dry-run] [--database …]
       posthorn migrate status [--json] [--database …]

Applies the steps of the schema that the database lacks, each in a transaction of its own. posthorn serve does so by itself
at its start, unless POSTHORN_MIGRATE is off. However many start at once, each step is applied once. There is no way back but
a backup.

While others run on the database: a step that is compatible is applied beside them, one that is breaking only once all of
them have stopped. status says which is which. On a PostgreSQL that many write to, take a quiet hour for steps that change
large tables: who writes to one waits until its step is done.

Options:
  --dry-run     print the SQL that would be run, and change nothing
  --json        status for scripts
  --database …  as for posthorn serve (default: POSTHORN_DATABASE, or sqlite:./posthorn.db)

Examples:
  posthorn migrate status
  posthorn migrate --dry-run | less
  POSTHORN_DATABASE=postgres://posthorn@db/posthorn posthorn migrate

Exit codes: 0 done, or for status: up to date; 1 the database cannot be used or a step failed, or for status: steps are
pending; 2 typed wrongly.`,
  async run(args, io) {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { ...settingOptions, 'dry-run': { type: 'boolean' }, json: { type: 'boolean' } },
    })
    const [verb, ...more] = positionals
    if ((verb !== undefined && verb !== 'status') || more.length > 0)
      throw new UsageError(`takes status or nothing, not ${JSON.stringify(verb === 'status' ? more[0] : verb)}`)
    if (values.json === true && verb === undefined) throw new UsageError('--json goes with status')
    const settings = loadSettings({ env: io.env, flags: settingFlags(values) })
    const { database } = settings
    const shown = shownTarget(database)
    // A mistyped path must not look like a database that was brought up to date.
    const isNew = database.engine === 'sqlite' && !existsSync(database.path)
    if (isNew && verb === 'status') {
      io.stderr.write(`posthorn migrate: there is no database at ${database.path}\n`)
      return exitCodes.checkFailed
    }
    return onDatabase('migrate', shown, io, async () => {
      const schema = schemaOf(database, storeManner(settings).pooled)
      try {
        if (verb === 'status') return await status(schema, shown, values.json === true, io)
        const dryRun = values['dry-run'] === true
        const code = await bringUpToDate(schema, shown, dryRun, io)
        if (isNew && !dryRun)
          io.stderr.write(`posthorn migrate: there was no database at ${database.path}; a new one was made\n`)
        return code
      } finally {
        await schema.close()
      }
    })
  },
}

async function bringUpToDate(schema: Schema, shown: string, dryRun: boolean, io: Io): Promise<number> {
  if (dryRun) {
    io.stdout.write(await schema.script())
    return exitCodes.done
  }
  const { applied, newer } = await schema.migrate()
  for (const step of applied) io.stdout.write(`applied ${stepName(step)}\n`)
  io.stdout.write(`${shown} is up to date${newer.length > 0 ? ', and used by a newer version' : ''}\n`)
  return exitCodes.done
}

async function status(schema: Schema, shown: string, asJson: boolean, io: Io): Promise<number> {
  const applied = await schema.applied()
  const state = schemaState(schema.steps, applied)
  const refusal = state.kind === 'refused' ? state.because : null
  const pending = schema.steps.filter(({ number }) => !applied.some((step) => step.number === number))
  if (asJson) {
    const steps = [
      ...applied.map(({ at, ...step }) => ({ ...step, appliedAt: new Date(at).toISOString() })),
      ...pending.map(({ sql, ...step }) => ({ ...step, appliedAt: null, version: null })),
    ]
    io.stdout.write(`${JSON.stringify({ database: shown, version: thisVersion, refusal, steps }, null, 2)}\n`)
  } else {
    const newest = schema.steps.length
    const lines = [...applied.map((step) => appliedLine(step, step.number > newest)), ...pending.map(pendingLine)]
    io.stdout.write(`${shown}\n${lines.map((line) => `  ${line}\n`).join('')}`)
    if (refusal !== null) io.stderr.write(`posthorn migrate: ${refusal}\n`)
  }
  return refusal === null && pending.length === 0 ? exitCodes.done : exitCodes.checkFailed
}

const appliedLine = (step: AppliedStep, newer: boolean): string => {
  const at = new Date(step.at).toISOString().replace('T', ' ').slice(0, 19)
  const by = step.version === null ? '' : ` by ${step.version}`
  return `${stepName(step)}  applied ${at} UTC${by}${newer ? `, ${kindOf(step)}, unknown to ${thisVersion}` : ''}`
}

const pendingLine = (step: Step): string => `${stepName(step)}  pending, ${kindOf(step)}`

const kindOf = ({ breaking }: Pick<Step, 'breaking'>): string => (breaking ? 'breaking' : 'compatible')
