import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { startTestServer, type TestServer } from '../support/server.ts'

let server: TestServer
before(async () => {
  server = await startTestServer({ settings: { apiRate: 2 } })
})
after(() => server.stop())

const fieldsOf = ({ status, headers }: Response) => [status, headers.get('ratelimit'), headers.get('retry-after')]

async function look(key = server.key): Promise<Response> {
  const answer = await server.fetch('/api/v1/app', { headers: { authorization: `Bearer ${key}` } })
  assert.equal(answer.headers.get('ratelimit-policy'), '"requests";q=2;w=1')
  return answer
}

test('a key makes as many requests a second as the operator allows, and is told when it may come again', async () => {
  assert.deepEqual(fieldsOf(await look()), [200, '"requests";r=1;t=1', null])
  assert.deepEqual(fieldsOf(await look()), [200, '"requests";r=0;t=1', null])
  const refused = await look()
  assert.deepEqual(fieldsOf(refused), [429, '"requests";r=0;t=1', '1'])
  assert.equal(((await refused.json()) as { code: string }).code, 'rate-limited')
  await server.world.advance(500)
  assert.equal((await look()).status, 200)
  assert.equal((await look()).status, 429)
})

test('one key does not use up what is another one’s, and nobody is counted who shows none', async () => {
  await server.world.advance(10_000)
  const { token } = await (async () => {
    await server.svix.application.create({ name: 'A', uid: 'a' })
    return server.svix.authentication.appPortalAccess('a', {})
  })()
  assert.equal((await look()).status, 429)
  const own = await server.fetch('/api/v1/app/a', { headers: { authorization: `Bearer ${token}` } })
  assert.equal(own.status, 200)
  for (let n = 0; n < 5; n++) assert.equal((await fetch(`${server.url}/api/v1/health`)).status, 204)
})

test('without a limit nothing is said of one', async (t) => {
  const free = await startTestServer()
  t.after(() => free.stop())
  const answer = await free.fetch('/api/v1/app')
  assert.deepEqual([answer.headers.get('ratelimit'), answer.headers.get('ratelimit-policy')], [null, null])
})
