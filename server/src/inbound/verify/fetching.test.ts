import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import http, { type ServerResponse } from 'node:http'
import { describe, type TestContext, test } from 'node:test'
import { certify } from '../../../test/support/certificates.ts'
import { elsewhere } from '../../../test/support/elsewhere.ts'
import { listening } from '../../../test/support/listening.ts'
import { testWorld } from '../../../test/support/world.ts'
import { parseEgressAllow } from '../../domain/egress.ts'
import { Problem } from '../../domain/problem.ts'
import { createFetcher } from '../../transports/http/fetcher.ts'
import { KeyFetching } from './fetching.ts'
import type { FetchedKey, Wanted } from './verdict.ts'

const second = 1_000
const minute = 60 * second
const hour = 60 * minute

const sns = 'sns.us-east-1.amazonaws.com'
const issuer = 'www.googleapis.com'
const signer = certify({ name: 'sns.amazonaws.com' })
const { publicKey } = generateKeyPairSync('ed25519')
const setOf = (...kids: readonly string[]): string =>
  JSON.stringify({ keys: kids.map((kid) => ({ ...publicKey.export({ format: 'jwk' }), kid })) })

const certificate = (path = '/a.pem'): Wanted => ({
  as: 'certificate',
  url: `https://${sns}${path}`,
  hosts: ['sns.<region>.amazonaws.com'],
  pathEnds: '.pem',
})
const keySet = (kid: string | null, url = `https://${issuer}/certs`): Wanted => ({
  as: 'jwks',
  url,
  hosts: [issuer],
  kid,
})

async function setting(t: TestContext, resolve?: (host: string) => readonly string[]) {
  const world = testWorld()
  const answer = { status: 200, body: signer.pem, headers: {} as http.OutgoingHttpHeaders }
  const give = {
    now: (response: ServerResponse) => response.writeHead(answer.status, answer.headers).end(answer.body) as unknown,
  }
  const at = await elsewhere(t, world, [sns, issuer], (_request, response) => void give.now(response), resolve)
  const failures: string[] = []
  const keys = new KeyFetching({
    fetcher: at.fetcher,
    world,
    onFailure: (url, detail) => failures.push(`${url}: ${detail}`),
  })
  const got = async (wanted: Wanted): Promise<string> => {
    try {
      return inWords(await keys.get(wanted))
    } catch (error) {
      assert.ok(error instanceof Problem, String(error))
      assert.equal(error.code, 'unavailable')
      return `again in ${error.retryAfter}`
    }
  }
  return { ...at, world, answer, give, failures, keys, got }
}

const inWords = (key: FetchedKey): string =>
  key.as === 'jwks' ? key.keys.map(({ kid }) => kid).join() : key.certificates.map((one) => one.subject).join()

describe('a certificate', () => {
  test('is fetched once for all who want it at the same moment, and kept for a day', async (t) => {
    const { got, requests, world } = await setting(t)
    const all = await Promise.all(Array.from({ length: 100 }, () => got(certificate())))
    assert.deepEqual(new Set(all), new Set(['CN=sns.amazonaws.com']))
    assert.deepEqual(requests, [`GET https://${sns}/a.pem`])
    await world.advance(24 * hour - 1)
    await got(certificate())
    assert.equal(requests.length, 1)
    await world.advance(1)
    await got(certificate())
    assert.equal(requests.length, 2)
  })

  test('that expires sooner is asked for again then, and once an hour after that', async (t) => {
    const { got, requests, world, answer } = await setting(t)
    answer.body = certify({ name: 'soon', until: new Date(world.now() + 2 * hour) }).pem
    await got(certificate())
    await world.advance(2 * hour - 1000)
    await got(certificate())
    assert.equal(requests.length, 1)
    await world.advance(1000)
    await got(certificate())
    assert.equal(requests.length, 2)
    await world.advance(hour - 1)
    await got(certificate())
    assert.equal(requests.length, 2)
    answer.body = certify({ name: 'renewed' }).pem
    await world.advance(1)
    assert.equal(await got(certificate()), 'CN=renewed')
  })

  test('is never asked for at a URL that is not of its hosts', async (t) => {
    const { got, requests, opened, failures } = await setting(t)
    for (const url of [
      'https://evil.example/a.pem',
      `https://${sns}.evil.example/a.pem`,
      `https://evil.example@${sns}/a.pem`,
      `https://${sns}:8443/a.pem`,
      `http://${sns}/a.pem`,
      `https://${sns}/a.txt`,
      `https://${sns}./a.pem`,
    ]) {
      assert.match(await got({ ...certificate(), url }), /^again in /, url)
      assert.match(failures.at(-1) ?? '', /: the URL may not be fetched: /, url)
    }
    assert.match(await got({ ...certificate(), hosts: [] }), /^again in /)
    assert.deepEqual([requests.length, opened()], [0, 0])
  })
})

