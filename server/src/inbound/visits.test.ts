import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { elsewhere } from '../../test/support/elsewhere.ts'
import { testWorld } from '../../test/support/world.ts'
import type { Challenge } from '../domain/preset.ts'
import { RequestView } from './reading/view.ts'
import { Visits, visitOf, visitsOnlyVerified } from './visits.ts'

const sns = 'sns.us-east-1.amazonaws.com'
const hosts = ['sns.<region>.amazonaws.com']
const confirm = `https://${sns}/?Action=ConfirmSubscription&Token=2336412f37`

/** SNS on loopback: answers these statuses in turn, the last for ever. */
async function setting(t: TestContext, statuses: readonly number[], resolve?: (host: string) => readonly string[]) {
  const world = testWorld()
  let came = 0
  const at = await elsewhere(
    t,
    world,
    [sns],
    (_request, response) => {
      const status = statuses[Math.min(came++, statuses.length - 1)] ?? 500
      response
        .writeHead(status, { location: 'http://169.254.169.254/latest/meta-data/' })
        .end('<ConfirmSubscriptionResponse/>')
    },
    resolve,
  )
  const visits = new Visits(at.fetcher, world)
  t.after(() => visits.close())
  /** Until so many requests have been answered, and what follows from that has been done. */
  const answers = async (count: number) => {
    do await new Promise((done) => setImmediate(done))
    while (at.ended() < count)
    await new Promise((done) => setImmediate(done))
  }
  return { ...at, world, visits, answers }
}

describe('a visit', () => {
  test('is one GET, and confirmed by any 2xx', async (t) => {
    for (const status of [200, 204]) {
      const { visits, requests, world } = await setting(t, [status])
      assert.deepEqual(await visits.visit({ url: confirm, hosts }), { failure: null })
      assert.deepEqual(requests, [`GET ${confirm}`])
      assert.equal(world.pendingTimers, 0)
    }
  })

  test('is made once for all who ask at the same moment, and again for who asks later', async (t) => {
    const { visits, requests } = await setting(t, [200])
    await Promise.all(Array.from({ length: 20 }, () => visits.visit({ url: confirm, hosts })))
    assert.equal(requests.length, 1)
    await visits.visit({ url: confirm, hosts })
    assert.equal(requests.length, 2)
  })

  test('is made again after 5 s, 30 s, 2 min and 10 min where that may help, and then given up', async (t) => {
    const { visits, requests, world, answers } = await setting(t, [500, 429, 408, 503, 500])
    const visiting = visits.visit({ url: confirm, hosts })
    for (const [tries, seconds] of [5, 30, 120, 600].entries()) {
      await answers(tries + 1)
      assert.equal(requests.length, tries + 1)
      await world.advance(seconds * 1000 - 1)
      assert.equal(requests.length, tries + 1)
      await world.advance(1)
    }
    assert.deepEqual(await visiting, { failure: `The URL was fetched in vain: ${sns} answered 500.` })
    assert.equal(requests.length, 5)
    assert.equal(world.pendingTimers, 0)
  })

  test('is confirmed by a later try', async (t) => {
    const { visits, requests, world, answers } = await setting(t, [500, 200])
    const visiting = visits.visit({ url: confirm, hosts })
    await answers(1)
    await world.advance(5000)
    assert.deepEqual(await visiting, { failure: null })
    assert.equal(requests.length, 2)
  })

  test('is not made again where that cannot help; a redirect is not followed', async (t) => {
    for (const status of [400, 403, 404, 301, 302, 307]) {
      const { visits, requests } = await setting(t, [status])
      assert.deepEqual(await visits.visit({ url: confirm, hosts }), {
        failure: `The URL was fetched in vain: ${sns} answered ${status}.`,
      })
      assert.equal(requests.length, 1)
    }
  })

  test('of a host that resolves to a private address does not connect, nor try again', async (t) => {
    const { visits, opened, world } = await setting(t, [200], () => ['10.0.0.7'])
    const { failure } = await visits.visit({ url: confirm, hosts })
    assert.match(failure ?? '', /is 10\.0\.0\.7, a private address/)
    assert.deepEqual([opened(), world.pendingTimers], [0, 0])
  })

  test('of any other host, scheme or port is none', async (t) => {
    const { visits, opened } = await setting(t, [200])
    for (const url of [
      'https://evil.example/',
      `https://${sns}.evil.example/?Action=ConfirmSubscription`,
      `https://${sns}@evil.example/`,
      `https://evil.example\\@${sns}/`,
      `https://${sns}:8443/`,
      `http://${sns}/`,
      'https://sns.s3-us-west-2.amazonaws.com/',
      'file:///etc/passwd',
      '',
    ]) {
      const { failure } = await visits.visit({ url, hosts })
      assert.match(failure ?? '', /^The URL was not fetched: (?!too many)/, url)
    }
    assert.equal(opened(), 0)
  })

  test('begins five times a second at most for each list of hosts, and no more than 64 are under way', async (t) => {
    const { visits, world, answers } = await setting(t, [500])
    const start = (n: number) => visits.visit({ url: `${confirm}${n}`, hosts })
    const refused = 'The URL was not fetched: too many are being fetched.'
    const ended: (string | null)[] = []
    for (let n = 0; n < 70; n += 5) {
      for (let i = 0; i < 5; i++) void start(n + i).then(({ failure }) => ended.push(failure))
      if (n === 0) assert.equal((await start(99)).failure, refused)
      await answers(Math.min(64, n + 5))
      await world.advance(1000)
    }
    assert.deepEqual(ended, Array(6).fill(refused))
    await visits.close()
    assert.equal(ended.length, 70)
    assert.equal((await start(100)).failure, refused)
  })

  test('that waits to be tried again ends when Posthorn stops', async (t) => {
    const { visits, answers, world, requests } = await setting(t, [500])
    const visiting = visits.visit({ url: confirm, hosts })
    await answers(1)
    await visits.close()
    assert.match((await visiting).failure ?? '', /answered 500/)
    assert.deepEqual([requests.length, world.pendingTimers], [1, 0])
  })
})

