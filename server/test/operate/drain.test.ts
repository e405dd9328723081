import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eventually } from '../support/eventually.ts'
import { startReceiver } from '../support/receiver.ts'
import { startTestServer } from '../support/server.ts'

test('a server that stops answers health with 503 first, and serves what still comes until the drain is over', async (t) => {
  const receiver = await startReceiver()
  t.after(() => receiver.close())
  const server = await startTestServer({ settings: { shutdownDrain: 5_000 } })
  const { svix, world } = server
  const statusOf = async (path: string): Promise<number> => (await fetch(`${server.url}${path}`)).status
  await svix.application.create({ name: 'Shop', uid: 'shop' })
  await svix.endpoint.create('shop', { url: receiver.url })
  assert.equal(await statusOf('/api/v1/health'), 204)

  let stopped = false
  const stopping = server.stop().finally(() => {
    stopped = true
  })
  const health = await fetch(`${server.url}/api/v1/health`)
  assert.equal(health.status, 503)
  assert.ok(Number(health.headers.get('retry-after')) > 0)
  assert.match(await health.text(), /"detail":"This server is stopping\."/)
  assert.equal(await statusOf('/livez'), 204, 'a process that drains must not be restarted')
  await svix.message.create('shop', { eventType: 'invoice.paid', payload: {} })
  await receiver.until(1)
  await world.advance(4_999)
  await svix.message.create('shop', { eventType: 'invoice.paid', payload: {} })
  await receiver.until(2)
  assert.equal(stopped, false)

  await eventually(world, 'the server has stopped', async () => {
    if (!stopped) await world.advance(1)
    return stopped
  })
  await stopping
  await assert.rejects(fetch(`${server.url}/livez`), 'it still listens')
})
