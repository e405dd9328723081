// One Posthorn's life around a backup, whatever the store: what was promised before, and what must be there after.

import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { Webhook } from 'standardwebhooks'
import { Svix } from 'svix'
import { type PosthornProcess, startProcess } from '../support/process.ts'
import { type Received, type Receiver, startReceiver } from '../support/receiver.ts'

const key = 'key-of-the-backup-test'
const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' }

export interface Life {
  /** Ids of messages that were delivered to one endpoint and wait for the other, by now. */
  readonly ids: readonly string[]
  /** Publishes all the time from now on; the function ends it, and resolves to how many were answered 202. */
  publishing(): () => Promise<number>
  publish(): Promise<string>
  /** Without a goodbye, as a machine that is lost. */
  kill(): Promise<void>
  /** Whether the Posthorn at this URL has a message. */
  has(url: string, id: string): Promise<boolean>
  /** Starts a Posthorn on what was restored, and holds it to all that was promised before the backup. */
  holds(settings: Readonly<Record<string, string>>): Promise<PosthornProcess>
}

/** Starts a Posthorn on `database`, with an endpoint that takes all and one that takes nothing yet. */
export async function life(
  t: TestContext,
  database: string,
  more: Readonly<Record<string, string>> = {},
): Promise<Life> {
  const settingsOf = (url: string, settings: Readonly<Record<string, string>>) => ({
    POSTHORN_DATABASE: url,
    POSTHORN_API_KEY: key,
    POSTHORN_EGRESS_ALLOW: '127.0.0.0/8',
    POSTHORN_RETRY_SCHEDULE: '500ms,500ms,500ms,500ms,500ms,500ms,500ms,500ms,500ms,500ms,500ms,500ms',
    ...settings,
  })
  const [taking, refusing]: readonly Receiver[] = await Promise.all([startReceiver(), startReceiver()])
  assert.ok(taking !== undefined && refusing !== undefined)
  t.after(() => Promise.all([taking.close(), refusing.close()]))
  refusing.answer = (_, response) => response.writeHead(503).end()
  const first = await startProcess(settingsOf(database, more))
  t.after(() => first.kill())
  const svix = new Svix(key, { serverUrl: first.url, retryScheduleInMs: [] })
  await svix.application.create({ name: 'Shop', uid: 'shop' })
  await svix.endpoint.create('shop', { uid: 'taking', url: taking.url })
  // Without a breaker, which would let one delivery at a time through when the receiver is well again. The client leaves
  // out what it does not know, so this is said by hand.
  const made = await fetch(`${first.url}/api/v1/app/shop/endpoint`, {
    method: 'POST',
    headers,
    body: JSON.stringify({ uid: 'refusing', url: refusing.url, control: { breaker: false } }),
  })
  assert.equal(made.status, 201)
  const secrets = { taking: '', refusing: '' }
  for (const uid of ['taking', 'refusing'] as const) secrets[uid] = (await svix.endpoint.getSecret('shop', uid)).key

  const payloadOf = (n: number): string => `{"n":${n},"big":9007199254740993,"text":"é"}`
  let count = 0
  const publish = async (): Promise<string> => {
    const answer = await fetch(`${first.url}/api/v1/app/shop/msg`, {
      method: 'POST',
      headers,
      body: `{"eventType":"invoice.paid","eventId":"fact-${count}","payload":${payloadOf(count++)}}`,
    })
    assert.equal(answer.status, 202)
    return ((await answer.json()) as { id: string }).id
  }
  const ids: string[] = []
  for (let n = 0; n < 25; n++) ids.push(await publish())
  await Promise.all([taking.until(ids.length), refusing.until(ids.length)])
  while ((await svix.messageAttempt.listByEndpoint('shop', 'taking', { limit: 100 })).data.length < ids.length)
    await pause(20)

  const has = async (url: string, id: string): Promise<boolean> =>
    (await fetch(`${url}/api/v1/app/shop/msg/${id}`, { headers })).status === 200

  return {
    ids,
    publish,
    publishing() {
      let going = true
      let published = 0
      const over = (async () => {
        while (going) {
          await publish()
          published++
        }
      })()
      return async () => {
        going = false
        await over
        return published
      }
    },
    kill: () => first.kill(),
    has,
    async holds(settings) {
      const before = refusing.received.length
      const takenBefore = taking.received.length
      refusing.answer = (_, response) => response.writeHead(204).end()
      const { POSTHORN_DATABASE: url = '', ...others } = settings
      const second = await startProcess(settingsOf(url, others))
      t.after(() => second.kill())
      const again = new Svix(key, { serverUrl: second.url, retryScheduleInMs: [] })
      for (const [n, id] of ids.entries()) {
        const answer = await fetch(`${second.url}/api/v1/app/shop/msg/${id}`, {
          headers,
        })
        assert.equal(answer.status, 200, `${id} is not there`)
        assert.ok((await answer.text()).includes(`"payload":${payloadOf(n)}`), `${id} has another payload`)
      }
      const log = await again.messageAttempt.listByEndpoint('shop', 'taking', { limit: 250 })
      const delivered = new Set(log.data.map(({ msgId }) => msgId))
      assert.deepEqual(
        ids.filter((id) => !delivered.has(id)),
        [],
        'what was delivered is in the log',
      )

      const arrived = (): Map<string, Received> =>
        new Map(refusing.received.slice(before).map((one) => [String(one.headers['webhook-id']), one]))
      const deadline = performance.now() + 20_000
      while (ids.some((id) => !arrived().has(id)) && performance.now() < deadline) await pause(20)
      for (const [n, id] of ids.entries()) {
        const { body, headers: sent } = arrived().get(id) ?? assert.fail(`${id} waited, and was not sent`)
        assert.equal(body.toString('utf8'), payloadOf(n))
        new Webhook(secrets.refusing).verify(body, sent as Record<string, string>)
      }
      const repeated = taking.received.slice(takenBefore).map(({ headers }) => String(headers['webhook-id']))
      assert.deepEqual(
        repeated.filter((id) => ids.includes(id)),
        [],
        'what was delivered before the backup is not sent again',
      )

      const repeat = await fetch(`${second.url}/api/v1/app/shop/msg`, {
        method: 'POST',
        headers,
        body: `{"eventType":"invoice.paid","eventId":"fact-0","payload":{}}`,
      })
      assert.equal(repeat.status, 409, 'what is published again from a list of facts is not doubled')
      return second
    },
  }
}
