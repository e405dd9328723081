import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { testWorld } from '../../test/support/world.ts'
import type { Source } from '../domain/source.ts'
import { hashOfToken, sealSourceSecrets, sealToken } from '../domain/source-seal.ts'
import { makeJudge } from '../judge/judge.ts'
import { samples } from '../stores/conformance/samples.ts'
import { openSqliteStore } from '../stores/sqlite/store.ts'
import { presetBook } from './presets.ts'
import { Sources } from './sources.ts'

const folder = mkdtempSync(join(tmpdir(), 'posthorn-sources-'))
const world = testWorld()
const judge = makeJudge(world)
const store = await openSqliteStore(join(folder, 'test.db'))
after(async () => {
  await judge.close()
  await store.close()
  rmSync(folder, { recursive: true })
})

const masterKey = randomBytes(32)
const make = samples()
const environment = await store.environments.ensure(make.environment('test'))

function newRow(token: string): Source {
  const plain = make.source(environment.id, { type: 'stripe' })
  return {
    ...plain,
    sealedSecrets: sealSourceSecrets(masterKey, plain.id, [], randomBytes(12)),
    sealedToken: sealToken(masterKey, plain.id, token, randomBytes(12)),
  }
}

/** `read`: called when a row has been read, before it is looked at. */
const sourcesWith = (read: () => void | Promise<void> = () => {}): Sources =>
  new Sources({
    ...{ world, masterKey, presets: presetBook, judge, publicUrl: 'https://posthorn.example' },
    store: {
      async byToken(hash, now) {
        const row = await store.sources.byToken(hash, now)
        await read()
        return row
      },
    },
  })

test('what changes while a source is being read is what comes of the reading', async () => {
  const row = newRow('changed')
  await store.sources.insert(row, hashOfToken('changed'))
  let reads = 0
  const sources = sourcesWith(async () => {
    if (++reads > 1) return
    const settings = { ...row.settings, state: 'disabled' } as const
    assert.equal(await store.sources.update({ ...row, settings, revision: row.revision + 1 }), 'done')
    sources.forget(row.id)
  })
  assert.equal((await sources.byToken('changed'))?.source.settings.state, 'disabled')
  assert.equal((await sources.byToken('changed'))?.source.settings.state, 'disabled')
  assert.equal(reads, 2, 'and it is in memory from then on')
})

test('a token that led nowhere leads to the source from the moment it is made', async () => {
  const sources = sourcesWith()
  assert.equal(await sources.byToken('to-come'), null)
  const row = newRow('to-come')
  await store.sources.insert(row, hashOfToken('to-come'))
  sources.forget(row.id)
  assert.equal((await sources.byToken('to-come'))?.source.id, row.id)
})
