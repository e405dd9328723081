import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { LookUps } from './look-ups.ts'

/** A resolver with a clock of its own, which answers when it is told to. */
function resolver() {
  const asked: { readonly hostname: string; readonly answer: (address: string | Error) => void }[] = []
  const clock = { now: 0 }
  const lookUps = new LookUps(
    (hostname) =>
      new Promise((resolve, reject) => {
        asked.push({ hostname, answer: (said) => (typeof said === 'string' ? resolve([said]) : reject(said)) })
      }),
    () => clock.now,
  )
  const names = (): readonly string[] => asked.map(({ hostname }) => hostname)
  const answer = async (hostname: string, said: string | Error, afterMs = 0): Promise<void> => {
    clock.now += afterMs
    asked
      .splice(
        asked.findIndex((one) => one.hostname === hostname),
        1,
      )[0]
      ?.answer(said)
    await turn()
  }
  return { lookUps, names, answer }
}

const hang = (lookUps: LookUps, names: readonly string[]): void => {
  for (const name of names) lookUps.ask(name).catch(() => {})
}
const many = (word: string): readonly string[] => Array.from({ length: 60 }, (_, at) => `${word}-${at}.test`)

test('a name that has answered at once is looked up at once, however many others hang', async () => {
  const { lookUps, names, answer } = resolver()
  const first = lookUps.ask('good.test')
  await answer('good.test', '192.0.2.1')
  assert.deepEqual(await first, ['192.0.2.1'])
  hang(lookUps, many('hangs'))
  const again = lookUps.ask('good.test')
  assert.ok(names().includes('good.test'))
  await answer('good.test', '192.0.2.2')
  assert.deepEqual(await again, ['192.0.2.2'])
  assert.equal(names().length, 6)
})

test('a name nobody has asked for yet is looked up beside those that hung the last time', async () => {
  const { lookUps, names, answer } = resolver()
  const hanging = many('hangs')
  hang(lookUps, hanging)
  for (let left = hanging.length; left > 0; left--) await answer(names()[0] ?? '', new Error('timeout'), 5_000)
  hang(lookUps, hanging)
  assert.equal(names().length, 3)
  const fresh = lookUps.ask('fresh.test')
  assert.ok(names().includes('fresh.test'))
  await answer('fresh.test', '192.0.2.1')
  assert.deepEqual(await fresh, ['192.0.2.1'])
})

test('each of those that wait has its turn, and one that answers again waits no more', async () => {
  const { lookUps, names, answer } = resolver()
  const hanging = many('hangs')
  hang(lookUps, hanging)
  for (let left = hanging.length; left > 0; left--) await answer(names()[0] ?? '', new Error('timeout'), 5_000)
  hang(lookUps, hanging)
  for (let left = hanging.length; left > 0; left--) await answer(names()[0] ?? '', '192.0.2.1')
  assert.deepEqual(names(), [])
  hang(lookUps, hanging)
  assert.equal(names().length, hanging.length)
})

test('that there is no such name is an answer, too', async () => {
  const { lookUps, names, answer } = resolver()
  await Promise.all([
    assert.rejects(lookUps.ask('gone.test'), /ENOTFOUND/),
    answer('gone.test', new Error('ENOTFOUND')),
  ])
  hang(lookUps, many('hangs'))
  lookUps.ask('gone.test').catch(() => {})
  assert.ok(names().includes('gone.test'))
})
