import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { QuarantinedRequest } from '../../ports/store.ts'
import { type OpenStore, openedOnce } from './opened.ts'
import { pagesThrough, wholeList } from './paging.ts'
import { samples } from './samples.ts'

export function quarantineConformance(open: OpenStore): void {
  const store = openedOnce(open)
  const make = samples()
  const roomy = { count: 1_000, bytes: 1_000_000 }
  const newSource = async () => {
    const environment = await store().environments.ensure(make.environment('quarantine'))
    const row = make.source(environment.id)
    await store().sources.insert(row, row.id)
    return row.id
  }
  const idsOf = (rows: readonly QuarantinedRequest[]) => rows.map(({ id }) => id)
  const kept = async (sourceId: QuarantinedRequest['sourceId']) =>
    idsOf(await store().quarantine.list(sourceId, wholeList))

  test('what was refused comes back as it was kept; a list leaves the bodies out', async () => {
    const sourceId = await newSource()
    const row = make.quarantined(sourceId, { payload: 'a\u2028"\r\n', encoding: 'text' })
    const empty = make.quarantined(sourceId, { payload: '', encoding: 'base64', bytes: 60 })
    await store().quarantine.keep([row, empty], roomy)
    assert.deepEqual(await store().quarantine.find(sourceId, row.id), row)
    assert.deepEqual(await store().quarantine.find(sourceId, empty.id), empty)
    assert.deepEqual(await store().quarantine.list(sourceId, wholeList), [
      { ...row, payload: null },
      { ...empty, payload: null },
    ])
    assert.deepEqual(await store().quarantine.totals(sourceId), { count: 2, bytes: 160 })
    assert.equal(await store().quarantine.find(await newSource(), row.id), null, 'no other source has it')
  })

  test('over a cap the oldest of that source go, and the youngest stays even if it alone is over', async () => {
    const [sourceId, neighbour] = [await newSource(), await newSource()]
    const other = make.quarantined(neighbour)
    await store().quarantine.keep([other], roomy)
    const rows = Array.from({ length: 250 }, () => make.quarantined(sourceId))
    await store().quarantine.keep(rows, { count: 240, bytes: 1_000_000 })
    assert.deepEqual(await kept(sourceId), idsOf(rows.slice(10)))
    const next = make.quarantined(sourceId)
    await store().quarantine.keep([next], { count: 240, bytes: 1_050 })
    assert.deepEqual(await kept(sourceId), idsOf([...rows.slice(-9), next]))
    const huge = make.quarantined(sourceId, { bytes: 5_000 })
    await store().quarantine.keep([huge], { count: 240, bytes: 1_050 })
    assert.deepEqual(await kept(sourceId), [huge.id])
    assert.deepEqual(await kept(neighbour), [other.id])
  })

  test('what was acknowledged is over no cap, and takes no room from the others', async () => {
    const sourceId = await newSource()
    const promised = Array.from({ length: 5 }, () => make.quarantined(sourceId, { acknowledged: true }))
    const refused = Array.from({ length: 5 }, () => make.quarantined(sourceId))
    await store().quarantine.keep([...promised, ...refused], { count: 3, bytes: 250 })
    assert.deepEqual(await kept(sourceId), idsOf([...promised, ...refused.slice(3)]))
    assert.deepEqual((await store().quarantine.find(sourceId, promised[0]?.id ?? 'qrtn_'))?.acknowledged, true)
    assert.deepEqual(await store().quarantine.totals(sourceId), { count: 7, bytes: 700 })
  })

  test('the oldest are read in portions, each at least one and not over its bytes', async () => {
    const sourceId = await newSource()
    const rows = [300, 100, 100, 100].map((bytes) => make.quarantined(sourceId, { bytes }))
    await store().quarantine.keep(rows, roomy)
    const read = (after: QuarantinedRequest['id'] | '', limit: number, bytes: number) =>
      store().quarantine.oldest(sourceId, after, limit, bytes)
    assert.deepEqual(await read('', 10, 10), rows.slice(0, 1))
    assert.deepEqual(await read(rows[0]?.id ?? '', 10, 200), rows.slice(1, 3))
    assert.deepEqual(await read(rows[0]?.id ?? '', 1, 200), rows.slice(1, 2))
    assert.deepEqual(await read(rows[3]?.id ?? '', 10, 200), [])
  })

  test('what is named goes, only of that source, and what came before a moment is swept in steps', async () => {
    const [sourceId, neighbour] = [await newSource(), await newSource()]
    // A time of its own, so that nothing of the other tests is older.
    make.pass(1_000_000)
    await store().quarantine.sweep(make.now(), 10_000)
    const rows = Array.from({ length: 5 }, () => make.quarantined(sourceId))
    const other = make.quarantined(neighbour)
    await store().quarantine.keep([...rows, other], roomy)
    const [first, second, third] = rows
    assert.equal(await store().quarantine.delete(sourceId, idsOf([...rows.slice(0, 1), other])), 1)
    assert.equal(await store().quarantine.delete(sourceId, []), 0)
    const before = (third?.request.receivedAt ?? 0) + 1
    assert.equal(first && second && (await store().quarantine.sweep(before, 1)), 1)
    assert.equal(await store().quarantine.sweep(before, 10), 1)
    assert.equal(await store().quarantine.sweep(before, 10), 0)
    assert.deepEqual(await kept(sourceId), idsOf(rows.slice(3)))
    assert.equal(await store().quarantine.deleteAll(sourceId), 2)
    assert.deepEqual(await kept(neighbour), [other.id])
  })

  test('a list of what is quarantined can be walked in both directions, in pages of any size', async () => {
    const sourceId = await newSource()
    const rows = Array.from({ length: 5 }, () => make.quarantined(sourceId))
    await store().quarantine.keep(rows, roomy)
    await pagesThrough(
      (search) => store().quarantine.list(sourceId, search),
      ({ id }) => id,
      rows.map(({ id }) => id),
    )
  })
}
