import assert from 'node:assert/strict'
import { createHmac, randomBytes } from 'node:crypto'
import { connect } from 'node:net'
import { after, before, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import type { SourceId } from '../../src/domain/ids.ts'
import { eventually } from '../support/eventually.ts'
import { type Receiver, startReceiver } from '../support/receiver.ts'
import { type SeenAnswer, sendRequest } from '../support/sent-request.ts'
import { startTestServer, type TestServer } from '../support/server.ts'
import { type NewSource, newEndpoint, newSource, quarantined, receivedMessages } from './source.ts'

const maxInboundBody = 64 * 1024
let server: TestServer
let receiver: Receiver

before(async () => {
  server = await startTestServer({ settings: { maxInboundBody } })
  receiver = await startReceiver()
})
after(async () => {
  await receiver.close()
  await server.stop()
})

const secret = "It's a Secret to Everybody"
const signature = (body: Uint8Array, key = secret): string =>
  `sha256=${createHmac('sha256', key).update(body).digest('hex')}`

const github = (body: Readonly<Record<string, unknown>> = {}): Promise<NewSource> =>
  newSource(server, { type: 'github', config: { secret }, ...body })

interface Delivery {
  readonly id?: string
  readonly body?: string | Uint8Array
  readonly headers?: readonly string[]
  readonly key?: string
}

function deliver(path: string, { id = randomBytes(8).toString('hex'), body = '{}', headers, key }: Delivery = {}) {
  const bytes = Buffer.from(body)
  const own = ['X-GitHub-Event', 'push', 'X-GitHub-Delivery', id, 'X-Hub-Signature-256', signature(bytes, key)]
  return send('POST', path, headers ?? own, bytes)
}

const send = (
  method: string,
  target: string,
  headers: readonly string[],
  body: Uint8Array | string = '',
): Promise<SeenAnswer> => sendRequest({ method, origin: server.url, target, headers, body: Buffer.from(body) })

const idsOf = async (source: SourceId): Promise<readonly (string | null)[]> =>
  (await receivedMessages(server, source)).map(({ eventId }) => eventId)

interface ShownSource {
  readonly mode: string
  readonly handshakes: readonly {
    readonly successes: number
    readonly failures: number
    readonly failure: string | null
  }[]
}

const shownSource = async (id: SourceId): Promise<ShownSource> =>
  (await (await server.fetch(`/ingest/api/v1/source/${id}`)).json()) as ShownSource

test('any method and any content goes through as it came, and on to the endpoint byte for byte', async () => {
  const source = await newSource(server, { type: 'generic-webhook' })
  await newEndpoint(server, source.id, `${receiver.url}/generic`)
  const cases: readonly (readonly [method: string, type: string | null, body: Uint8Array | string])[] = [
    ['POST', 'application/x-www-form-urlencoded', 'a=1&a=2&b=%7B%22x%22%3A1%7D&c=+'],
    [
      'POST',
      'multipart/form-data; boundary=x',
      '--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--x--\r\n',
    ],
    ['PUT', 'text/xml', '<?xml version="1.0"?><Response/>'],
    ['POST', 'text/plain', 'plain, and a line\n'],
    ['POST', 'application/json', '{"a": 1.0, "a": 12345678901234567890, "e": "\\u00e9\\/"}'],
    ['POST', 'application/json', '\ufeff{"bom":true}'],
    ['POST', null, ''],
    ['POST', 'application/octet-stream', Buffer.from([0, 255, 254, 128, 10, 13, 0])],
    ['POST', 'application/json; charset=utf-16', Buffer.from('{"a":1}', 'utf16le')],
    ['DELETE', null, ''],
    ['GET', null, ''],
    ['HEAD', null, ''],
    ['OPTIONS', null, ''],
    ['PATCH', 'application/json', '{'],
  ]
  for (const [method, type, body] of cases) {
    const before = receiver.received.length
    const headers = [
      ...(type === null ? [] : ['Content-Type', type]),
      'X-Twice',
      'one',
      'x-twice',
      'two',
      'X-Latin',
      'é',
    ]
    const answer = await send(method, `${source.path}/any/path?x=1&y=%20`, headers, body)
    assert.equal(answer.status, 200, `${method} ${type}`)
    await receiver.until(before + 1)
    const [message] = await receivedMessages(server, source.id)
    const got = receiver.received[before]
    assert.deepEqual(Buffer.from(message?.body ?? []), Buffer.from(body), `stored: ${method} ${type}`)
    assert.deepEqual(got?.body, Buffer.from(body), `forwarded: ${method} ${type}`)
    assert.equal(got?.method, method)
    assert.equal(got?.headers['content-type'], type ?? undefined)
    assert.equal(message?.request.target, `${source.path}/any/path?x=1&y=%20`)
    assert.equal(message?.request.method, method)
    // In their order, spelled as they were, repeats and all.
    const own = (raw: readonly string[]): readonly string[] =>
      raw.filter((_, at) => /^x-/i.test(raw[at - (at % 2)] ?? ''))
    assert.deepEqual(own(message?.request.headers ?? []), own(headers))
    assert.deepEqual(own(got?.rawHeaders ?? []), own(headers))
    assert.equal(got?.headers['posthorn-verification'], 'unverified')
  }
})

test('a compressed body is verified, stored and forwarded compressed, however large it would become', async () => {
  const source = await github()
  await newEndpoint(server, source.id, `${receiver.url}/gzip`)
  const before = receiver.received.length
  const bomb = gzipSync(Buffer.alloc(40 * 1024 * 1024))
  assert.ok(bomb.length < maxInboundBody)
  const headers = ['X-GitHub-Event', 'push', 'Content-Encoding', 'gzip', 'X-Hub-Signature-256', signature(bomb)]
  const rss = process.memoryUsage.rss()
  assert.equal((await deliver(source.path, { body: bomb, headers })).status, 200)
  await receiver.until(before + 1)
  assert.deepEqual(receiver.received[before]?.body, bomb)
  assert.equal(receiver.received[before]?.headers['content-encoding'], 'gzip')
  assert.ok(process.memoryUsage.rss() - rss < 40 * 1024 * 1024, 'it was not expanded on the way')
})

test('the largest body is taken, one byte more is 413, whether it is announced or comes in chunks; nothing is cut', async () => {
  const source = await github()
  const largest = Buffer.alloc(maxInboundBody, 'a')
  const headersOf = (body: Buffer): string[] => ['X-GitHub-Event', 'push', 'X-Hub-Signature-256', signature(body)]
  const chunked = (body: Buffer) =>
    send('POST', source.path, [...headersOf(body), 'Transfer-Encoding', 'chunked'], body)
  assert.equal((await deliver(source.path, { body: largest, headers: headersOf(largest) })).status, 200)
  const other = Buffer.alloc(maxInboundBody, 'b')
  assert.equal((await chunked(other)).status, 200)
  const more = Buffer.alloc(maxInboundBody + 1, 'c')
  for (const answer of [await deliver(source.path, { body: more, headers: headersOf(more) }), await chunked(more)]) {
    assert.equal(answer.status, 413)
    assert.equal((JSON.parse(answer.body) as { code: string }).code, 'inbound-too-large')
  }
  const lengths = (await receivedMessages(server, source.id)).map(({ body }) => body.length)
  assert.deepEqual(lengths, [maxInboundBody, maxInboundBody])
})

test('a body that is announced too large is turned away before it has come', async () => {
  const source = await github()
  const socket = connect(Number(new URL(server.url).port), '127.0.0.1')
  socket.write(`POST ${source.path} HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n`)
  const heard = await new Promise<string>((resolve) => socket.once('data', (bytes) => resolve(String(bytes))))
  socket.destroy()
  assert.match(heard, /^HTTP\/1\.1 413 /)
  assert.match(heard, /connection: close/i)
})

test('one hundred identical requests at once become one message, and get one hundred equal answers', async () => {
  const source = await github()
  await newEndpoint(server, source.id, `${receiver.url}/once`)
  const answers = await Promise.all(Array.from({ length: 100 }, () => deliver(source.path, { id: 'the-same' })))
  assert.deepEqual(new Set(answers.map(({ status, body }) => `${status} ${body}`)), new Set(['200 ']))
  assert.deepEqual(await idsOf(source.id), ['the-same'])
  const [message] = await receivedMessages(server, source.id)
  assert.equal(message?.duplicates, 99)
  await eventually(server.world, 'it was forwarded', () => receiver.received.some(({ path }) => path === '/once'))
  assert.equal(receiver.received.filter(({ path }) => path === '/once').length, 1)
  // A place in memory is kept for each before it is known that it is not stored.
  await eventually(server.world, 'nothing of it is held in memory', async () => {
    const metrics = await (await server.fetch('/metrics')).text()
    return /^posthorn_hot_deliveries 0$/m.test(metrics)
  })
})

test('the same id at two sources is two messages', async () => {
  const [one, other] = [await github(), await github()]
  await deliver(one.path, { id: 'shared' })
  await deliver(other.path, { id: 'shared' })
  assert.deepEqual([await idsOf(one.id), await idsOf(other.id)], [['shared'], ['shared']])
})

test('a forged request cannot burn an id: neither where it is refused nor where it is only observed', async () => {
  for (const mode of ['enforce', 'observe']) {
    const source = await github({ mode })
    const forged = await deliver(source.path, { id: 'to-come', key: 'not the secret' })
    assert.equal(forged.status, mode === 'enforce' ? 401 : 200)
    const genuine = await deliver(source.path, { id: 'to-come' })
    assert.equal(genuine.status, 200)
    const verified = (await receivedMessages(server, source.id)).filter(
      ({ verification: { kind } }) => kind === 'verified',
    )
    assert.deepEqual(
      verified.map(({ eventId }) => eventId),
      ['to-come'],
      mode,
    )
  }
})

test('what is refused is answered without a body, kept with the reason, and becomes no message', async () => {
  const source = await github()
  const answer = await deliver(source.path, { key: 'another' })
  assert.deepEqual([answer.status, answer.body], [401, ''])
  assert.deepEqual(await idsOf(source.id), [])
  const [kept] = await quarantined(server, source.id)
  assert.equal(kept?.request.verification.kind, 'refused')
})

test('a source whose only secret has lapsed lets nothing pass', async () => {
  const until = new Date(server.world.now() + 1_000).toISOString()
  const source = await newSource(server, {
    type: 'github',
    config: { secrets: [{ value: secret, until }] },
    mode: 'enforce',
  })
  await server.world.advance(1_000)
  assert.equal((await deliver(source.path)).status, 401)
  assert.deepEqual(await idsOf(source.id), [])
})

test('a source that only observes says of each message what it thinks of it', async () => {
  const source = await newSource(server, { type: 'github', config: {} })
  await newEndpoint(server, source.id, `${receiver.url}/observed`)
  assert.equal((await deliver(source.path)).status, 200)
  const [message] = await receivedMessages(server, source.id)
  assert.deepEqual(message?.verification, { kind: 'unverified', because: 'no-secret' })
  await eventually(server.world, 'it was forwarded', () => receiver.received.some(({ path }) => path === '/observed'))
  const forwarded = receiver.received.find(({ path }) => path === '/observed')
  assert.equal(forwarded?.headers['posthorn-verification'], 'unverified')
})

test('there is no source at other addresses, and every way to ask is told so alike', async () => {
  const { path: known } = await newSource(server, { type: 'generic-webhook' })
  const paths = [
    ...['/in/', '/in/x', `/in/${'x'.repeat(43)}`, `/in/${'x'.repeat(300)}`, '/in//', '/in/x/y?z', '/in/%00'],
    ...[known.slice(0, -1), `${known}x`, `${known}.json`, `${known};a=1`, `${known}%2F`, `/in/x${known}`],
  ]
  for (const path of paths) {
    const answer = await send('POST', path, [], '{}')
    assert.equal(answer.status, 404, path)
    assert.equal((JSON.parse(answer.body) as { code: string }).code, 'not-found')
  }
})

test('challenges are answered while the source is paused, and its messages are taken and wait', async () => {
  const source = await newSource(server, { type: 'dropbox', config: { secret }, state: 'paused' })
  await newEndpoint(server, source.id, `${receiver.url}/paused`)
  const answer = await send('GET', `${source.path}?challenge=%3Cb%3E`, [])
  assert.deepEqual([answer.status, answer.body], [200, '<b>'])
  assert.match(answer.headers['content-type'] ?? '', /^text\/plain/)
  assert.equal(answer.headers['x-content-type-options'], 'nosniff')
  const body = Buffer.from('{"list_folder":{"accounts":["dbid:1"]}}')
  const signed = ['X-Dropbox-Signature', createHmac('sha256', secret).update(body).digest('hex')]
  assert.equal((await send('POST', source.path, signed, body)).status, 200)
  assert.equal((await receivedMessages(server, source.id)).length, 1)
  const before = receiver.received.length
  await server.world.advance(5_000)
  assert.equal(receiver.received.length, before)
  await server.fetch(`/ingest/api/v1/source/${source.id}`, {
    method: 'PATCH',
    headers: { 'content-type': 'application/json' },
    body: '{"state":"active"}',
  })
  // At once: no time passes by which anything else would look.
  await receiver.until(before + 1)
  const { path, headers } = receiver.received[before] ?? assert.fail('nothing came')
  const cameAt = new Date(server.world.now() - 5_000).toISOString()
  assert.deepEqual([path, headers['posthorn-received-at']], ['/paused', cameAt])
})

test('challenges are answered with the new secret as soon as there is one, while the former still passes', async () => {
  const source = await newSource(server, { type: 'x', config: { secret } })
  const answered = async (): Promise<unknown> => {
    const { body } = await send('GET', `${source.path}?crc_token=abc`, [])
    return (JSON.parse(body) as { response_token: unknown }).response_token
  }
  const token = (key: string): string => `sha256=${createHmac('sha256', key).update('abc').digest('base64')}`
  assert.equal(await answered(), token(secret))
  await server.fetch(`/ingest/api/v1/source/${source.id}/secret/rotate`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"key":"another secret"}',
  })
  assert.equal(await answered(), token('another secret'))
  const body = Buffer.from('{"for_user_id":"1"}')
  const signed = [
    'X-Twitter-Webhooks-Signature',
    `sha256=${createHmac('sha256', secret).update(body).digest('base64')}`,
  ]
  assert.equal((await send('POST', source.path, signed, body)).status, 200)
})

