import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type OpenStore, openedEach } from './opened.ts'
import { samples } from './samples.ts'

export function portalTokensConformance(open: OpenStore): void {
  const store = openedEach(open)
  const make = samples()

  const newApplication = async () => {
    const { id } = await store().environments.ensure(make.environment('production'))
    const application = make.application(id)
    await store().applications.insert(application)
    return application
  }
  const newToken = async (
    { environmentId, id }: Awaited<ReturnType<typeof newApplication>>,
    changes: Parameters<typeof make.portalToken>[2] = {},
  ) => {
    const token = make.portalToken(environmentId, id, changes)
    await store().portalTokens.insert(token)
    return token
  }
  const endOf = async ({ hash }: { readonly hash: string }) => (await store().portalTokens.byHash(hash))?.expiresAt

  test('a portal token is found by its hash with everything that was said of it', async () => {
    const token = await newToken(await newApplication(), {
      ...{ capabilities: ['ViewBase', 'ManageEndpoint'], featureFlags: ['béta', 'a"b'], sessionId: 'Sitzung „1“' },
    })
    assert.deepEqual(await store().portalTokens.byHash(token.hash), token)
    assert.equal(await store().portalTokens.byHash('another hash'), null)
  })

  test('a portal token is not found once its application is deleted', async () => {
    const application = await newApplication()
    const token = await newToken(application)
    await store().applications.delete(application.id, make.now())
    assert.equal(await store().portalTokens.byHash(token.hash), null)
  })

  test('a portal token that is ended twice keeps the earlier end', async () => {
    const application = await newApplication()
    const [token, other] = [await newToken(application, { expiresAt: 100 }), await newToken(application)]
    await store().portalTokens.end(token.hash, 50)
    await store().portalTokens.end(token.hash, 70)
    assert.equal(await endOf(token), 50)
    assert.equal(await endOf(other), other.expiresAt)
  })

  test('all of an application are ended in steps, but for those that end sooner, and none of another', async () => {
    const [here, there] = [await newApplication(), await newApplication()]
    const ends = [10, 100, 200, 300]
    const tokens = []
    for (const expiresAt of ends) tokens.push(await newToken(here, { expiresAt, sessionId: `${expiresAt}` }))
    const neighbour = await newToken(there, { expiresAt: 400 })
    assert.equal(await store().portalTokens.endAll(here.id, null, 50, 2), 2)
    assert.equal(await store().portalTokens.endAll(here.id, null, 50, 2), 1)
    assert.equal(await store().portalTokens.endAll(here.id, null, 50, 2), 0)
    assert.deepEqual(await Promise.all(tokens.map(endOf)), [10, 50, 50, 50])
    assert.equal(await endOf(neighbour), 400)
  })

  test('where sessions are named, only their tokens are ended', async () => {
    const [here, there] = [await newApplication(), await newApplication()]
    const make = (sessionId: string | null) => newToken(here, { expiresAt: 100, sessionId })
    const tokens = [await make('a'), await make('a'), await make('b'), await make('c'), await make(null)]
    const neighbour = await newToken(there, { expiresAt: 100, sessionId: 'a' })
    assert.equal(await store().portalTokens.endAll(here.id, ['a', 'c', 'unknown'], 50, 10), 3)
    assert.deepEqual(await Promise.all(tokens.map(endOf)), [50, 50, 100, 50, 100])
    assert.equal(await endOf(neighbour), 100)
    assert.equal(await store().portalTokens.endAll(here.id, [], 50, 10), 0)
  })

  test('what ended before a moment is removed in steps, and nothing else', async () => {
    const application = await newApplication()
    const tokens = []
    for (const expiresAt of [1, 2, 3, 4]) tokens.push(await newToken(application, { expiresAt }))
    assert.equal(await store().portalTokens.sweepExpired(4, 2), 2)
    assert.equal(await store().portalTokens.sweepExpired(4, 2), 1)
    assert.equal(await store().portalTokens.sweepExpired(4, 2), 0)
    assert.deepEqual(await Promise.all(tokens.map(endOf)), [undefined, undefined, undefined, 4])
  })
}
