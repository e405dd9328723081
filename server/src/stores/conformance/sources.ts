import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Source } from '../../domain/source.ts'
import { type OpenStore, openedOnce } from './opened.ts'
import { pagesThrough, wholeList } from './paging.ts'
import { samples } from './samples.ts'

export function sourcesConformance(open: OpenStore): void {
  const store = openedOnce(open)
  const make = samples()
  let environments = 0
  const newEnvironment = async () => (await store().environments.ensure(make.environment(`test ${environments++}`))).id
  const newSource = async (changes: Partial<Source> = {}) => {
    const row = make.source(await newEnvironment(), changes)
    await store().sources.insert(row, `first of ${row.id}`)
    return row
  }
  const byToken = async (hash: string, at = make.now()) => (await store().sources.byToken(hash, at))?.id

  test('a source comes back as it was given: by id, by uid, by its token, and in the list', async () => {
    const environmentId = await newEnvironment()
    const bare = make.source(environmentId)
    const row = make.source(environmentId, {
      ...{ uid: 'stripe.live', name: 'Zoë & Söhne 🚚', metadata: { 'a"b': '' }, throttleRate: 5 },
      ...{ control: { timeout: 4_000 }, revision: 3 },
      settings: { ...bare.settings, values: { 'a"b': 'ß' }, allowedAddresses: ['10.0.0.0/8'], schemas: { '*': true } },
    })
    assert.equal(await store().sources.insert(row, 'hash of the token'), 'done')
    assert.deepEqual(await store().sources.find(environmentId, row.id), row)
    assert.deepEqual(await store().sources.find(environmentId, 'stripe.live'), row)
    assert.equal(await store().sources.find(environmentId, 'STRIPE.live'), null)
    assert.deepEqual(await store().sources.byToken('hash of the token', make.now()), row)
    assert.equal(await store().sources.byToken('another hash', make.now()), null)
    assert.deepEqual(await store().sources.list(environmentId, wholeList), [row])
  })

  test('a source is an application of the same id, which no list of applications and no uid leads to', async () => {
    const row = await newSource({ uid: 'stripe', control: { timeout: 4_000 }, throttleRate: 5, metadata: { a: 'b' } })
    const { id, environmentId, name, control, throttleRate, metadata, createdAt, updatedAt } = row
    const application = {
      ...{ id, environmentId, uid: null, name, control, throttleRate, metadata },
      ...{ kind: 'source', pausedAt: null, createdAt, updatedAt, revision: 1 },
    }
    assert.deepEqual(await store().applications.find(environmentId, id), application)
    assert.deepEqual(await store().applications.byId(id), application)
    assert.equal(await store().applications.find(environmentId, 'stripe'), null)
    assert.deepEqual(await store().applications.list(environmentId, { withEndpointsOnly: false }, wholeList), [])
    const customer = make.application(environmentId, { uid: 'stripe' })
    assert.equal(await store().applications.insert(customer), 'done', 'their names do not clash')
  })

  test('an environment is a wall: the other one neither finds nor lists nor clashes', async () => {
    const row = await newSource({ uid: 'same' })
    const there = await newEnvironment()
    assert.equal(await store().sources.find(there, row.id), null)
    assert.equal(await store().sources.find(there, 'same'), null)
    assert.deepEqual(await store().sources.list(there, wholeList), [])
    assert.equal(await store().sources.insert(make.source(there, { uid: 'same' }), 'there'), 'done')
  })

  test('a uid is given once, and a source that did not get it has left nothing', async () => {
    const { environmentId } = await newSource({ uid: 'only' })
    const late = make.source(environmentId, { uid: 'only' })
    assert.equal(await store().sources.insert(late, 'late'), 'uid-taken')
    assert.equal(await byToken('late'), undefined)
    assert.equal(await store().applications.byId(late.id), null)
    assert.equal(await store().sources.insert(make.source(environmentId), 'nameless 1'), 'done')
    assert.equal(await store().sources.insert(make.source(environmentId), 'nameless 2'), 'done')
  })

  test('an update changes everything that can change, of the application too, once for each revision', async () => {
    const row = await newSource({ uid: 'before' })
    const { environmentId } = row
    const other = make.source(environmentId, { uid: 'other' })
    await store().sources.insert(other, 'other')
    const changed: Source = {
      ...row,
      ...{ uid: 'after', name: 'New name', type: 'github', throttleRate: 9, metadata: { b: '2' } },
      ...{ control: { timeout: 1_000 }, settings: { ...row.settings, mode: 'observe', state: 'paused' } },
      ...{ sealedSecrets: 's1.others', updatedAt: row.updatedAt + 5, revision: 2 },
    }
    assert.equal(await store().sources.update(changed), 'done')
    assert.deepEqual(await store().sources.find(environmentId, 'after'), changed)
    assert.equal(await store().sources.find(environmentId, 'before'), null)
    const application = await store().applications.byId(row.id)
    assert.deepEqual(
      [application?.name, application?.throttleRate, application?.control, application?.updatedAt],
      ['New name', 9, { timeout: 1_000 }, changed.updatedAt],
    )
    const since = async () => (await store().applications.byId(row.id))?.pausedAt
    assert.equal(await since(), changed.updatedAt, 'what is paused keeps back its deliveries')
    assert.equal(await store().sources.update({ ...changed, name: 'Late' }), 'stale')
    assert.equal(await store().sources.update({ ...changed, uid: 'other', revision: 3 }), 'uid-taken')
    assert.deepEqual(await store().sources.find(environmentId, row.id), changed)
    assert.equal((await store().applications.byId(row.id))?.name, 'New name')
    await store().sources.update({ ...changed, updatedAt: changed.updatedAt + 5, revision: 3 })
    assert.equal(await since(), changed.updatedAt, 'it has been ever since')
    await store().sources.update({ ...changed, settings: { ...changed.settings, state: 'active' }, revision: 4 })
    assert.equal(await since(), null)
  })

  test('tokens that were rotated away lead to the source until their time is over, and not a moment longer', async () => {
    const row = await newSource()
    const first = `first of ${row.id}`
    const now = make.now()
    const second: Source = { ...row, sealedToken: 's1.second', revision: 2 }
    assert.equal(await store().sources.rotateToken(second, 'second', now + 100), 'done')
    assert.deepEqual(await store().sources.byToken('second', now), second)
    assert.deepEqual([await byToken(first, now + 99), await byToken(first, now + 100)], [row.id, undefined])
    assert.equal(await store().sources.countTokens(row.id, now), 2)
    assert.equal(await store().sources.rotateToken(second, 'nobody has it', now + 100), 'stale')
    assert.equal(await byToken('nobody has it'), undefined)
    const third: Source = { ...second, sealedToken: 's1.third', revision: 3 }
    assert.equal(await store().sources.rotateToken(third, 'third', now + 300), 'done')
    assert.deepEqual([await byToken(first, now + 99), await byToken(first, now + 100)], [row.id, undefined])
    assert.equal(await store().sources.countTokens(row.id, now), 3)
    assert.equal(await store().sources.countTokens(row.id, now + 100), 2)
    assert.equal(await store().sources.countTokens(row.id, now + 300), 1)
    assert.equal(await byToken('third', now + 1_000_000_000), row.id)
    assert.deepEqual([await store().sources.sweepTokens(now + 300, 1), await byToken('second', now)], [1, row.id])
    assert.deepEqual([await store().sources.sweepTokens(now + 300, 10), await byToken('second', now)], [1, undefined])
    assert.equal(await byToken('third'), row.id)
  })

  test('a deleted source is gone with its door, its endpoints and what it kept, and its uid is free', async () => {
    const row = await newSource({ uid: 'gone' })
    const { id, environmentId } = row
    const endpoint = make.endpoint(id)
    await store().endpoints.insert(endpoint)
    const note = () =>
      Promise.all([
        store().quarantine.keep([make.quarantined(id)], { count: 9, bytes: 1_000_000 }),
        store().sources.noteHandshakes([{ sourceId: id, name: 'url_verification', at: 1, failure: null }]),
        store().sources.noteSecretUses([{ sourceId: id, secretId: 's', at: 1 }]),
      ])
    await note()
    assert.equal(await store().sources.delete(id, make.now(), null, 2), 'stale', 'of another revision it is left alone')
    assert.equal(await byToken(`first of ${id}`), id)
    assert.equal(await store().sources.delete(id, make.now(), null, 1), 'done')
    assert.equal(await store().sources.delete(id, make.now()), 'stale')
    await note()
    assert.equal(await byToken(`first of ${id}`), undefined)
    assert.equal(await store().sources.countTokens(id, make.now()), 0)
    assert.equal(await store().sources.find(environmentId, id), null)
    assert.equal(await store().applications.find(environmentId, id), null)
    assert.deepEqual(await store().endpoints.all(id), [])
    assert.deepEqual(await store().sources.list(environmentId, wholeList), [])
    assert.deepEqual(await store().sources.handshakes(id), [])
    assert.deepEqual(await store().sources.secretUses(id), {})
    assert.deepEqual(await store().quarantine.totals(id), { count: 0, bytes: 0 })
    assert.equal(await store().sources.update({ ...row, revision: 2 }), 'stale')
    assert.equal(await store().sources.insert(make.source(environmentId, { uid: 'gone' }), 'anew'), 'done')
    assert.equal(await store().retention.deleteApplication(id), false, 'its endpoint is still there')
    await store().retention.deleteEndpoints('', make.now() + 1)
    assert.equal(await store().retention.deleteApplication(id), true)
  })

  test('of each kind of challenge the latest success and the latest failure are known, and how many there were', async () => {
    const { id } = await newSource()
    const other = await newSource()
    const note = (name: string, at: number, failure: string | null = null) => ({ sourceId: id, name, at, failure })
    await store().sources.noteHandshakes([
      ...[note('crc', 1), note('crc', 2, 'No secret.'), note('crc', 3), note('verify', 4, 'Wrong token.')],
      { sourceId: other.id, name: 'crc', at: 9, failure: null },
    ])
    const verify = { name: 'verify', succeededAt: null, failedAt: 4, failure: 'Wrong token.', successes: 0 }
    assert.deepEqual(await store().sources.handshakes(id), [
      { name: 'crc', succeededAt: 3, failedAt: 2, failure: 'No secret.', successes: 2, failures: 1 },
      { ...verify, failures: 1 },
    ])
    await store().sources.noteHandshakes([note('crc', 5), note('verify', 6)])
    assert.deepEqual(await store().sources.handshakes(id), [
      { name: 'crc', succeededAt: 5, failedAt: 2, failure: 'No secret.', successes: 3, failures: 1 },
      { ...verify, succeededAt: 6, successes: 1, failures: 1 },
    ])
    await store().sources.noteHandshakes([])
  })

  test('of each secret the latest use is known, in whatever order they are told', async () => {
    const { id } = await newSource()
    const use = (secretId: string, at: number) => ({ sourceId: id, secretId, at })
    await store().sources.noteSecretUses([use('a', 5), use('a', 3), use('b', 1)])
    await store().sources.noteSecretUses([use('a', 4), use('b', 7)])
    await store().sources.noteSecretUses([])
    assert.deepEqual(await store().sources.secretUses(id), { a: 5, b: 7 })
  })

  test('a list of sources can be walked in both directions, in pages of any size', async () => {
    const environmentId = await newEnvironment()
    const rows = Array.from({ length: 5 }, () => make.source(environmentId))
    for (const row of rows) await store().sources.insert(row, row.id)
    await pagesThrough(
      (search) => store().sources.list(environmentId, search),
      ({ id }) => id,
      rows.map(({ id }) => id),
    )
  })
}
