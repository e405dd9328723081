import assert from 'node:assert/strict'
import http from 'node:http'
import { describe, type TestContext, test } from 'node:test'
import { listening } from '../../../test/support/listening.ts'
import { testWorld } from '../../../test/support/world.ts'
import { parseEgressAllow } from '../../domain/egress.ts'
import { createHttpTransport } from './client.ts'

/** A receiver on loopback, and a transport whose resolver gives these answers one after another. */
async function setting(t: TestContext, allow: string, answers: readonly (readonly string[] | Error)[] = []) {
  const server = http.createServer((request, response) => {
    response.shouldKeepAlive = request.url !== '/close'
    response.end('ok')
  })
  const at = await listening(t, server)
  const asked: string[] = []
  const transport = createHttpTransport({
    allow: parseEgressAllow(allow),
    world: testWorld(),
    maxConnectionsPerOrigin: 4,
    async resolve(hostname) {
      const answer = answers[Math.min(asked.length, answers.length - 1)] ?? []
      asked.push(hostname)
      if (answer instanceof Error) throw answer
      return answer
    },
  })
  t.after(() => transport.close())
  const send = async (host: string, path = '/') => {
    const outcome = await transport.send({
      method: 'POST',
      url: `http://${host}:${at.port}${path}`,
      headers: [],
      body: '{}',
      timeoutMs: 1000,
    })
    return outcome.kind === 'unreachable' ? `${outcome.reason}: ${outcome.detail}` : outcome.kind
  }
  return { ...at, asked, send }
}

describe('what leads inside is never connected to', () => {
  for (const host of [
    '127.0.0.1',
    '127.1',
    '2130706433',
    '0x7f.1',
    '0177.0.0.1',
    '127.0.0.1.',
    '0.0.0.0',
    '[::1]',
    '[::ffff:127.0.0.1]',
    '[::]',
  ]) {
    test(`the literal ${host}`, async (t) => {
      const { send, opened, asked } = await setting(t, '', [['127.0.0.1']])
      assert.match(await send(host), /^blocked: .*; allow it with POSTHORN_EGRESS_ALLOW$/)
      assert.equal(opened(), 0)
      assert.deepEqual(asked, [])
    })
  }

  for (const host of ['localhost', 'LOCALHOST.', 'app.localhost']) {
    test(`the name ${host}`, async (t) => {
      const { send, opened } = await setting(t, '', [['93.184.215.14']])
      assert.match(await send(host), /^blocked: .* is 127\.0\.0\.1, a loopback address/)
      assert.equal(opened(), 0)
    })
  }

  for (const address of [
    '127.0.0.1',
    '::ffff:127.0.0.1',
    '::1',
    '0.0.0.0',
    '10.0.0.7',
    '169.254.169.254',
    '64:ff9b::7f00:1',
    '2002:7f00:1::',
  ]) {
    test(`a name that resolves to ${address}`, async (t) => {
      const { send, opened, asked } = await setting(t, '', [[address]])
      assert.ok((await send('rebind.test')).startsWith(`blocked: rebind.test is ${address}, a`))
      assert.equal(opened(), 0)
      assert.deepEqual(asked, ['rebind.test'])
    })
  }

  test('a name that resolves to an allowed and a private address, in either order', async (t) => {
    for (const answer of [
      ['127.0.0.1', '10.0.0.7'],
      ['10.0.0.7', '127.0.0.1'],
    ]) {
      const { send, opened } = await setting(t, '127.0.0.1', [answer])
      assert.equal(
        await send('mixed.test'),
        'blocked: mixed.test is 10.0.0.7, a private address; allow it with POSTHORN_EGRESS_ALLOW',
      )
      assert.equal(opened(), 0)
    }
  })
})