test('a secret that comes with the handshake is kept, shown to its owner, and required from then on; the second is not taken', async () => {
  const source = await newSource(server, { type: 'asana', config: {} })
  const shake = (value: string) => send('POST', source.path, ['X-Hook-Secret', value])
  const first = await shake('secret-of-asana')
  assert.deepEqual([first.status, first.headers['x-hook-secret']], [200, 'secret-of-asana'])
  assert.equal((await shake('secret-of-a-stranger')).status, 403)
  const captured = await server.fetch(`/ingest/api/v1/source/${source.id}/secret/captured`)
  const { data } = (await captured.json()) as { data: readonly { key: string }[] }
  assert.deepEqual(
    data.map(({ key }) => key),
    ['secret-of-asana'],
  )
  const body = Buffer.from('{"events":[{"action":"changed","resource":{"gid":"1"}}]}')
  const signedBy = (key: string): string[] => ['X-Hook-Signature', createHmac('sha256', key).update(body).digest('hex')]
  assert.equal((await send('POST', source.path, signedBy('secret-of-a-stranger'), body)).status, 401)
  assert.equal((await send('POST', source.path, signedBy('secret-of-asana'), body)).status, 200)
  await server.world.advance(1_000)
  await eventually(server.world, 'both handshakes are noted', async () => {
    const { handshakes, mode } = await shownSource(source.id)
    assert.equal(mode, 'enforce')
    const [note] = handshakes
    if (note?.successes !== 1 || note.failures !== 1) return false
    assert.match(note.failure ?? '', /another secret/)
    return true
  })
})