describe('a key set', () => {
  test('is kept as long as its server says, but no less than ten minutes and no more than a day', async (t) => {
    const { got, requests, world, answer } = await setting(t)
    answer.body = setOf('a')
    for (const [said, keptMs] of [
      ['public, max-age=19800, must-revalidate', 19_800 * second],
      ['max-age=1', 10 * minute],
      ['no-store', hour],
      [undefined, hour],
      ['max-age=999999999', 24 * hour],
      ['s-maxage=5, max-age="1200"', 20 * minute],
    ] as const) {
      answer.headers = said === undefined ? {} : { 'cache-control': said }
      await got(keySet('a'))
      const before = requests.length
      await world.advance(keptMs - 1)
      await got(keySet('a'))
      assert.equal(requests.length, before, String(said))
      await world.advance(1)
      await got(keySet('a'))
      assert.equal(requests.length, before + 1, String(said))
      await world.advance(48 * hour)
    }
  })

  test('that has not the kid is asked for again, once a minute at most: a new key is found, and forged ones cost little', async (t) => {
    const { got, requests, world, answer } = await setting(t)
    answer.body = setOf('a')
    assert.equal(await got(keySet('a')), 'a')
    for (let n = 0; n < 50; n++) assert.equal(await got(keySet(`forged ${n}`)), 'a')
    assert.equal(requests.length, 1)
    await world.advance(minute)
    answer.body = setOf('a', 'b')
    assert.deepEqual(await Promise.all([got(keySet('b')), got(keySet('b')), got(keySet('forged'))]), [
      'a,b',
      'a,b',
      'a,b',
    ])
    assert.equal(requests.length, 2)
    await world.advance(minute - 1)
    assert.equal(await got(keySet('forged')), 'a,b')
    assert.equal(await got(keySet(null)), 'a,b')
    assert.equal(requests.length, 2)
  })

  test('that is out of date is used while its server fails, for a day and for the kids that it has', async (t) => {
    const { got, requests, world, answer } = await setting(t)
    answer.body = setOf('a')
    await got(keySet('a'))
    answer.status = 500
    await world.advance(2 * hour)
    assert.equal(await got(keySet('a')), 'a')
    assert.equal(await got(keySet('b')), 'again in 10')
    assert.equal(requests.length, 2)
    await world.advance(22 * hour - 1)
    assert.equal(await got(keySet('a')), 'a')
    await world.advance(hour)
    assert.match(await got(keySet('a')), /^again in /)
  })

  test('at a URL of the owner has any host and port, and what the operator names may do without TLS', async (t) => {
    const paths: (string | undefined)[] = []
    const server = http.createServer((request, response) => {
      paths.push(request.url)
      response.end(setOf('own'))
    })
    const { port } = await listening(t, server)
    const world = testWorld()
    const allow = parseEgressAllow('keys.internal')
    const fetcher = createFetcher({ allow, world, userAgent: 'Posthorn/test', resolve: async () => ['127.0.0.1'] })
    t.after(() => fetcher.close())
    const keys = new KeyFetching({ fetcher, world, onFailure() {} })
    const own = (url: string) => keys.get({ as: 'jwks', url, hosts: [], kid: 'own' })
    assert.equal(inWords(await own(`http://keys.internal:${port}/.well-known/jwks.json`)), 'own')
    await assert.rejects(own(`http://other.internal:${port}/`), Problem)
    await assert.rejects(own(`https://127.0.0.1:${port}/`), Problem)
    for (const url of ['keys.internal/jwks.json', '', 'ftp://keys.internal/']) await assert.rejects(own(url), Problem)
    assert.deepEqual(paths, ['/.well-known/jwks.json'])
  })
})

