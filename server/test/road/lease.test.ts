import assert from 'node:assert/strict'
import { test } from 'node:test'
import { idsOf, many, patch } from './controls.ts'
import { type Scene, scene } from './scene.ts'

const leaseMs = 30_000

/** One message is out, and more wait in memory for the rate of their endpoint. */
async function waiting(made: Scene, count: number): Promise<readonly string[]> {
  await patch(made, `app/shop/endpoint/${made.endpointId}`, { throttleRate: 1 })
  const ids = await many(count, made.publish)
  await made.arrived(1)
  await made.recorded(1)
  return ids
}

/** Another node takes over what was leased, and holds it for good. */
const takeOver = (made: Scene): Promise<void> =>
  made.disk.exec("update delivery set lease = 'lease_other', due_at = 1e15")

test('a node that slept past its leases sends nothing of what another node has taken over', async (t) => {
  const made = await scene(t, { settings: { leaseDuration: leaseMs } })
  await waiting(made, 3)
  await takeOver(made)
  await made.server.world.leap(leaseMs)
  await made.quiet()
  await made.server.world.advance(10_000)
  await made.quiet()
  assert.equal(made.receiver.received.length, 1)
  assert.equal(await made.disk.count("select count(*) from delivery where lease = 'lease_other'"), 2)
})

test('a node that slept past its leases sends each message once when nobody has taken over', async (t) => {
  const made = await scene(t, { settings: { leaseDuration: leaseMs } })
  const ids = await waiting(made, 3)
  await made.server.world.leap(leaseMs)
  await made.quiet()
  for (let second = 0; second < 10; second++) {
    await made.server.world.advance(1_000)
    await made.quiet()
  }
  await made.recorded(3)
  assert.deepEqual(idsOf(made.receiver.received).toSorted(), ids.toSorted())
})

test('a try that is under way while another node takes its delivery over is recorded, and settles nothing', async (t) => {
  const made = await scene(t, { settings: { leaseDuration: leaseMs } })
  const hold: (() => void)[] = []
  made.receiver.answer = (_, response) => void hold.push(() => response.writeHead(204).end())
  await made.publish()
  await made.arrived(1)
  await takeOver(made)
  await made.server.world.advance(leaseMs / 2)
  await made.quiet()
  for (const letGo of hold) letGo()
  await made.recorded(1)
  await made.quiet()
  assert.equal(await made.disk.count("select count(*) from delivery where lease = 'lease_other'"), 1)
})