test("of two secrets that come at the same moment one is the source's, and only its sender is told that it is", async () => {
  const source = await newSource(server, { type: 'asana', config: {} })
  const answers = await Promise.all(
    ['one', 'other'].map(async (value) => ({
      value,
      status: (await send('POST', source.path, ['X-Hook-Secret', value])).status,
    })),
  )
  const taken = answers.filter(({ status }) => status === 200).map(({ value }) => value)
  assert.deepEqual(answers.map(({ status }) => status).toSorted(), [200, 403])
  const captured = await server.fetch(`/ingest/api/v1/source/${source.id}/secret/captured`)
  const { data } = (await captured.json()) as { data: readonly { key: string }[] }
  assert.deepEqual(
    data.map(({ key }) => key),
    taken,
  )
})

test('a disabled source turns away as its owner wants, and keeps nothing', async () => {
  for (const disabledAnswer of [410, 200, 503]) {
    const source = await github({ state: 'disabled', disabledAnswer })
    const answer = await deliver(source.path)
    assert.equal(answer.status, disabledAnswer)
    if (disabledAnswer === 503) assert.ok(Number(answer.headers['retry-after']) > 0)
    assert.deepEqual(await idsOf(source.id), [])
  }
})

function signedBySlack(body: string): readonly string[] {
  const at = Math.floor(server.world.now() / 1000)
  const mac = createHmac('sha256', secret).update(`v0:${at}:${body}`).digest('hex')
  return ['X-Slack-Request-Timestamp', `${at}`, 'X-Slack-Signature', `v0=${mac}`]
}

