import { existsSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { loadSettings, settingFlags, settingOptions, storeManner } from '../config.ts'
import { type DatabaseTarget, readDatabaseTarget, shownTarget } from '../domain/database-target.ts'
import { stepName } from '../stores/migrations.ts'
import { move as moveAll } from '../stores/move/move.ts'
import { openSide, type Side } from '../stores/move/side.ts'
import { realWorld } from '../world.ts'
import { type Command, exitCodes, type Io, UsageError } from './command.ts'
import { onDatabase } from './database.ts'
import { MoveProgress } from './move/progress.ts'

export const move: Command = {
  summary: 'copies everything from one database into another: from SQLite to PostgreSQL, or back',
  usage: `Usage: posthorn move --from sqlite:PATH --to postgres://…
       posthorn move --from postgres://… --to sqlite:PATH

Copies configuration, history and what waits to be sent, and then compares both sides: the number of rows of every table and
a checksum of all they hold. The source is not changed, but for its schema, which is brought up to date first. What was on
its way when it stopped is due at once.

Nobody may use either side: stop every Posthorn before, and start none until it is done. Where it is broken off, run it
again: it goes on behind what it has copied. Until then the target refuses every other use.

Secrets are copied as they are sealed: the target needs the master key of the source.

Options:
  --from …             the database that is full
  --to …               one that is empty, or into which this move has begun
  --database-pooler …  as for posthorn serve; a direct connection is faster

Example:
  posthorn move --from sqlite:/var/lib/posthorn/posthorn.db --to postgres://posthorn:secret@db/posthorn

Exit codes: 0 everything is there, and the same; 1 it cannot begin, or was broken off, or differs; 2 typed wrongly.`,
  async run(args, io) {
    const { values } = parseArgs({
      args: [...args],
      options: { ...settingOptions, from: { type: 'string' }, to: { type: 'string' } },
    })
    const [from, to] = [targetOf('--from', values.from), targetOf('--to', values.to)]
    if (from.engine === to.engine)
      throw new UsageError(
        `goes from one engine to the other; ${from.engine === 'sqlite' ? 'a file is copied while nobody uses it' : 'use pg_dump and pg_restore'}`,
      )
    const { pooled } = storeManner(loadSettings({ env: io.env, flags: settingFlags(values) }))
    return onDatabase('move', `${shownTarget(from)} or ${shownTarget(to)}`, io, async () => {
      if (from.engine === 'sqlite' && !existsSync(from.path)) {
        io.stderr.write(`posthorn move: there is no database at ${from.path}\n`)
        return exitCodes.checkFailed
      }
      const source = await openSide(from, pooled)
      try {
        const target = await openSide(to, pooled)
        try {
          await between(source, target, io)
        } finally {
          await target.close()
        }
      } finally {
        await source.close()
      }
      io.stdout.write(whatNext(from, to))
      return exitCodes.done
    })
  },
}

function targetOf(flag: string, text: string | undefined): DatabaseTarget {
  if (text === undefined) throw new UsageError(`needs ${flag}`)
  try {
    return readDatabaseTarget(text)
  } catch (error) {
    throw new UsageError(`${flag} ${error instanceof Error ? error.message : error}`)
  }
}

async function between(source: Side, target: Side, io: Io): Promise<void> {
  const { applied } = await source.schema.migrate()
  if (applied.length > 0) io.stdout.write(`${source.shown} has taken ${applied.map(stepName).join(', ')} first\n`)
  io.stdout.write(`moving ${source.shown} to ${target.shown}\n`)
  const progress = new MoveProgress(io.stdout, realWorld.now)
  const rows = await moveAll(source, target, realWorld.now(), progress)
  progress.end()
  io.stdout.write(`${rows} rows copied, and the same on both sides\n`)
}

function whatNext(from: DatabaseTarget, to: DatabaseTarget): string {
  const start = `Start with POSTHORN_DATABASE=${to.engine === 'sqlite' ? `sqlite:${to.path}` : shownTarget(to)}`
  if (from.engine === 'sqlite') {
    const file = `${from.path}.key`
    const key = existsSync(file)
      ? `POSTHORN_MASTER_KEY as ${file} has it: POSTHORN_MASTER_KEY=$(cat ${file}), the same for every node`
      : 'the POSTHORN_MASTER_KEY that was used before, the same for every node'
    return `${start} (and its password), and ${key}.\nSecrets open with no other key: back it up. Never start on ${from.path} again: what it has would be sent twice.\n`
  }
  return `${start} and the POSTHORN_MASTER_KEY of before: secrets open with no other key.\nNever start on the old database again: what it has would be sent twice.\n`
}
