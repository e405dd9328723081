import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type OpenStore, openedOnce } from './opened.ts'
import { pagesThrough } from './paging.ts'
import { samples } from './samples.ts'

export function eventTypesConformance(open: OpenStore): void {
  const store = openedOnce(open)
  const make = samples()
  let environments = 0
  const newEnvironment = async () => (await store().environments.ensure(make.environment(`test ${environments++}`))).id

  test('an event type comes back as it was declared, its schemas as deep as they were', async () => {
    const environmentId = await newEnvironment()
    const row = make.eventType(environmentId, 'invoice.paid', {
      ...{ description: 'Someone “paid” 💶', archived: true, deprecated: true, groupName: 'billing' },
      ...{ schemas: { 1: { type: 'object', properties: { n: { enum: [1, null, 'x', true] } } } } },
      ...{ featureFlags: ['beta', 'eu'], revision: 2 },
    })
    assert.equal(await store().eventTypes.insert(row), 'done')
    assert.deepEqual(await store().eventTypes.find(environmentId, 'invoice.paid'), row)
    assert.equal(await store().eventTypes.find(environmentId, 'Invoice.paid'), null)
    assert.equal(await store().eventTypes.find(await newEnvironment(), 'invoice.paid'), null)
  })

  test('of an event type its flags can be had alone', async () => {
    const environmentId = await newEnvironment()
    const flagsOf = (name: string) => store().eventTypes.findFlags(environmentId, name)
    await store().eventTypes.insert(make.eventType(environmentId, 'flagged', { featureFlags: ['beta', 'eu'] }))
    await store().eventTypes.insert(make.eventType(environmentId, 'for.all', { featureFlags: null }))
    assert.deepEqual(await flagsOf('flagged'), { featureFlags: ['beta', 'eu'] })
    assert.deepEqual(await flagsOf('for.all'), { featureFlags: null })
    assert.equal(await flagsOf('flagge'), null)
    assert.equal(await store().eventTypes.findFlags(await newEnvironment(), 'flagged'), null)
  })

  test('a name is declared once in an environment, archived or not, until it is expunged', async () => {
    const [here, there] = [await newEnvironment(), await newEnvironment()]
    const row = make.eventType(here, 'a', { archived: true })
    assert.equal(await store().eventTypes.insert(row), 'done')
    assert.equal(await store().eventTypes.insert(make.eventType(here, 'a')), 'name-taken')
    assert.equal(await store().eventTypes.insert(make.eventType(there, 'a')), 'done')
    assert.deepEqual(await store().eventTypes.find(here, 'a'), row)
    assert.equal(await store().eventTypes.expunge(here, 'a', 2), 'stale', 'of another revision it is left alone')
    assert.deepEqual(await store().eventTypes.find(here, 'a'), row)
    assert.equal(await store().eventTypes.expunge(here, 'a', 1), 'done')
    assert.equal(await store().eventTypes.find(here, 'a'), null)
    assert.notEqual(await store().eventTypes.find(there, 'a'), null)
    assert.equal(await store().eventTypes.insert(make.eventType(here, 'a')), 'done')
  })

  test('many are written together with their environment, or none when one of them is stale', async () => {
    const environment = await store().environments.ensure(make.environment('written together'))
    const { id } = environment
    const held = make.eventType(id, 'held')
    await store().eventTypes.insert(held)
    const next = { ...environment, settings: { ...environment.settings, strictEventTypes: true }, revision: 2 }
    const changed = { ...held, description: 'changed', revision: 2 }
    const taken = [changed, make.eventType(id, 'new'), make.eventType(id, 'held')]
    assert.equal(await store().eventTypes.writeAll(taken, next), 'stale')
    assert.equal(await store().eventTypes.writeAll([make.eventType(id, 'new')], { ...next, revision: 3 }), 'stale')
    assert.deepEqual(await store().eventTypes.find(id, 'held'), held)
    assert.equal(await store().eventTypes.find(id, 'new'), null)
    assert.deepEqual(await store().environments.find(id), environment)
    assert.equal(await store().eventTypes.writeAll([changed, make.eventType(id, 'new')], next), 'done')
    assert.deepEqual(await store().eventTypes.find(id, 'held'), changed)
    assert.deepEqual(await store().environments.find(id), next)
  })

  test('what was seen is undeclared until it is declared, and again when it is archived; its first time counts', async () => {
    const [here, there] = [await newEnvironment(), await newEnvironment()]
    const seen = (name: string, seenAt: number) => ({ environmentId: here, name, seenAt })
    await store().eventTypes.noteSeen([seen('b', 1), seen('a', 2), seen('c', 3)])
    await store().eventTypes.noteSeen([seen('b', 9), { ...seen('d', 4), environmentId: there }])
    const declared = make.eventType(here, 'a')
    await store().eventTypes.insert(declared)
    const undeclared = () => store().eventTypes.undeclared(here, { beyond: null, descending: false, limit: 10 })
    const [b, c] = [seen('b', 1), seen('c', 3)].map((row) => ({ ...row, archived: false }))
    assert.deepEqual(await undeclared(), [b, c])
    await store().eventTypes.update({ ...declared, archived: true, revision: 2 })
    assert.deepEqual(await undeclared(), [{ ...seen('a', 2), archived: true }, b, c])
    const page = { beyond: 'c', descending: true, limit: 1 }
    assert.deepEqual(await store().eventTypes.undeclared(here, page), [b])
  })

  test('of an environment no more than some 10,000 names are remembered', async () => {
    const environmentId = await newEnvironment()
    const rows = (from: number) =>
      Array.from({ length: 10_000 }, (_, n) => ({ environmentId, name: `n${from + n}`, seenAt: 1 }))
    await store().eventTypes.noteSeen(rows(0))
    await store().eventTypes.noteSeen(rows(10_000))
    const all = await store().eventTypes.undeclared(environmentId, { beyond: null, descending: false, limit: 30_000 })
    assert.equal(all.length, 10_000)
  })

  test('an update changes everything that can change, once for each revision', async () => {
    const environmentId = await newEnvironment()
    const row = make.eventType(environmentId, 'a', { schemas: { 1: {} }, featureFlags: ['x'], groupName: 'g' })
    await store().eventTypes.insert(row)
    const changed = {
      ...row,
      ...{ description: 'new', archived: true, deprecated: true, schemas: null, groupName: null, featureFlags: null },
      ...{ updatedAt: row.updatedAt + 1, revision: 2 },
    }
    assert.equal(await store().eventTypes.update(changed), 'done')
    assert.equal(await store().eventTypes.update({ ...changed, description: 'late' }), 'stale')
    assert.equal(await store().eventTypes.update({ ...changed, name: 'unknown', revision: 3 }), 'stale')
    assert.deepEqual(await store().eventTypes.find(environmentId, 'a'), changed)
  })

  test('a list is in byte order of the names, both ways, page by page', async () => {
    const environmentId = await newEnvironment()
    // Capitals before small letters, digits before both, in every engine: an iterator must mean the same there.
    const names = ['-', '.', '/', '0', 'A', 'B.x', '_', 'a', 'a.b', 'a/b', 'aa', 'z']
    for (const name of names.toReversed()) await store().eventTypes.insert(make.eventType(environmentId, name))
    await pagesThrough(
      (search) => store().eventTypes.list(environmentId, { includeArchived: false }, search),
      (row) => row.name,
      names,
    )
  })

  test('archived event types are listed only when asked for', async () => {
    const environmentId = await newEnvironment()
    for (const name of ['a', 'b', 'c', 'd'])
      await store().eventTypes.insert(make.eventType(environmentId, name, { archived: name === 'b' || name === 'd' }))
    const listed = (includeArchived: boolean, names: string[]) =>
      pagesThrough(
        (search) => store().eventTypes.list(environmentId, { includeArchived }, search),
        (row) => row.name,
        names,
      )
    await listed(false, ['a', 'c'])
    await listed(true, ['a', 'b', 'c', 'd'])
  })
}