test('a disabled source goes on answering challenges, signed or not, but for one that says it is gone', async () => {
  const body = '{"type":"url_verification","challenge":"known"}'
  for (const [disabledAnswer, status] of [
    [410, 410],
    [200, 200],
    [503, 200],
  ] as const) {
    const wish = { config: { secret }, state: 'disabled', disabledAnswer }
    const dropbox = await newSource(server, { type: 'dropbox', ...wish })
    const slack = await newSource(server, { type: 'slack', ...wish })
    for (const answer of [
      await send('GET', `${dropbox.path}?challenge=known`, []),
      await send('POST', slack.path, signedBySlack(body), body),
    ]) {
      assert.deepEqual([answer.status, answer.body], [status, status === 200 ? 'known' : ''], `${disabledAnswer}`)
    }
  }
})

test('where only some addresses may call, nobody else is answered a challenge', async () => {
  const allowedAddresses = ['192.0.2.0/24']
  const source = await newSource(server, { type: 'dropbox', config: { secret }, allowedAddresses })
  const answer = await send('GET', `${source.path}?challenge=known`, [])
  assert.deepEqual([answer.status, answer.body], [403, ''])
})

test('challenges become messages where the owner wants that, and are answered all the same', async () => {
  const source = await newSource(server, { type: 'dropbox', config: { secret }, forwardChallenges: true })
  const answer = await send('GET', `${source.path}?challenge=known`, [])
  assert.deepEqual([answer.status, answer.body], [200, 'known'])
  const messages = await receivedMessages(server, source.id)
  assert.deepEqual(
    messages.map(({ request, verification }) => [request.target, verification.kind]),
    [[`${source.path}?challenge=known`, 'unverified']],
  )
})

