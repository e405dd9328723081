import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Settings } from '../../src/config.ts'
import { fleet, publish } from '../fleet/fleet.ts'
import { type Pooler, startPgBouncer, withoutPooler } from '../support/pgbouncer.ts'

const servers = 3
const each = 200
const callers = 20

test('two nodes share three connections of a pooler under load: all is delivered, once and in order, and each hears of the other', {
  skip: withoutPooler,
}, async (t) => {
  let pooler: Pooler | null = null
  const made = await fleet(t, {
    through: async (url) => {
      pooler = await startPgBouncer(url, { size: servers })
      return pooler.through(url)
    },
  })
  t.after(() => pooler?.stop())
  const { receiver } = made
  await assert.rejects(made.node(), /say POSTHORN_DATABASE_POOLER=transaction/)
  // What does not fit into memory waits in the database, so that both claim.
  const settings: Partial<Settings> = {
    ...{ databasePooler: 'transaction', hotDeliveries: 40, globalInFlight: 20 },
    // Nothing dies here, so whatever is sent twice was claimed twice.
    ...{ leaseDuration: 30_000, attemptTimeout: 10_000 },
  }
  const nodes = await Promise.all([made.node({ settings }), made.node({ settings })])
  const [a, b] = nodes
  assert.ok(a !== undefined && b !== undefined)
  const leaders = async (): Promise<number> => {
    const metrics = await Promise.all(nodes.map(async (node) => (await node.fetch('/metrics')).text()))
    return metrics.filter((text) => /^posthorn_leader 1$/m.test(text)).length
  }
  await made.until('one of them leads', async () => (await leaders()) === 1)

  await a.svix.application.create({ name: 'Shop', uid: 'shop' })
  assert.equal((await publish(b)).status, 202, 'it has the application, without endpoints, in memory')
  // The client leaves out what it does not know.
  const endpoint = (path: string, control: object): Promise<Response> =>
    a.fetch('/api/v1/app/shop/endpoint', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ url: receiver.url + path, control }),
    })
  assert.equal((await endpoint('/any', {})).status, 201)
  assert.equal((await endpoint('/ordered', { ordering: 'key' })).status, 201)

  const ids: string[] = []
  const published = new Map<string, number>()
  await Promise.all(
    nodes.flatMap((node, at) =>
      Array.from({ length: callers }, async (_, caller) => {
        const key = `${at}-${caller}`
        for (let n = 0; n < each / callers; n++) {
          const { status, id } = await publish(node, `{"key":"${key}","n":${n}}`, `,"orderingKey":"${key}"`)
          assert.equal(status, 202)
          ids.push(id)
          published.set(key, n)
        }
      }),
    ),
  )
  const sentTo = (path: string) => receiver.received.filter((one) => one.path === path)
  await made.until('all was sent', () => sentTo('/any').length >= ids.length && sentTo('/ordered').length >= ids.length)
  await made.until('all was recorded', async () => (await made.count('select count(*) from delivery')) === 0)
  for (const path of ['/any', '/ordered']) {
    const sent = sentTo(path).map(({ headers }) => String(headers['webhook-id']))
    const missing = ids.filter((id) => !sent.includes(id))
    const doubled = sent.filter((id, at) => sent.indexOf(id) !== at)
    assert.deepEqual({ missing, doubled }, { missing: [], doubled: [] }, path)
  }
  for (const key of published.keys()) {
    const inOrder = sentTo('/ordered')
      .map(({ body }) => JSON.parse(body.toString()) as { key: string; n: number })
      .filter((payload) => payload.key === key)
    assert.deepEqual(
      inOrder.map(({ n }) => n),
      inOrder.map((_, n) => n),
      key,
    )
  }
  const connections = await made.count(
    `select count(*) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()`,
  )
  assert.ok(connections <= servers, `${connections} connections to the server`)
})
