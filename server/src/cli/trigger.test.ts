import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createHmac } from 'node:crypto'
import { createServer } from 'node:http'
import { after, before, describe, test } from 'node:test'
import { newSource, receivedMessages } from '../../test/inbound/source.ts'
import { posthorn } from '../../test/support/posthorn-command.ts'
import { startTestServer, type TestServer } from '../../test/support/server.ts'
import { UsageError } from './command.ts'
import { trigger } from './trigger.ts'

const secret = 'topsecret'

/** A handler as people write one: GitHub's signature, and nothing else. */
const handler = createServer(async (request, response) => {
  const body = Buffer.concat(await request.toArray())
  const right = `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`
  if (request.url === '/careless' || request.headers['x-hub-signature-256'] === right) response.end('taken')
  else response.writeHead(401).end('no')
})
let server: TestServer
let hooks = ''
before(async () => {
  server = await startTestServer()
  await new Promise<void>((resolve) => handler.listen(0, '127.0.0.1', resolve))
  const address = handler.address()
  hooks = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`
})
after(async () => {
  handler.close()
  await server.stop()
})

const github = ['trigger', 'github', 'push', '--secret', secret, '--url']

describe('posthorn trigger', { concurrency: true }, () => {
  test('sends what a handler of your own verifies, and says what it answered', async () => {
    const { code, stdout } = await posthorn([...github, `${hooks}/hooks`])
    assert.equal(stdout, '200 taken\n')
    assert.equal(code, 0)
  })

  test('--forge is well when it is refused, and fails a handler that takes it', async () => {
    const [careful, careless] = await Promise.all(
      ['/hooks', '/careless'].map((path) => posthorn([...github, hooks + path, '--forge'])),
    )
    assert.deepEqual([careful?.code, careful?.stdout], [0, '401 no\n'])
    assert.equal(careless?.code, 1)
    assert.match(careless?.stderr ?? '', /a forged request was taken/)
  })

  test('--print curl prints a line that sends the very same', async () => {
    const { stdout } = await posthorn([...github, `${hooks}/hooks`, '--print', 'curl'])
    assert.match(stdout, /^curl -i -X POST .*X-Hub-Signature-256: sha256=/)
    const shown = execFileSync('sh', ['-c', `curl() { printf '%s\\0' "$@"; }\n${stdout}`], { encoding: 'utf8' }).split(
      '\0',
    )
    const body = shown[shown.indexOf('--data-raw') + 1] ?? ''
    const signature = shown.find((word) => word.startsWith('X-Hub-Signature-256: '))
    assert.equal(signature, `X-Hub-Signature-256: sha256=${createHmac('sha256', secret).update(body).digest('hex')}`)
  })

  test('--source sends what the server has signed with a secret that this command never sees; twice is one message', async () => {
    const source = await newSource(server, { type: 'stripe', uid: 'payments', config: { secret: 'whsec_1' } })
    const { code, stdout, stderr } = await posthorn([
      ...['trigger', 'stripe', 'payment_intent.succeeded', '--source', 'payments', '--duplicate'],
      ...['--server', server.url, '--key', server.key, '--url', server.url + source.path],
    ])
    assert.deepEqual([code, stdout, stderr], [0, '200\n200\n', ''])
    const [message, ...more] = await receivedMessages(server, source.id)
    assert.deepEqual([message?.verification.kind, message?.duplicates, more.length], ['verified', 1, 0])
  })

  test('of what a source refuses though it should not, it is said where the reason is', async () => {
    const allowedAddresses = ['192.0.2.1']
    const source = await newSource(server, { type: 'stripe', uid: 'shut', config: { secret: 's' }, allowedAddresses })
    const { code, stderr } = await posthorn([
      ...['trigger', 'stripe', 'payment_intent.succeeded', '--source', 'shut'],
      ...['--server', server.url, '--key', server.key, '--url', server.url + source.path],
    ])
    assert.equal(code, 1)
    assert.match(stderr, /a right request was answered 403; if the source refused it, its quarantine says why/)
  })

  test('without an event it lists what there is', async () => {
    const { code, stdout } = await posthorn(['trigger', 'github'])
    assert.equal(code, 0)
    assert.ok(stdout.split('\n').includes('push'))
  })

  const mistakes: readonly (readonly [what: string, words: readonly string[], told: RegExp])[] = [
    ['no provider', [], /name a provider/],
    ['a provider that is none', ['githib', 'push'], /did you mean github\?/],
    [
      'an event that is none',
      ['github', 'pushed', '--url', 'http://127.0.0.1:1/'],
      /no recorded event "pushed", but: .*push/,
    ],
    ['nowhere to send it', ['github', 'push'], /--source SOURCE, or --url URL/],
    ['no secret', ['github', 'push', '--url', 'http://127.0.0.1:1/'], /there is no secret of the form/],
    [
      'a key that only the provider has',
      ['aws-sns', 'Notification', '--url', 'http://127.0.0.1:1/', '--set', 'topicArn=arn'],
      /the private key of the provider itself/,
    ],
    ['no key', ['github', 'push', '--source', 's'], /needs an API key/],
    [
      'nobody there',
      ['github', 'push', '--source', 's', '--key', 'k', '--server', 'http://127.0.0.1:1'],
      /no Posthorn at/,
    ],
    ['a URL that is none', ['github', 'push', '--url', 'localhost'], /must be an http or https URL/],
  ]
  test('what is typed wrongly is said before anything is sent', async () => {
    const { stdin, stdout, stderr } = process
    for (const [what, words, told] of mistakes) {
      await assert.rejects(
        trigger.run(words, { env: {}, stdin, stdout, stderr }),
        (error) => error instanceof UsageError && told.test(error.message),
        what,
      )
    }
  })

  test('nobody who answers is told as that, with 1', async () => {
    const { code, stderr } = await posthorn([...github, 'http://127.0.0.1:1/'])
    assert.equal(code, 1)
    assert.match(stderr, /did not answer: .*ECONNREFUSED/)
  })
})
