import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { startTestServer, type TestServer } from '../support/server.ts'

let server: TestServer
before(async () => {
  server = await startTestServer()
})
after(() => server.stop())

interface ListPage {
  readonly data: readonly { readonly id: string }[]
  readonly iterator: string | null
  readonly prevIterator?: string | null
  readonly done: boolean
}

/** Walks on from `iterator` to the end. */
async function walk(
  ask: (iterator: string | null) => Promise<ListPage>,
  from: string | null = null,
): Promise<readonly string[]> {
  const ids: string[] = []
  for (let iterator = from, pages = 0; ; pages++) {
    assert.ok(pages < 100, 'the walk has no end')
    const page = await ask(iterator)
    ids.push(...page.data.map(({ id }) => id))
    if (page.done) return ids
    iterator = page.iterator
  }
}

test('walking a list meets every row once, in order, whatever the size of a page', async () => {
  const { svix } = server
  const { id: app } = await svix.application.create({ name: 'Walk' })
  const made: string[] = []
  for (let at = 0; at < 11; at++) made.push((await svix.message.create(app, { eventType: 'a', payload: {} })).id)
  for (const limit of [1, 3, 10, 11, 12]) {
    const ids = await walk((iterator) => svix.message.list(app, { limit, iterator }))
    assert.deepEqual(ids, made.toReversed(), `limit ${limit}`)
  }
})

test('a page of large payloads ends early and says that it is not the last; walking on meets all of them', async () => {
  const { svix } = server
  const { id: app } = await svix.application.create({ name: 'Large' })
  const made: string[] = []
  for (let at = 0; at < 20; at++) {
    made.push((await svix.message.create(app, { eventType: 'a', payload: { text: 'x'.repeat(1_000_000) } })).id)
  }
  const first = await svix.message.list(app, { limit: 250, withContent: true })
  assert.equal(first.data.length, 8) // 8 MiB of payloads at the most
  assert.equal(first.done, false)
  const ids = await walk((iterator) => svix.message.list(app, { limit: 250, withContent: true, iterator }))
  assert.deepEqual(ids, made.toReversed())
  assert.equal((await svix.message.list(app, { limit: 250 })).data.length, 20, 'without payloads they weigh nothing')
  // And back again from the end.
  const last = await svix.message.list(app, { limit: 250, withContent: true, iterator: first.iterator })
  const back = await svix.message.list(app, { limit: 250, withContent: true, iterator: last.prevIterator ?? '' })
  assert.deepEqual(
    back.data.map(({ id }) => id),
    first.data.map(({ id }) => id),
  )
})

test('rows added during a walk neither repeat nor hide any that were there', async () => {
  const { svix } = server
  const { id: app } = await svix.application.create({ name: 'Added' })
  const publish = async () => (await svix.message.create(app, { eventType: 'a', payload: {} })).id
  const made: string[] = []
  for (let at = 0; at < 6; at++) made.push(await publish())
  const ids = await walk(async (iterator) => {
    await publish()
    return svix.message.list(app, { limit: 2, iterator })
  })
  assert.deepEqual(
    ids.filter((id) => made.includes(id)),
    made.toReversed(),
  )
  assert.equal(new Set(ids).size, ids.length)
})

test('the end of a list goes on where rows are added behind it', async () => {
  const { svix } = server
  const { id: app } = await svix.application.create({ name: 'End' })
  const make = async (uid: string) => (await svix.endpoint.create(app, { url: 'http://127.0.0.1:9/', uid })).id
  const first = await make('first')
  const end = await svix.endpoint.list(app)
  assert.deepEqual([end.data.map(({ id }) => id), end.done], [[first], true])
  const second = await make('second')
  assert.deepEqual(await walk((iterator) => svix.endpoint.list(app, { iterator }), end.iterator), [second])
})

