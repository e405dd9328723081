import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { newDatabase, settingsToKill } from './support/database.ts'
import { type PosthornProcess, startProcess } from './support/process.ts'
import { type Received, startReceiver } from './support/receiver.ts'

const rounds = 20
const publishers = 16
const key = 'key-of-the-kill-test'
const sha = (text: string | Buffer): string => createHash('sha256').update(text).digest('hex')

/** A publish whose answer was lost with the process, to be said again to the next one. */
interface Unanswered {
  readonly idempotencyKey: string
  readonly payload: string
}

/**
 * Publishes until the process dies, beginning with what the last one left unanswered. Notes what was answered 202, and
 * resolves to what was not.
 */
async function publishUntilDead(
  url: string,
  round: number,
  unanswered: readonly Unanswered[],
  accepted: Map<string, string>,
): Promise<readonly Unanswered[]> {
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' }
  const publisher = async (number: number): Promise<Unanswered> => {
    for (let count = 0; ; count++) {
      const fresh = `{"round":${round},"publisher":${number},"count":${count},"big":9007199254740993,"text":"\\u0041 é"}`
      const idempotencyKey = `${round}-${number}-${count}`
      const fact = (count === 0 ? unanswered[number] : undefined) ?? { idempotencyKey, payload: fresh }
      try {
        const answer = await fetch(`${url}/api/v1/app/shop/msg`, {
          method: 'POST',
          headers: { ...headers, 'idempotency-key': fact.idempotencyKey },
          body: `{"eventType":"round","payload":${fact.payload}}`,
        })
        const text = await answer.text()
        if (answer.status === 202) accepted.set((JSON.parse(text) as { id: string }).id, sha(fact.payload))
      } catch {
        return fact // The process is dead, or was while it answered: nothing was promised.
      }
    }
  }
  return Promise.all(Array.from({ length: publishers }, (_, number) => publisher(number)))
}

/** Under load, however slow the machine is: a process is killed while it answers, not while it warms up. */
async function acceptedMore(accepted: ReadonlyMap<string, unknown>, count: number): Promise<void> {
  const [enough, deadline] = [accepted.size + count, performance.now() + 30_000]
  while (accepted.size <= enough) {
    assert.ok(performance.now() < deadline, `only ${accepted.size} accepted`)
    await wait(5)
  }
}

async function prepare(url: string, receiverUrl: string): Promise<void> {
  const call = async (path: string, body: unknown): Promise<void> => {
    const answer = await fetch(`${url}${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
    assert.equal(answer.status, 201, await answer.text())
  }
  await call('/api/v1/app', { name: 'Shop', uid: 'shop' })
  await call('/api/v1/app/shop/endpoint', { url: `${receiverUrl}/hook` })
}

test(`of everything answered 202 nothing is lost, and what is published again is stored once, when the process is killed ${rounds} times under load`, async (t) => {
  const { url: databaseUrl, drop } = await newDatabase()
  const receiver = await startReceiver()
  const settingsOf = (life: number) => ({
    ...settingsToKill(databaseUrl),
    POSTHORN_API_KEY: key,
    POSTHORN_EGRESS_ALLOW: '127.0.0.0/8',
    POSTHORN_RETRY_SCHEDULE: '200ms,400ms,1s,2s,4s',
    // Shows in the user agent: the receiver can tell which process sent a request.
    POSTHORN_PUBLIC_URL: `http://life-${life}.test`,
  })
  const accepted = new Map<string, string>()
  let unanswered: readonly Unanswered[] = []
  let running: PosthornProcess | null = null
  t.after(async () => {
    await running?.kill()
    await receiver.close()
    await drop()
  })

  running = await startProcess(settingsOf(0))
  await prepare(running.url, receiver.url)
  for (let round = 0; round < rounds; round++) {
    const publishing = publishUntilDead(running.url, round, unanswered, accepted)
    await acceptedMore(accepted, publishers)
    // The moment is the test's own die: where the blow falls must not be the same each time.
    await wait(50 + Math.random() * 350)
    await running.kill()
    unanswered = await publishing
    running = await startProcess(settingsOf(round + 1))
  }

  const seen = (): Map<string, Received[]> =>
    Map.groupBy(receiver.received, ({ headers }) => String(headers['webhook-id']))
  const missing = (): string[] => {
    const ids = seen()
    return [...accepted.keys()].filter((id) => !ids.has(id))
  }
  const deadline = performance.now() + 30_000
  while (missing().length > 0 && performance.now() < deadline) await wait(50)

  assert.deepEqual(missing(), [], 'accepted and never delivered')
  assert.ok(accepted.size > rounds * publishers, `only ${accepted.size} messages were accepted: no load, no proof`)
  const requests = seen()
  for (const [id, hash] of accepted) {
    for (const { body } of requests.get(id) ?? []) assert.equal(sha(body), hash, `${id} arrived with other bytes`)
  }
  const told = [...accepted.values()]
  assert.equal(new Set(told).size, told.length, 'a publish that was said again was answered with another message')
  const storedOf = Map.groupBy(receiver.received, ({ body }) => sha(body))
  for (const [, all] of storedOf) {
    const ids = new Set(all.map(({ headers }) => headers['webhook-id']))
    assert.equal(ids.size, 1, `one publish became ${ids.size} messages: ${[...ids]}`)
  }
  // Rightly sent again is only what was in flight: sent by a process that died before it could write so down.
  const doubled = [...requests].filter(([, all]) => all.length > 1)
  for (const [id, all] of doubled) {
    const lives = all.map(({ headers }) => /life-\d+/.exec(String(headers['user-agent']))?.[0])
    assert.equal(new Set(lives).size, lives.length, `${id} was sent twice by one process: ${lives}`)
    const attempts = await fetch(`${running.url}/api/v1/app/shop/attempt/msg/${id}`, {
      headers: { authorization: `Bearer ${key}` },
    })
    const { data } = (await attempts.json()) as { data: readonly { status: number }[] }
    assert.equal(data.length, 1, `${id} was sent again after its delivery had been written down`)
  }
  t.diagnostic(
    `${accepted.size} accepted, ${receiver.received.length} requests, ${doubled.length} doubled, ${rounds} kills`,
  )
})
