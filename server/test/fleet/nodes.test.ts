import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { withoutPostgres } from '../support/postgres.ts'
import { fleet, leaseMs, publish } from './fleet.ts'

describe('several nodes on one PostgreSQL', { skip: withoutPostgres }, () => {
  test('an endpoint made through one node gets the very next message that is published through another', async (t) => {
    const made = await fleet(t)
    const [a, b] = [await made.node(), await made.node()]
    await a.svix.application.create({ name: 'Shop', uid: 'shop' })
    assert.equal((await publish(b)).status, 202, 'now it has the application, without endpoints, in memory')
    for (const path of ['/one', '/two', '/three']) {
      const before = made.receiver.received.length
      const { id } = await a.svix.endpoint.create('shop', { url: made.receiver.url + path })
      await publish(b)
      await made.until('it was sent', () => made.receiver.received.length > before)
      await a.svix.endpoint.delete('shop', id)
    }
  })

  test('a node that dies without a word is taken over within its lease: everything it had accepted is sent', async (t) => {
    const made = await fleet(t)
    const a = await made.node()
    await a.svix.application.create({ name: 'Shop', uid: 'shop', throttleRate: 1 })
    await a.svix.endpoint.create('shop', { url: made.receiver.url })
    const ids = await Promise.all(Array.from({ length: 4 }, async () => (await publish(a)).id))
    await made.until('the first was sent', () => made.receiver.received.length > 0)
    a.world.freeze()
    const died = Date.now()
    const b = await made.node()
    await b.svix.application.patch('shop', { throttleRate: null })
    await made.until('all was sent', () => {
      const sent = new Set(made.receiver.received.map(({ headers }) => headers['webhook-id']))
      return ids.every((id) => sent.has(id))
    })
    assert.ok(Date.now() - died < 2 * leaseMs + 3_000)
  })

  test('a node that is told to stop leaves nothing under its lease: others need not wait for its end', async (t) => {
    const made = await fleet(t)
    const a = await made.node()
    await a.svix.application.create({ name: 'Shop', uid: 'shop', throttleRate: 1 })
    await a.svix.endpoint.create('shop', { url: made.receiver.url })
    await Promise.all(Array.from({ length: 5 }, () => publish(a)))
    await made.until('the first was sent', () => made.receiver.received.length > 0)
    assert.ok((await made.count('select count(*) from delivery where lease is not null')) > 0)
    await a.stop()
    const now = Date.now()
    assert.ok((await made.count(`select count(*) from delivery where due_at <= ${now}`)) >= 3)
    assert.equal(await made.count(`select count(*) from delivery where lease is not null or due_at > ${now}`), 0)
  })

  test('one node does the chores, and another when that one is gone', async (t) => {
    const made = await fleet(t)
    const [a, b] = [await made.node(), await made.node()]
    const leader = async (node: typeof a) => /^posthorn_leader 1$/m.test(await (await node.fetch('/metrics')).text())
    assert.deepEqual([await leader(a), await leader(b)], [true, false])
    a.world.freeze()
    await made.until('the other leads', () => leader(b))
    assert.equal(await leader(a), false, 'who is not heard does not lead')
  })

  test('nodes together keep to a rate, whoever comes and goes', async (t) => {
    const made = await fleet(t)
    const a = await made.node()
    await a.svix.application.create({ name: 'Shop', uid: 'shop' })
    await a.svix.endpoint.create('shop', { url: made.receiver.url, throttleRate: 20 })
    const sentAt: number[] = []
    made.receiver.answer = (_, response) => {
      sentAt.push(performance.now())
      response.writeHead(204).end()
    }
    let published = 0
    const more = async (): Promise<void> => {
      for (let n = 0; n < 20; n++) await publish(a)
      published += 20
    }
    await more()
    await made.until('it has begun', () => sentAt.length > 5)
    await made.node()
    await made.until('both take part', async () => {
      // A backlog of two seconds, however long that node needs to start.
      if (published - sentAt.length < 40) await more()
      return (await made.count('select count(distinct lease) from delivery where lease is not null')) === 2
    })
    await more()
    await made.until('all was sent', () => sentAt.length === published)
    const mostInASecond = Math.max(
      ...sentAt.map((at) => sentAt.filter((other) => other >= at && other < at + 1_000).length),
    )
    // 50 ms of each are saved up, and both may begin a second with one.
    assert.ok(mostInASecond <= 20 + 2 * 2, `${mostInASecond} within a second`)
  })

  test('a clock that is further from the database’s than a quarter of the lease is no clock to start with', async (t) => {
    const made = await fleet(t)
    await assert.rejects(
      made.node({ machineNow: () => Date.now() + leaseMs / 4 + 200 }),
      /clock of this machine is 0\.[67] s ahead of the database's.*NTP/,
    )
    assert.equal(await made.count('select count(*) from node'), 0)
  })
})
