import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { NodeListOut } from '@posthorn/contract'
import { startTestServer } from '../support/server.ts'

test('a process that is alone is the only node there is, leads, and was seen this moment', async (t) => {
  const server = await startTestServer()
  t.after(() => server.stop())
  const asked = Date.now()
  const { data } = (await (await server.fetch('/api/v1/node')).json()) as NodeListOut
  assert.equal(data.length, 1)
  const [node] = data
  assert.deepEqual([node?.leads, node?.answers], [true, true])
  assert.match(node?.id ?? '', /^node_/)
  assert.ok(Math.abs(Date.parse(node?.seenAt ?? '') - asked) < 60_000)
})
