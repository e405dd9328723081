// Whether the time that a refusal takes tells what its words do not.

import assert from 'node:assert/strict'
import { Agent, request } from 'node:http'
import { after, test } from 'node:test'
import { dice } from '../support/dice.ts'
import { openScene } from './opened.ts'

const agent = new Agent({ keepAlive: true, maxSockets: 1 })
after(() => agent.destroy())
const { server, victim, strangers } = await openScene()

/** Milliseconds from the request to the last byte of its refusal, on one connection that stays. */
function timeOf(path: string, credential: string | undefined): Promise<number> {
  const headers = credential === undefined ? {} : { authorization: `Bearer ${credential}` }
  return new Promise((resolve, reject) => {
    const startedAt = performance.now()
    request(`${server.url}${path}`, { agent, headers }, (answer) => {
      if (answer.statusCode !== 404) reject(new Error(`${path}: ${answer.statusCode}`))
      answer.resume().once('end', () => resolve(performance.now() - startedAt))
    })
      .once('error', reject)
      .end()
  })
}

const pairs = 250

/**
 * In which share of pairs the first took longer. Each pair is asked at once after the other, in an order that is diced: a busy
 * machine slows either as often, so that without a cause the share is a half, give or take 3 % (one sigma of 250 pairs).
 */
async function shareSlower(one: () => Promise<number>, other: () => Promise<number>): Promise<number> {
  const random = dice(1)
  for (let warm = 0; warm < 20; warm++) await one().then(other)
  let slower = 0
  for (let pair = 0; pair < pairs; pair++) {
    const oneFirst = random() < 0.5
    const first = await (oneFirst ? one : other)()
    const second = await (oneFirst ? other : one)()
    if (oneFirst === first > second) slower += 1
  }
  return slower / pairs
}

/** Six sigma, and a little for what a row that was found costs beside one that was not. */
const evenEnough = (share: number): boolean => Math.abs(share - 0.5) < 0.25

const last = (text: string): string => `${text.slice(0, -8)}zzzzzzzz`

test('the comparison sees a difference where there is one', async () => {
  const credential = (await strangers.elsewhere()).credential('/')
  const unrouted = () => timeOf('/nowhere', undefined)
  const looksUp = () => timeOf(`/api/v1/app/${victim.ids.app_id}`, credential)
  assert.equal(evenEnough(await shareSlower(looksUp, unrouted)), false)
})

for (const who of ['elsewhere', 'neighbour'] as const) {
  test(`to a caller from ${who} a 404 takes as long where there is something as where there is nothing`, async () => {
    const { home, credential } = await strangers[who]()
    const own = `/api/v1/app/${home?.app_id}`
    const { ids, names } = victim
    for (const [there, nowhere] of [
      [`/api/v1/app/${ids.app_id}`, `/api/v1/app/${last(ids.app_id)}`],
      [`/api/v1/app/${names.app_id}`, '/api/v1/app/nobody-s'],
      [`/api/v1/app/${ids.source_id}/endpoint`, `/api/v1/app/${last(ids.source_id)}/endpoint`],
      [`/ingest/api/v1/source/${names.source_id}/endpoint`, '/ingest/api/v1/source/nobody-s/endpoint'],
      [`${own}/endpoint/${ids.endpoint_id}`, `${own}/endpoint/${last(ids.endpoint_id)}`],
      [`${own}/msg/${ids.msg_id}`, `${own}/msg/${last(ids.msg_id)}`],
      [`/api/v1/event-type/${ids.event_type_name}`, '/api/v1/event-type/nobody.has'],
      [`/api/v1/background-task/${ids.task_id}`, `/api/v1/background-task/${last(ids.task_id)}`],
    ] as const) {
      const share = await shareSlower(
        () => timeOf(there, credential(there)),
        () => timeOf(nowhere, credential(nowhere)),
      )
      assert.ok(evenEnough(share), `${there}: slower than ${nowhere} in ${(share * 100).toFixed(0)} % of pairs`)
    }
  })
}