describe('a key that cannot be had', () => {
  test('is our own trouble whatever the reason is; the operator is told of it, the stranger is not', async (t) => {
    const { got, answer, give, failures, requests, world } = await setting(t)
    const fine = give.now
    const failsWith = async (why: RegExp) => {
      assert.match(await got(certificate()), /^again in \d+$/)
      assert.match(failures.at(-1) ?? '', why)
      await world.advance(minute)
    }
    for (const status of [404, 403, 500, 204, 301]) {
      answer.status = status
      answer.headers = { location: `https://${sns}/b.pem` }
      await failsWith(new RegExp(`^https://${sns}/a\\.pem: ${sns} answered ${status}$`))
    }
    answer.status = 200
    answer.body = '<html>Maintenance</html>'
    await failsWith(/is no certificate$/)
    answer.body = 'x'.repeat(300_000)
    await failsWith(/is longer than 262144 bytes$/)
    give.now = (response) => response.destroy()
    await failsWith(/closed the connection|reset/)
    assert.deepEqual(new Set(requests), new Set([`GET https://${sns}/a.pem`]))
    give.now = fine
    answer.body = signer.pem
    assert.equal(await got(certificate()), 'CN=sns.amazonaws.com')
  })

  test('is given up after five seconds', async (t) => {
    const { got, give, world, failures, requests } = await setting(t)
    const come = new Promise<void>((resolve) => {
      give.now = () => resolve()
    })
    const waiting = got(certificate())
    await come
    await world.advance(5 * second)
    assert.equal(await waiting, 'again in 10')
    assert.match(failures[0] ?? '', /did not give a whole answer within 5 s$/)
    assert.equal(requests.length, 1)
  })

  test('is not asked for again at every request: after 10 s, 20 s, 40 s, then once a minute', async (t) => {
    const { got, answer, requests, world } = await setting(t)
    answer.status = 503
    for (const waits of [10, 20, 40, 60, 60]) {
      const before = requests.length
      assert.equal(await got(certificate()), `again in ${waits}`)
      assert.equal(requests.length, before + 1)
      await world.advance(waits * second - 1)
      assert.equal(await got(certificate()), 'again in 1')
      assert.equal(requests.length, before + 1)
      await world.advance(1)
    }
    answer.status = 200
    assert.equal(await got(certificate()), 'CN=sns.amazonaws.com')
    await world.advance(24 * hour)
    answer.status = 503
    assert.equal(await got(certificate()), 'again in 10')
  })

  test('because its host resolves to a private address, is not connected to', async (t) => {
    for (const address of ['10.0.0.7', '169.254.169.254', '::1', '::ffff:10.0.0.7']) {
      const { got, opened, failures } = await setting(t, () => [address])
      assert.equal(await got(certificate()), 'again in 10')
      assert.match(failures[0] ?? '', /allow it with POSTHORN_EGRESS_ALLOW$/)
      assert.equal(opened(), 0)
    }
  })

  test('does not lead anywhere else by a redirect', async (t) => {
    const { got, answer, requests } = await setting(t)
    answer.status = 302
    answer.headers = { location: 'http://169.254.169.254/latest/meta-data/' }
    assert.equal(await got(certificate()), 'again in 10')
    assert.equal(requests.length, 1)
  })
})

describe('whoever invents URLs', () => {
  test('causes five requests a second at most, for all hosts of a preset together, and spoils no key that is there', async (t) => {
    const { got, requests, world } = await setting(t)
    await got(certificate())
    const invented = (from: number) =>
      Promise.all(Array.from({ length: 40 }, (_, n) => got(certificate(`/${from + n}.pem`))))
    const first = await invented(0)
    assert.equal(first.filter((one) => one === 'again in 1').length, 36)
    assert.equal(requests.length, 5)
    assert.equal(await got(certificate()), 'CN=sns.amazonaws.com')
    assert.equal(await got(keySet(null)), 'again in 10') // not a key set, but asked for: it has a rate of its own
    assert.equal(requests.length, 6)
    await world.advance(second)
    await invented(100)
    assert.equal(requests.length, 11)
  })

  test('holds sixteen connections at most, however slow the answers are', async (t) => {
    const { got, give, requests, world, fetcher } = await setting(t)
    let come = () => {}
    give.now = () => come()
    const waiting: Promise<string>[] = []
    for (let n = 0; n < 16; n++) {
      const arrived = new Promise<void>((resolve) => {
        come = resolve
      })
      waiting.push(got(certificate(`/${n}.pem`)))
      await arrived
      await world.advance(200)
    }
    assert.equal(await got(certificate('/more.pem')), 'again in 1')
    assert.equal(requests.length, 16)
    await fetcher.close()
    assert.ok((await Promise.all(waiting)).every((one) => /^again in 10$/.test(one)))
  })
})

test('of more than two hundred keys the one that was used longest ago is let go', async (t) => {
  const { got, requests, world } = await setting(t)
  for (let n = 0; n < 200; n++) {
    await got(certificate(`/${n}.pem`))
    await world.advance(200)
  }
  await got(certificate('/0.pem'))
  assert.equal(requests.length, 200)
  await got(certificate('/200.pem'))
  await got(certificate('/0.pem'))
  assert.equal(requests.length, 201)
  await world.advance(200)
  await got(certificate('/1.pem'))
  assert.equal(requests.length, 202)
})