test('the way back leads over the same pages, and to what came before the first', async () => {
  const { svix } = server
  const { id: app } = await svix.application.create({ name: 'Back' })
  const publish = async () => (await svix.message.create(app, { eventType: 'a', payload: {} })).id
  const made: string[] = []
  for (let at = 0; at < 6; at++) made.unshift(await publish())
  const page = async (iterator: string | null | undefined) => {
    const answer = await svix.message.list(app, { limit: 2, iterator: iterator ?? null })
    return { ...answer, ids: answer.data.map(({ id }) => id) }
  }
  const one = await page(null)
  const two = await page(one.iterator)
  const three = await page(two.iterator)
  assert.deepEqual([one.ids, two.ids, three.ids], [made.slice(0, 2), made.slice(2, 4), made.slice(4, 6)])
  const back = await page(three.prevIterator)
  assert.deepEqual(back.ids, two.ids)
  const start = await page(back.prevIterator)
  assert.deepEqual(start.ids, one.ids)
  const newer = await publish()
  assert.deepEqual((await page(start.prevIterator)).ids, [newer])
})

test('Link names the pages beside this one, with everything else that was asked for', async () => {
  const { svix } = server
  const { id: app } = await svix.application.create({ name: 'Link' })
  for (let at = 0; at < 3; at++) await svix.message.create(app, { eventType: 'a.b', payload: {} })
  const linksOf = (answer: Response) =>
    new Map(
      [...(answer.headers.get('link') ?? '').matchAll(/<([^>]+)>; rel="(\w+)"/g)].map(([, url, rel]) => [
        rel,
        url ?? '',
      ]),
    )
  const first = await server.fetch(`/api/v1/app/${app}/msg?limit=2&event_types=a.b&with_content=false`)
  const { data } = JSON.parse(await first.text())
  const next = await server.fetch(linksOf(first).get('next') ?? '')
  const rest = JSON.parse(await next.text())
  assert.deepEqual([data.length, rest.data.length, rest.done], [2, 1, true])
  assert.equal(linksOf(next).get('next'), undefined)
  const back = await server.fetch(linksOf(next).get('prev') ?? '')
  assert.deepEqual(JSON.parse(await back.text()).data, data)
})

test('applications, endpoints and event types go both ways', async () => {
  const { svix } = server
  const { id: app } = await svix.application.create({ name: 'Both' })
  const made: string[] = []
  for (let at = 0; at < 3; at++) made.push((await svix.endpoint.create(app, { url: 'http://127.0.0.1:9/' })).id)
  const ids = (order?: 'ascending' | 'descending') =>
    walk(async (iterator) => {
      const answer = await server.fetch(
        `/api/v1/app/${app}/endpoint?limit=2${order ? `&order=${order}` : ''}${iterator ? `&iterator=${iterator}` : ''}`,
      )
      return JSON.parse(await answer.text())
    })
  assert.deepEqual([await ids(), await ids('ascending'), await ids('descending')], [made, made, made.toReversed()])
})

test('a filter that the store does not know still fills its pages', async () => {
  const { svix } = server
  const wanted: string[] = []
  for (let at = 0; at < 9; at++) {
    const { id } = await svix.application.create({ name: `Filter ${at}` })
    await svix.endpoint.create(id, { url: 'http://127.0.0.1:9/', disabled: at % 3 !== 0 })
    if (at % 3 === 0) wanted.push(id)
  }
  const ids = await walk((iterator) =>
    svix.application.list({
      limit: 2,
      iterator,
      excludeAppsWithNoEndpoints: true,
      excludeAppsWithDisabledEndpoints: true,
    }),
  )
  assert.deepEqual(
    ids.filter((id) => wanted.includes(id)),
    wanted,
  )
})

test('an iterator of another list is refused', async () => {
  const { svix } = server
  const { id: app } = await svix.application.create({ name: 'Other' })
  const { iterator } = await svix.application.list({ limit: 1 })
  const answer = await server.fetch(`/api/v1/app/${app}/msg?iterator=${iterator}`)
  const { code, errors } = JSON.parse(await answer.text())
  assert.deepEqual([answer.status, code, errors[0].pointer], [422, 'iterator-invalid', '/query/iterator'])
})