test('a source that is to enforce lets nothing pass before its secret has come with the handshake', async () => {
  const source = await newSource(server, { type: 'asana', config: {}, mode: 'enforce' })
  const body = '{"events":[{"action":"changed","resource":{"gid":"1"}}]}'
  assert.equal((await send('POST', source.path, ['X-Hook-Signature', 'ab'.repeat(32)], body)).status, 401)
  assert.deepEqual(await idsOf(source.id), [])
})

test('an id is remembered while its provider may repeat it, for a day at least, or for as long as the owner says', async () => {
  const day = 86_400
  const cases = [
    { retryWindow: 60, remembered: day },
    { retryWindow: 3 * day, remembered: 3 * day },
    { retryWindow: 60, duplicateWindowSeconds: 3_600, remembered: 3_600 },
    { retryWindow: 60, duplicateWindowSeconds: 5 * day, remembered: 5 * day },
  ]
  const id = { alternatives: [[{ header: 'X-Id' }]], otherwise: 'none' }
  const sources = await Promise.all(
    cases.map(async ({ retryWindow, duplicateWindowSeconds = null, remembered }) => {
      const config = { preset: { schemes: [], id, retryWindow } }
      return { remembered, source: await newSource(server, { type: 'custom', config, duplicateWindowSeconds }) }
    }),
  )
  const messagesOf = async (path: string, source: SourceId): Promise<number> => {
    assert.equal((await send('POST', path, ['X-Id', 'the-same'], '{}')).status, 200)
    return (await idsOf(source)).length
  }
  const begin = server.world.now()
  for (const { source } of sources) assert.equal(await messagesOf(source.path, source.id), 1)
  for (const { remembered, source } of sources.toSorted((a, b) => a.remembered - b.remembered)) {
    await server.world.leap(begin + remembered * 1000 - 1 - server.world.now())
    assert.equal(await messagesOf(source.path, source.id), 1, `${remembered} s are not over`)
    await server.world.leap(1)
    assert.equal(await messagesOf(source.path, source.id), 2, `${remembered} s are over`)
  }
})

