import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { test } from 'node:test'
import { Patience } from './patience.ts'

const waited = (patience: Patience, ms: number): Promise<number> => {
  const from = performance.now()
  return new Promise((resolve) => patience.after(ms, () => resolve(performance.now() - from)))
}

const keepBusy = (ms: number): void => {
  const until = performance.now() + ms
  while (performance.now() < until);
}

test('a wait is over when it is, give or take a look', async () => {
  const took = await waited(new Patience(), 300)
  assert.ok(took >= 299, `${took} ms`)
})

test('a wait that was called off is never over', async () => {
  const patience = new Patience()
  let over = 0
  patience.after(100, () => over++)()
  await waited(patience, 300)
  assert.equal(over, 0)
})

test('time in which the process was busy does not count, but for a little', async () => {
  const patience = new Patience()
  const over = waited(patience, 600)
  keepBusy(1_000)
  const took = await over
  assert.ok(took >= 1_000 + 600 - 200 - 100, `it gave up after ${took} ms, 1,000 of which nobody could be heard`)
})

test('an answer that is there already is read before anybody gives up', async (t) => {
  const server = createServer()
  t.after(() => server.close())
  server.listen(0, '127.0.0.1')
  const accepted = once(server, 'connection')
  await once(server, 'listening')
  const address = server.address()
  assert.ok(address !== null && typeof address === 'object')
  const socket = connect(address.port, '127.0.0.1')
  t.after(() => socket.destroy())
  const [other] = (await accepted) as [Socket]
  const patience = new Patience()
  const said: string[] = []
  socket.on('data', () => {
    said.push('answered')
    calledOff()
  })
  const calledOff = patience.after(150, () => said.push('gave up'))
  other.write('answer')
  keepBusy(400)
  await waited(patience, 300)
  assert.deepEqual(said, ['answered'])
})
