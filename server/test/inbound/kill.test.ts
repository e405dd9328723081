import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { newDatabase, settingsToKill } from '../support/database.ts'
import { type PosthornProcess, startProcess } from '../support/process.ts'
import { type Received, startReceiver } from '../support/receiver.ts'

const rounds = 8
const senders = 8
const apiKey = 'key-of-the-receiving-kill-test'
const secret = 'shared with the provider'

interface Event {
  readonly id: string
  readonly body: string
}

/**
 * As a provider does: sends signed events until the process dies, and whatever was not answered 200 again to the next
 * one. Notes what was answered, and resolves to what was not.
 */
async function sendUntilDead(
  url: string,
  round: number,
  unanswered: readonly Event[],
  acknowledged: Map<string, Event>,
): Promise<readonly Event[]> {
  const sender = async (number: number): Promise<Event> => {
    for (let count = 0; ; count++) {
      const fresh = {
        id: `${round}-${number}-${count}`,
        body: `{"round":${round},"sender":${number},"count":${count},"n":1.0}`,
      }
      const event = (count === 0 ? unanswered[number] : undefined) ?? fresh
      try {
        const answer = await fetch(url, {
          method: 'POST',
          headers: {
            'x-github-event': 'push',
            'x-github-delivery': event.id,
            'x-hub-signature-256': `sha256=${createHmac('sha256', secret).update(event.body).digest('hex')}`,
          },
          body: event.body,
        })
        await answer.arrayBuffer()
        if (answer.status === 200) acknowledged.set(event.id, event)
      } catch {
        return event // The process is dead, or was while it answered: the provider does not know, and comes again.
      }
    }
  }
  return Promise.all(Array.from({ length: senders }, (_, number) => sender(number)))
}

/** Under load, however slow the machine is: a process is killed while it answers, not while it warms up. */
async function acknowledgedMore(acknowledged: ReadonlyMap<string, unknown>, count: number): Promise<void> {
  const [enough, deadline] = [acknowledged.size + count, performance.now() + 30_000]
  while (acknowledged.size <= enough) {
    assert.ok(performance.now() < deadline, `only ${acknowledged.size} acknowledged`)
    await wait(5)
  }
}

async function prepare(url: string, receiverUrl: string): Promise<string> {
  const call = async (path: string, body: unknown): Promise<{ readonly id: string; readonly ingestUrl: string }> => {
    const answer = await fetch(`${url}${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
    const text = await answer.text()
    assert.equal(answer.status, 201, text)
    return JSON.parse(text) as { readonly id: string; readonly ingestUrl: string }
  }
  const source = await call('/ingest/api/v1/source', { name: 'GitHub', type: 'github', config: { secret } })
  await call(`/ingest/api/v1/source/${source.id}/endpoint`, { url: receiverUrl })
  return new URL(source.ingestUrl).pathname
}

test(`of everything acknowledged to a provider nothing is lost, and what it sends again is one message, when the process is killed ${rounds} times`, async (t) => {
  const { url: databaseUrl, drop } = await newDatabase()
  const receiver = await startReceiver()
  const settings = {
    ...settingsToKill(databaseUrl),
    POSTHORN_API_KEY: apiKey,
    POSTHORN_EGRESS_ALLOW: '127.0.0.0/8',
    POSTHORN_RETRY_SCHEDULE: '200ms,400ms,1s,2s,4s',
  }
  const acknowledged = new Map<string, Event>()
  let unanswered: readonly Event[] = []
  let running: PosthornProcess | null = null
  t.after(async () => {
    await running?.kill()
    await receiver.close()
    await drop()
  })

  running = await startProcess(settings)
  const door = await prepare(running.url, receiver.url)
  for (let round = 0; round < rounds; round++) {
    const sending = sendUntilDead(`${running.url}${door}`, round, unanswered, acknowledged)
    await acknowledgedMore(acknowledged, senders)
    // The moment is the test's own die: where the blow falls must not be the same each time.
    await wait(50 + Math.random() * 250)
    await running.kill()
    unanswered = await sending
    running = await startProcess(settings)
  }

  const byEvent = (): Map<string, Received[]> =>
    Map.groupBy(receiver.received, ({ headers }) => String(headers['x-github-delivery']))
  const missing = (): string[] => {
    const seen = byEvent()
    return [...acknowledged.keys()].filter((id) => !seen.has(id))
  }
  const deadline = performance.now() + 30_000
  while (missing().length > 0 && performance.now() < deadline) await wait(50)

  assert.deepEqual(missing(), [], 'acknowledged and never forwarded')
  assert.ok(acknowledged.size > rounds * senders, `only ${acknowledged.size} were acknowledged: no load, no proof`)
  for (const [id, requests] of byEvent()) {
    const messages = new Set(requests.map(({ headers }) => headers['posthorn-message']))
    assert.equal(messages.size, 1, `event ${id} became ${messages.size} messages`)
    for (const { body } of requests) assert.equal(String(body), acknowledged.get(id)?.body ?? String(body))
  }
  t.diagnostic(`${acknowledged.size} acknowledged, ${receiver.received.length} requests forwarded, ${rounds} kills`)
})