describe('what a challenge asks to be fetched', () => {
  const view = (headers: readonly string[]) =>
    new RequestView(
      { method: 'OPTIONS', target: '/in/x', headers, peer: '', client: '', body: Buffer.alloc(0), receivedAt: 0 },
      { url: 'https://posthorn.example/in/x', pathLength: 5 },
    )
  const callback = view(['WebHook-Request-Callback', 'https://a.example/c?key=1'])
  const url = { header: 'webhook-request-callback' }
  const fixed: Pick<Challenge, 'fetch'> = { fetch: { url, hosts: ['a.example'] } }
  const vouched: Pick<Challenge, 'fetch'> = { fetch: { url, hosts: { setting: 'callbackHosts' } } }

  test('is its URL, and the hosts of the preset or those that the owner has listed', () => {
    assert.deepEqual(visitOf(fixed, callback, {}), { url: 'https://a.example/c?key=1', hosts: ['a.example'] })
    assert.deepEqual(visitOf(vouched, callback, { callbackHosts: 'a.example, *.b.example,' }), {
      url: 'https://a.example/c?key=1',
      hosts: ['a.example', '*.b.example'],
    })
  })

  test('is nothing where it brings no URL, or the owner vouches for no host or for all of them', () => {
    assert.equal(visitOf({}, callback, {}), null)
    assert.equal(visitOf(fixed, view([]), {}), null)
    for (const listed of [undefined, '', ' , ', '*', '*.com', '10.0.0.7', 'a.example:80']) {
      assert.equal(
        visitOf(vouched, callback, listed === undefined ? {} : { callbackHosts: listed }),
        null,
        String(listed),
      )
    }
  })

  test('must have been verified, but for what the owner vouches for', () => {
    assert.equal(visitsOnlyVerified(fixed), true)
    assert.equal(visitsOnlyVerified(vouched), false)
    assert.equal(visitsOnlyVerified({}), false)
  })
})
