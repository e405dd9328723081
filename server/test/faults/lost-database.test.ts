import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import pg from 'pg'
import { readDatabaseTarget } from '../../src/domain/database-target.ts'
import { Problem } from '../../src/domain/problem.ts'
import { openPostgresStore } from '../../src/stores/postgres/store.ts'
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

test('where PostgreSQL falls silent in the middle of all, every caller is told within two seconds, and a long list is let finish', {
  skip: withoutPostgres,
}, async (t) => {
  const database = await freshDatabase()
  const url = new URL(database.url)
  const wire = await Wire.listen(Number(url.port), () => {})
  url.port = String(wire.port)
  const target = readDatabaseTarget(url.href)
  if (target.engine !== 'postgres') throw new Error('the tests were given another engine')
  const store = await openPostgresStore(target, { connections: 10, pooled: false })
  const locker = new pg.Client({ connectionString: database.url })
  await locker.connect()
  t.after(async () => {
    wire.heal()
    await locker.end()
    await store.close()
    await wire.close()
    await database.drop()
  })
  const timed = async (work: () => Promise<unknown>) => {
    const startedAt = performance.now()
    const outcome = await work().catch((error: unknown) => error)
    return { outcome, tookMs: performance.now() - startedAt }
  }
  const somebody = () => store.keys.byHash('nobody')
  const everybody = () => store.keys.list(null)

  await locker.query('begin')
  await locker.query('lock table api_key')
  const slow = timed(everybody)
  await pause(2_500)
  await locker.query('commit')
  assert.ok(!((await slow).outcome instanceof Error), 'who only waited for others has his answer')

  // Some have a connection that is open already, the others wait for one.
  await Promise.all([everybody(), everybody(), everybody()])
  wire.stall({ requests: false, answers: true })
  const asked = [everybody, somebody, everybody, everybody, everybody, everybody, everybody, everybody, everybody]
  for (const { outcome, tookMs } of await Promise.all(asked.map(timed))) {
    assert.ok(outcome instanceof Problem, String(outcome))
    assert.equal(outcome.code, 'unavailable')
    assert.ok(tookMs < 2_500, `it took ${tookMs} ms`)
  }

  wire.heal()
  const givenUp = performance.now() + 10_000
  while ((await somebody().catch(() => undefined)) === undefined) {
    assert.ok(performance.now() < givenUp, 'it is not asked again')
    await pause(50)
  }
})

test('a host that says nothing does not keep a node from the one behind it', { skip: withoutPostgres }, async (t) => {
  const database = await freshDatabase()
  const silent = createServer()
  silent.listen(0, '127.0.0.1')
  await once(silent, 'listening')
  const url = new URL(database.url)
  const address = silent.address()
  if (address === null || typeof address === 'string') throw new Error('the silent host does not listen')
  const target = readDatabaseTarget(
    `postgres://${url.username}@127.0.0.1:${address.port},${url.hostname}:${url.port}${url.pathname}`,
  )
  if (target.engine !== 'postgres') throw new Error('the tests were given another engine')
  t.after(async () => {
    silent.close()
    await database.drop()
  })
  const store = await openPostgresStore(target, { connections: 10, pooled: false })
  await store.close()
})

const headers = { 'content-type': 'application/json' }
