import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readDatabaseTarget } from '../../src/domain/database-target.ts'
import { freshDatabase, withoutPostgres } from '../support/postgres.ts'
import { startTestServer } from '../support/server.ts'
import { Wire } from './wire.ts'

test('while PostgreSQL cannot be reached every call is answered 503 with Retry-After, and none once it can be', {
  skip: withoutPostgres,
}, async (t) => {
  const database = await freshDatabase()
  const url = new URL(database.url)
  const wire = await Wire.listen(Number(url.port), () => {})
  url.port = String(wire.port)
  const server = await startTestServer({
    settings: { database: readDatabaseTarget(url.href), masterKey: new Uint8Array(32) },
  })
  t.after(async () => {
    await server.stop()
    await wire.close()
    await database.drop()
  })
  const body = JSON.stringify({ eventType: 'plain', payload: {} })
  const calls = [
    () => server.fetch('/api/v1/app'),
    () => server.fetch('/api/v1/app', { method: 'POST', headers, body: '{"name":"Shop"}' }),
    () => server.fetch('/api/v1/app/shop/msg', { method: 'POST', headers, body }),
    () => server.fetch('/api/v1/app', { headers: { authorization: 'Bearer nobody-has-this-key' } }),
  ]
  const shop = await server.fetch('/api/v1/app', { method: 'POST', headers, body: '{"name":"Shop","uid":"shop"}' })
  assert.equal(shop.status, 201)

  wire.refuse(true)
  wire.cut()
  for (const call of [...calls, ...calls]) {
    const answer = await call()
    assert.equal(answer.status, 503, await answer.text())
    assert.match(answer.headers.get('retry-after') ?? '', /^\d+$/)
  }

  wire.heal()
  for (const [at, status] of [200, 201, 202, 401].entries()) {
    const givenUp = performance.now() + 10_000
    for (;;) {
      const answer = await calls[at]?.()
      await server.world.advance(250)
      if (answer?.status === status) break
      assert.ok(performance.now() < givenUp, `call ${at} is still answered ${answer?.status}`)
    }
  }
})

const headers = { 'content-type': 'application/json' }
