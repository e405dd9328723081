import { existsSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { loadSettings, settingFlags, settingOptions, storeManner } from '../config.ts'
import { shownTarget } from '../domain/database-target.ts'
import { isId, makeIds } from '../domain/ids.ts'
import { type ApiKey, type Scope, scopes } from '../domain/key.ts'
import { createKey, listKeys, revokeKey } from '../manage/keys.ts'
import type { Store } from '../ports/store.ts'
import { openStore } from '../stores/open.ts'
import { realWorld } from '../world.ts'
import { type Command, exitCodes, type Io, UsageError } from './command.ts'
import { onDatabase } from './database.ts'

export const keys: Command = {
  summary: 'creates, lists and revokes API keys',
  usage: `Usage: posthorn keys create [--environment NAME] [--scope SCOPE …] [--name TEXT] [--database …]
       posthorn keys list [--environment NAME] [--json]
       posthorn keys revoke KEY_ID

Works on the database directly, also while the server runs; the server sees the change within a second.

Options:
  --environment NAME  whose key it is (default "default"; made if there is none)
  --scope SCOPE       ${scopes.join(', ')}; may be given several times (default admin)
                      admin: everything in its environment; publish: messages only; manage: everything but
                      publishing; read: looking, but not at secrets and endpoint headers
  --name TEXT         for people, shown by list
  --database …        as for posthorn serve (default: POSTHORN_DATABASE, or sqlite:./posthorn.db)

create prints the key alone on standard output, so a script can catch it: it is shown only then.

Examples:
  KEY=$(posthorn keys create --environment staging --scope publish --name "the shop")
  posthorn keys list
  posthorn keys revoke key_2Zc…

Exit codes: 0 done, 1 no such key, 2 typed wrongly.`,
  async run(args, io) {
    const [verb, ...rest] = args
    const work = verb === 'create' ? create : verb === 'list' ? list : verb === 'revoke' ? revoke : null
    if (work === null) throw new UsageError('say what to do: create, list or revoke')
    const { values, positionals } = parseArgs({
      args: [...rest],
      allowPositionals: true,
      options: {
        ...settingOptions,
        environment: { type: 'string' },
        scope: { type: 'string', multiple: true },
        name: { type: 'string' },
        json: { type: 'boolean' },
      },
    })
    const settings = loadSettings({ env: io.env, flags: settingFlags(values) })
    const { database } = settings
    const isNew = database.engine === 'sqlite' && !existsSync(database.path)
    // A mistyped path must not end in a key that opens nothing.
    if (isNew && work !== create) {
      io.stderr.write(`posthorn keys: there is no database at ${database.path}\n`)
      return exitCodes.checkFailed
    }
    return onDatabase('keys', shownTarget(database), io, async () => {
      const opened = await openStore(database, 'command', storeManner(settings))
      if (isNew) io.stderr.write(`posthorn keys: there was no database at ${database.path}; a new one was made\n`)
      try {
        return await work(opened.store, values, positionals, io)
      } finally {
        await opened.close()
      }
    })
  },
}

interface Words {
  readonly environment?: string
  readonly scope?: readonly string[]
  readonly name?: string
  readonly json?: boolean
}

const contextOf = (store: Store) => ({ store, world: realWorld, newId: makeIds(realWorld.now, realWorld.randomBytes) })

export const createKeyIn = (store: Store, environment: string, name: string, held: readonly Scope[]) =>
  createKey(contextOf(store), { environment, name, scopes: held })

async function create(store: Store, words: Words, positionals: readonly string[], io: Io): Promise<number> {
  if (positionals.length > 0) throw new UsageError(`create takes options only, not ${JSON.stringify(positionals[0])}`)
  const environment = words.environment ?? 'default'
  if (!/^[a-zA-Z0-9\-_.]{1,64}$/.test(environment))
    throw new UsageError('--environment must be 1 to 64 of a-z A-Z 0-9 - _ .')
  const { key, text } = await createKeyIn(
    store,
    environment,
    words.name ?? 'posthorn keys create',
    scopesOf(words.scope),
  )
  io.stdout.write(`${text}\n`)
  io.stderr.write(`${key.id}: environment ${environment}, scopes ${key.scopes.join(' ')}. The key is shown only now.\n`)
  return exitCodes.done
}

function scopesOf(given: readonly string[] | undefined): readonly Scope[] {
  const asked = (given ?? ['admin']).flatMap((text) => text.split(','))
  return asked.map((text) => {
    const scope = scopes.find((known) => known === text)
    if (scope === undefined)
      throw new UsageError(`--scope must be one of ${scopes.join(', ')}, not ${JSON.stringify(text)}`)
    return scope
  })
}

async function list(store: Store, words: Words, _positionals: readonly string[], io: Io): Promise<number> {
  const names = new Map((await store.environments.list()).map(({ id, name }) => [id, name]))
  const wanted = words.environment === undefined ? null : await store.environments.byName(words.environment)
  if (words.environment !== undefined && wanted === null)
    throw new UsageError(`there is no environment ${JSON.stringify(words.environment)}`)
  const rows = (await listKeys(contextOf(store), wanted?.id ?? null)).map((key) =>
    shown(key, names.get(key.environmentId) ?? ''),
  )
  if (words.json === true) {
    io.stdout.write(`${JSON.stringify(rows, null, 2)}\n`)
    return exitCodes.done
  }
  for (const row of rows) {
    io.stdout.write(
      `${row.id}  ${row.revokedAt === null ? 'alive  ' : 'revoked'}  ${row.environment}  ${row.scopes.join(' ')}  ${row.name}\n`,
    )
  }
  return exitCodes.done
}

const shown = ({ id, name, scopes: held, createdAt, revokedAt }: ApiKey, environment: string) => ({
  id,
  environment,
  name,
  scopes: held,
  createdAt: new Date(createdAt).toISOString(),
  revokedAt: revokedAt === null ? null : new Date(revokedAt).toISOString(),
})

async function revoke(store: Store, _words: Words, positionals: readonly string[], io: Io): Promise<number> {
  const [id, ...more] = positionals
  if (id === undefined || more.length > 0 || !isId('key', id))
    throw new UsageError('name one key by its id, as posthorn keys list shows it')
  const known = (await store.keys.list(null)).some((key) => key.id === id)
  if (!known) {
    io.stderr.write(`posthorn keys: no key ${id} in this database\n`)
    return exitCodes.checkFailed
  }
  await revokeKey(contextOf(store), id)
  io.stdout.write(`${id} is revoked; running servers refuse it within a second\n`)
  return exitCodes.done
}