test('of the latest repetition it is known which try of the provider it was, and why', async () => {
  const source = await newSource(server, { type: 'slack', config: { secret } })
  const body = '{"type":"event_callback","event_id":"Ev1","event":{"type":"message"}}'
  const signed = signedBySlack(body)
  await send('POST', source.path, signed, body)
  const repeated = ['X-Slack-Retry-Num', '2', 'X-Slack-Retry-Reason', 'http_timeout']
  await send('POST', source.path, [...signed, ...repeated], body)
  const found = await server.store.received.find(source.id, 'Ev1')
  assert.deepEqual(
    [found?.duplicates, found?.duplicate],
    [1, { receivedAt: server.world.now(), peer: '127.0.0.1', retryNumber: '2', retryReason: 'http_timeout' }],
  )
})

test('a target in absolute form leads to the same door', async () => {
  const source = await github()
  const target = `http://hooks.example.com${source.path}`
  assert.equal((await deliver(target, { id: 'absolute' })).status, 200)
  assert.deepEqual(await idsOf(source.id), ['absolute'])
})

test('an endpoint of a source gets what its filter is true of, and reads no JSON out of bytes that are none', async () => {
  const source = await newSource(server, { type: 'generic-webhook' })
  for (const [path, filter] of [
    ['/large', 'payload.total > 100'],
    ['/bytes', 'payload == "1234"'],
  ] as const) {
    const answer = await server.fetch(`/ingest/api/v1/source/${source.id}/endpoint`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ url: `${receiver.url}${path}`, filter }),
    })
    assert.equal(answer.status, 201)
  }
  const before = receiver.received.length
  // In base64, in which a message keeps them, these bytes are a number to look at.
  const bytes = Buffer.from('1234', 'base64')
  for (const body of ['{"total":1}', '1234', '{"total":101}', bytes]) await send('POST', source.path, [], body)
  await eventually(server.world, 'two get something', () => receiver.received.length >= before + 2)
  await server.world.advance(1_000)
  assert.deepEqual(
    receiver.received
      .slice(before)
      .map(({ path, body }) => `${path} ${body.toString('latin1')}`)
      .toSorted(),
    [`/bytes ${bytes.toString('latin1')}`, '/large {"total":101}'],
  )
})

test('what providers call their events is not told as types that somebody forgot to declare', async () => {
  const source = await github()
  await deliver(source.path)
  const { svix, world } = server
  const { id } = await svix.application.create({ name: 'ours' })
  await svix.message.create(id, { eventType: 'ours.undeclared', payload: {} })
  await world.advance(1_000)
  let names: readonly string[] = []
  await eventually(world, 'ours is told', async () => {
    const answer = await server.fetch('/api/v1/environment/undeclared-event-type')
    names = ((await answer.json()) as { data: readonly { name: string }[] }).data.map(({ name }) => name)
    return names.includes('ours.undeclared')
  })
  assert.deepEqual(names, ['ours.undeclared'])
})

test('what is answered to a message is what the owner says, to repetitions too; what cannot be said becomes a plain 200', async () => {
  const ack = {
    ...{ status: 202, headers: { 'X-Ours': ['no. ', { body: '/id' }] }, contentType: 'application/vnd.ours+json' },
    json: { taken: [{ body: '/id' }], n: 1 },
  }
  const source = await github({ ack })
  for (let n = 0; n < 2; n++) {
    const { status, headers, body } = await deliver(source.path, { id: 'acked', body: '{"id":"a\\"b"}' })
    assert.deepEqual([status, JSON.parse(body)], [202, { taken: 'a"b', n: 1 }])
    assert.deepEqual([headers['x-ours'], headers['content-type']], ['no. a"b', 'application/vnd.ours+json'])
  }
  const other = await deliver(source.path, { body: '{}' })
  assert.deepEqual([other.status, other.body], [200, ''])
})
