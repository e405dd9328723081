import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import pg from 'pg'
import { withoutPostgres } from '../support/postgres.ts'
import { findPostgres, type PostgresServer, startPostgresServer } from '../support/postgres-server.ts'
import { life } from './life.ts'
import { blockUnder, type Paster, paste } from './page.ts'

const shared = {
  POSTHORN_MASTER_KEY: Buffer.alloc(32, 7).toString('base64'),
  // What a node that is gone was sending is due when its lease is over.
  POSTHORN_LEASE_DURATION: '2s',
  POSTHORN_ATTEMPT_TIMEOUT: '1s',
}

interface Scene {
  readonly server: PostgresServer
  readonly bin: string
  /** Where backups go; PostgreSQL's own user may write there. */
  readonly folder: string
  /** As an operator's shell has it. */
  readonly paster: Paster
  /** Who the server runs as; null: who runs the test. */
  readonly user: { readonly uid: number; readonly gid: number } | null
  query(sql: string): Promise<pg.QueryResult>
}

/** A server of its own, with an empty database `posthorn`. */
async function scene(
  t: TestContext,
  settingsOf: (folder: string) => Record<string, string> = () => ({}),
): Promise<Scene> {
  const found = findPostgres()
  assert.ok('bin' in found)
  const folder = mkdtempSync(join(tmpdir(), 'posthorn-backup-'))
  chmodSync(folder, 0o777)
  const server = await startPostgresServer(found.bin, { settings: settingsOf(folder) })
  t.after(async () => {
    await server.stop()
    rmSync(folder, { recursive: true, force: true })
  })
  const { uid, gid } = statSync(join(server.folder, 'data'))
  const user = process.getuid?.() === 0 ? { uid, gid } : null
  const query = async (sql: string): Promise<pg.QueryResult> => {
    const client = new pg.Client({ connectionString: server.url })
    await client.connect()
    return client.query(sql).finally(() => client.end())
  }
  await query('create database posthorn')
  const env = { PGHOST: '127.0.0.1', PGPORT: String(server.port), PGUSER: 'postgres', TO: folder }
  return { server, bin: found.bin, folder, user, query, paster: { env, path: found.bin, ...(user && { user }) } }
}

test('PostgreSQL: what docs/operate.md tells to paste dumps it while it is published to, and restores all that was promised', {
  skip: withoutPostgres,
}, async (t) => {
  const [dump, restore] = [blockUnder('PostgreSQL, as a dump', 1, 2), blockUnder('PostgreSQL, as a dump', 2, 2)]
  const { server, paster } = await scene(t)
  const before = await life(t, server.url.replace(/postgres$/, 'posthorn'), shared)

  const stopPublishing = before.publishing()
  await paste(dump, paster)
  assert.ok((await stopPublishing()) > 0, 'nothing was published while the backup was made')
  const later = await before.publish()
  await before.kill()

  await paste(restore, paster)
  const { url } = await before.holds({ POSTHORN_DATABASE: server.url.replace(/postgres$/, 'restored'), ...shared })
  assert.equal(await before.has(url, later), false, 'what was published after the backup is not in it')
})

test('PostgreSQL: what docs/operate.md tells to paste brings it back as it was at a moment after the copy was made', {
  skip: withoutPostgres,
}, async (t) => {
  const [copy, restore] = [blockUnder('PostgreSQL, to any moment', 1, 2), blockUnder('PostgreSQL, to any moment', 2, 2)]
  const { server, bin, folder, paster, user, query } = await scene(t, (folder) => ({
    archive_mode: 'on',
    archive_command: `mkdir -p "${folder}/archive" && cp "%p" "${folder}/archive/%f"`,
  }))
  const url = server.url.replace(/postgres$/, 'posthorn')
  await paste(copy, paster)
  const before = await life(t, url, shared)
  const { rows } = await query('select clock_timestamp()::text as moment')
  const MOMENT = String(rows[0]?.moment)
  const later = await before.publish()
  const { rows: ended } = await query('select pg_walfile_name(pg_switch_wal()) as file')
  const archived = async (): Promise<boolean> =>
    (await query(`select last_archived_wal >= '${ended[0]?.file}' as done from pg_stat_archiver`)).rows[0]?.done ===
    true
  while (!(await archived())) await pause(50)
  await before.kill()
  await server.stop()

  const DATA = join(folder, 'restored')
  await paste(restore, { ...paster, env: { ...paster.env, DATA, MOMENT, ARCHIVE: join(folder, 'archive') } })
  const control = (...words: string[]) =>
    execFileSync(join(bin, 'pg_ctl'), ['-D', DATA, '-w', ...words], { ...user, cwd: folder, stdio: 'ignore' })
  const options = `-c port=${server.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories=${folder} -c archive_mode=off -c max_connections=300`
  control('-l', join(folder, 'log'), '-o', options, 'start')
  try {
    while ((await query('select pg_is_in_recovery() as standby')).rows[0]?.standby) await pause(50)
    const { url: restored } = await before.holds({ POSTHORN_DATABASE: url, ...shared })
    assert.equal(await before.has(restored, later), false, 'what was published after that moment is not there')
  } finally {
    control('-m', 'immediate', 'stop')
  }
})
