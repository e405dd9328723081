import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type OpenStore, openedEach } from './opened.ts'
import { samples } from './samples.ts'

export function environmentsConformance(open: OpenStore): void {
  const store = openedEach(open)
  const make = samples()

  test('ensuring a name twice keeps the first environment, whatever id the second came with', async () => {
    const first = make.environment('production')
    assert.deepEqual(await store().environments.ensure(first), first)
    assert.deepEqual(await store().environments.ensure(make.environment('production')), first)
    assert.deepEqual(await store().environments.list(), [first])
  })

  test('an environment is found by its exact name only', async () => {
    const staging = await store().environments.ensure(make.environment('staging'))
    assert.deepEqual(await store().environments.byName('staging'), staging)
    assert.equal(await store().environments.byName('Staging'), null)
    assert.equal(await store().environments.byName(''), null)
  })

  test('environments are listed in the order they were made, not of their names', async () => {
    const made = [make.environment('b'), make.environment('a'), make.environment('c')]
    for (const environment of made.toReversed()) await store().environments.ensure(environment)
    assert.deepEqual(await store().environments.list(), made)
  })

  test('a store that answers pings', () => store().ping())
}