describe('a name whose answer changes', () => {
  test('is resolved once for a connection, and the connection goes to the address that was checked', async (t) => {
    // Were it resolved again to connect, it would go to 0.0.0.0, which reaches the same receiver and is not allowed.
    const { send, opened, asked } = await setting(t, '127.0.0.1', [['127.0.0.1'], ['0.0.0.0']])
    assert.equal(await send('rebind.test', '/close'), 'delivered')
    assert.deepEqual(asked, ['rebind.test'])
    assert.equal(opened(), 1)
  })

  test('is checked anew for the next connection, which is refused', async (t) => {
    const { send, opened, asked } = await setting(t, '127.0.0.1', [['127.0.0.1'], ['0.0.0.0']])
    assert.equal(await send('rebind.test', '/close'), 'delivered')
    assert.match(await send('rebind.test'), /^blocked: rebind\.test is 0\.0\.0\.0, an address of this host/)
    assert.equal(opened(), 1)
    assert.equal(asked.length, 2)
  })

  test('is not resolved for a send that uses an open connection', async (t) => {
    const { send, opened, asked } = await setting(t, '127.0.0.1', [['127.0.0.1'], ['10.0.0.7']])
    for (let n = 0; n < 5; n++) assert.equal(await send('kept.test'), 'delivered')
    assert.equal(opened(), 1)
    assert.equal(asked.length, 1)
  })

  test('is resolved once for connections opened at the same moment', async (t) => {
    const { send, opened, asked } = await setting(t, '127.0.0.1', [['127.0.0.1'], ['10.0.0.7']])
    assert.deepEqual(await Promise.all([send('a.test'), send('a.test'), send('a.test')]), [
      'delivered',
      'delivered',
      'delivered',
    ])
    assert.equal(opened(), 3)
    assert.equal(asked.length, 1)
  })
})

describe('what the operator allows is connected to', () => {
  test('by network, by name, by names below one', async (t) => {
    for (const allow of ['127.0.0.0/8', 'inside.test', '*.test', '::ffff:127.0.0.0/104']) {
      const { send } = await setting(t, allow, [['127.0.0.1']])
      assert.equal(await send('inside.test'), 'delivered', allow)
    }
  })

  test('in mapped form, too', async (t) => {
    const { send } = await setting(t, '127.0.0.1', [['::ffff:127.0.0.1']])
    assert.equal(await send('[::ffff:127.0.0.1]'), 'delivered')
    assert.equal(await send('mapped.test'), 'delivered')
  })

  test('as localhost, without asking a resolver, where only one of its two addresses is allowed', async (t) => {
    const { send, asked } = await setting(t, '127.0.0.0/8', [['10.0.0.7']])
    assert.equal(await send('localhost'), 'delivered')
    assert.equal(await send('app.localhost'), 'delivered')
    assert.deepEqual(asked, [])
  })
})

describe('a name that cannot be resolved', () => {
  const failure = (code: string) => Object.assign(new Error(`getaddrinfo ${code}`), { code })
  for (const [answer, told] of [
    [failure('ENOTFOUND'), 'dns: there is no host a.test'],
    [failure('EAI_AGAIN'), 'dns: the name server did not answer for a.test'],
    [failure('ESERVFAIL'), 'dns: a.test could not be resolved (ESERVFAIL)'],
    [[], 'dns: a.test has no address'],
    [['not-an-address'], 'blocked: "not-an-address" is not an IP address'],
  ] as const) {
    test(told, async (t) => {
      const { send, opened } = await setting(t, '127.0.0.1', [answer])
      assert.equal(await send('a.test'), told)
      assert.equal(opened(), 0)
    })
  }

  test('is asked for again by the next send', async (t) => {
    const { send } = await setting(t, '127.0.0.1', [failure('EAI_AGAIN'), ['127.0.0.1']])
    assert.match(await send('a.test'), /^dns: /)
    assert.equal(await send('a.test'), 'delivered')
  })
})

test("the system's resolver is the one used when no other is given", async (t) => {
  const world = testWorld()
  const transport = createHttpTransport({ allow: parseEgressAllow(''), world, maxConnectionsPerOrigin: 1 })
  t.after(() => transport.close())
  // RFC 6761 §6.4: `invalid` exists nowhere. Without any name server the answer is the other `dns` one.
  const outcome = await transport.send({
    method: 'POST',
    url: 'http://posthorn.invalid/',
    headers: [],
    body: '',
    timeoutMs: 1000,
  })
  assert.equal(outcome.kind === 'unreachable' && outcome.reason, 'dns')
})
