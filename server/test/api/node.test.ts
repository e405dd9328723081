import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { NodeListOut } from '@posthorn/contract'
import { eventually } from '../support/eventually.ts'
import { startTestServer } from '../support/server.ts'

test('a process that is alone is the only node there is, leads, and was seen this moment', async (t) => {
  const server = await startTestServer()
  t.after(() => server.stop())
  const asked = Date.now()
  let data: NodeListOut['data'] = []
  // A node is heard once a second, of a clock that stands still here; the database's goes on.
  await eventually(server.world, 'it is heard', async () => {
    await server.world.advance(1_000)
    data = ((await (await server.fetch('/api/v1/node')).json()) as NodeListOut).data
    return data.length > 0
  })
  assert.equal(data.length, 1)
  const [node] = data
  assert.deepEqual([node?.leads, node?.answers], [true, true])
  assert.match(node?.id ?? '', /^node_/)
  assert.ok(Math.abs(Date.parse(node?.seenAt ?? '') - asked) < 60_000)
})
