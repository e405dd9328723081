import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { NodeListOut } from '@posthorn/contract'
import { withoutPostgres } from '../support/postgres.ts'
import { type FleetNode, type FleetScene, fleet, publish } from './fleet.ts'

// What one node is told holds for what another has in memory. Nodes hear of each other within half a second.
const heardMs = 1_000

interface Across extends FleetScene {
  readonly a: FleetNode
  /** Has published, and holds: the first message is under way, the others wait behind it in memory. */
  readonly b: FleetNode
  readonly endpointId: string
  readonly ids: readonly string[]
  /** What is under way is answered 500, and everything from then on 204. */
  letGo(): void
  sent(id: string | undefined): boolean
  canceled(node: FleetNode, id: string | undefined): Promise<number>
}

async function across(t: Parameters<typeof fleet>[0], messages: number): Promise<Across> {
  const made = await fleet(t)
  const settings = { attemptTimeout: 20_000 }
  const [a, b] = [await made.node({ settings }), await made.node({ settings })]
  await a.svix.application.create({ name: 'Shop', uid: 'shop' })
  const { id: endpointId } = await a.svix.endpoint.create('shop', { url: made.receiver.url })
  await a.fetch(`/api/v1/app/shop/endpoint/${endpointId}`, {
    method: 'PATCH',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ control: { maxInFlight: 1 } }),
  })
  const held: (() => void)[] = []
  made.receiver.answer = ({ body }, response) => void held.push(() => response.writeHead(500).end(body))
  const ids: string[] = []
  for (let n = 0; n < messages; n++) {
    ids.push((await publish(b, `{"n":${n}}`)).id)
    if (n === 0) await made.receiver.until(1)
  }
  assert.equal(await made.count('select count(*) from delivery where lease is not null'), messages)
  return {
    ...made,
    ...{ a, b, endpointId, ids },
    letGo() {
      made.receiver.answer = (_, response) => response.writeHead(204).end()
      for (const go of held.splice(0)) go()
    },
    sent: (id) => made.receiver.received.some(({ headers }) => headers['webhook-id'] === id),
    async canceled(node, id) {
      const answered = await node.fetch(`/api/v1/app/shop/msg/${id}/cancel`, { method: 'POST' })
      return ((await answered.json()) as { canceled: number }).canceled
    },
  }
}

const hot = async (node: FleetNode): Promise<number> => {
  const metrics = await (await node.fetch('/metrics')).text()
  return Number(/^posthorn_hot_deliveries (\d+)$/m.exec(metrics)?.[1])
}

describe('what one node is told, of what another holds', { skip: withoutPostgres }, () => {
  test('a cancel reaches what waits elsewhere, and does not count what is on the wire, which is not tried again', async (t) => {
    const made = await across(t, 3)
    const [first, second, third] = made.ids
    assert.equal(await made.canceled(made.a, second), 1)
    assert.equal(await made.canceled(made.a, first), 0, 'it is being sent')
    made.letGo()
    await made.until('the third was sent', () => made.sent(third))
    await made.until('all is settled', async () => (await made.count('select count(*) from delivery')) === 0)
    assert.equal(made.sent(second), false)
    const attempts = await made.rows('select message_id, ended, status_code from attempt order by message_id')
    assert.deepEqual(
      attempts.map(({ message_id, ended, status_code }) => [message_id, ended, Number(status_code)]),
      [
        [first, null, 500],
        [second, 'canceled', 0],
        [third, null, 204],
      ],
    )
  })

  test('explain says of what another node holds that it does, and the list of nodes says who that is', async (t) => {
    const made = await across(t, 1)
    const explained = async (node: FleetNode) => {
      const answer = await node.fetch(`/api/v1/app/shop/msg/${made.ids[0]}/explain`)
      const { data } = (await answer.json()) as { data: { waitingFor?: string; nodeId?: string }[] }
      return [data[0]?.waitingFor, data[0]?.nodeId]
    }
    const nodes = async (node: FleetNode) => ((await (await node.fetch('/api/v1/node')).json()) as NodeListOut).data
    const [first, second] = await nodes(made.b)
    assert.deepEqual([first?.answers, second?.answers], [false, true])
    assert.deepEqual([first?.leads, second?.leads], [true, false])
    assert.deepEqual(
      (await nodes(made.a)).map(({ answers }) => answers),
      [true, false],
    )
    assert.deepEqual(await explained(made.a), ['node', second?.id])
    assert.deepEqual(await explained(made.b), ['in-flight', undefined])
    made.b.world.freeze()
    await made.until('the dead are not listed', async () => (await nodes(made.a)).length === 1)
    made.letGo()
  })

  test('a cancel reaches what a node held that is not heard any more', async (t) => {
    const made = await across(t, 2)
    made.b.world.freeze()
    await made.until('it is taken for dead', async () => (await made.a.store.nodes.alive(600)).length === 1)
    assert.equal(await made.canceled(made.a, made.ids[1]), 1)
    assert.equal(await made.count(`select count(*) from delivery where message_id = '${made.ids[1]}'`), 0)
    made.letGo()
  })

  test('what is expunged through one node is neither sent by another, nor is an answer to it kept', async (t) => {
    const made = await across(t, 3)
    const [first, second, third] = made.ids
    for (const id of [first, second]) await made.a.svix.message.expungeContent('shop', id ?? '')
    made.letGo()
    await made.until('the third was sent', () => made.sent(third))
    await made.until('all is settled', async () => (await made.count('select count(*) from delivery')) === 0)
    assert.equal(made.sent(second), false)
    assert.equal(await made.count(`select count(*) from message where payload is not null and id <> '${third}'`), 0)
    assert.equal(await made.count(`select count(*) from attempt where response <> '' and ended is null`), 0)
  })

  test('an endpoint that is deleted through one node gets nothing more from another', async (t) => {
    const made = await across(t, 4)
    await made.a.svix.endpoint.delete('shop', made.endpointId)
    const told = performance.now()
    await made.until('only what is under way is held', async () => (await hot(made.b)) === 1)
    assert.ok(performance.now() - told < heardMs)
    made.letGo()
    await made.until('nothing is held', async () => (await hot(made.b)) === 0)
    assert.equal(made.receiver.received.length, 1)
  })

  test('an application that is deleted through one node is sent nothing more by another', async (t) => {
    const made = await across(t, 4)
    await made.a.svix.application.delete('shop')
    const told = performance.now()
    await made.until('only what is under way is held', async () => (await hot(made.b)) === 1)
    assert.ok(performance.now() - told < heardMs)
    made.letGo()
    await made.until('nothing is held', async () => (await hot(made.b)) === 0)
    assert.equal(made.receiver.received.length, 1)
  })

  for (const [name, stop, go] of [
    ['paused', { paused: true }, { paused: false }],
    ['disabled', { disabled: true }, { disabled: false }],
  ] as const) {
    test(`an endpoint that is ${name} through one node is sent nothing by another, until it may go on`, async (t) => {
      const made = await across(t, 4)
      const say = (body: object) =>
        'paused' in body
          ? made.a.fetch(`/api/v1/app/shop/endpoint/${made.endpointId}/${body.paused ? 'pause' : 'resume'}`, {
              method: 'POST',
            })
          : made.a.svix.endpoint.patch('shop', made.endpointId, body)
      await say(stop)
      const told = performance.now()
      await made.until('only what is under way is held', async () => (await hot(made.b)) === 1)
      assert.ok(performance.now() - told < heardMs)
      made.letGo()
      await made.until('nothing is held', async () => (await hot(made.b)) === 0)
      assert.equal(made.receiver.received.length, 1)
      made.a.world.freeze()
      await say(go)
      await made.until('the others were sent, by the one that is left', () =>
        made.ids.slice(1).every((id) => made.sent(id)),
      )
    })
  }
})
