import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { Webhook } from 'standardwebhooks'
import { posthorn } from '../../test/support/posthorn-command.ts'
import vectors from '../../test/vectors/standard-webhooks.json' with { type: 'json' }

const folder = mkdtempSync(join(tmpdir(), 'posthorn-verify-'))
after(() => rmSync(folder, { recursive: true }))

const [answer] = vectors.known_answers
assert.ok(answer)
const pair = vectors.known_answers.find((known) => known.public !== undefined)
assert.ok(pair?.public)
const { public: publicKey } = pair
const { secret, id, timestamp, body, signature } = answer
const bodyFile = join(folder, 'body.json')
writeFileSync(bodyFile, body)
const words = (changes: Readonly<Record<string, string | null>> = {}): string[] => {
  const options = { secret, id, timestamp: String(timestamp), signature, tolerance: 'any', ...changes }
  return ['verify', ...Object.entries(options).flatMap(([name, value]) => (value === null ? [] : [`--${name}`, value]))]
}

describe('posthorn verify', { concurrency: true }, () => {
  test('a request of the vectors is valid, with 0', async () => {
    const result = await posthorn([...words(), bodyFile])
    assert.deepEqual(result, { code: 0, stdout: 'valid: the v1 signature is right\n', stderr: '' })
  })

  test('an Ed25519 request is valid with the key pair and with the public key alone', async () => {
    for (const key of [pair.secret, publicKey]) {
      const { code, stdout } = await posthorn([...words({ secret: key, signature: pair.signature }), bodyFile])
      assert.deepEqual([code, stdout], [0, 'valid: the v1a signature is right\n'])
    }
  })

  test('what the reference library has just signed is valid without a word about tolerance', async () => {
    const now = new Date()
    const headers = {
      id: 'msg_1',
      timestamp: String(Math.floor(now.getTime() / 1_000)),
      signature: new Webhook(secret).sign('msg_1', now, body),
    }
    const { code } = await posthorn([...words({ ...headers, tolerance: null }), bodyFile])
    assert.equal(code, 0)
  })

  test('headers are read from a file in any case and order, among others and status lines', async () => {
    const headers = join(folder, 'headers.txt')
    writeFileSync(
      headers,
      `POST /hooks HTTP/1.1\r\nHost: localhost:3000\r\nWebhook-Signature:  ${signature} \r\nWEBHOOK-ID:${id}\r\nx-other: a: b\r\nwebhook-timestamp: ${timestamp}\r\n\r\n`,
    )
    const { code, stdout } = await posthorn([
      'verify',
      '--secret',
      secret,
      '--tolerance',
      'any',
      '--headers',
      headers,
      bodyFile,
    ])
    assert.deepEqual([code, stdout], [0, 'valid: the v1 signature is right\n'])
  })

  test('what posthorn sign prints, posthorn verify reads', async () => {
    const signed = await posthorn(['sign', '--secret', secret, '--secret', pair.secret, bodyFile])
    for (const key of [secret, publicKey]) {
      const { code } = await posthorn(['verify', '--secret', key, '--headers', '-', bodyFile], { input: signed.stdout })
      assert.equal(code, 0)
    }
  })

  test('of several secrets it says which one fits', async () => {
    const { code, stdout } = await posthorn([
      'verify',
      '--secret',
      'whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD',
      ...words().slice(1),
      bodyFile,
    ])
    assert.deepEqual([code, stdout], [0, 'valid: the v1 signature is right, made with secret 2\n'])
  })

  const failures: readonly (readonly [what: string, changes: Readonly<Record<string, string | null>>, told: RegExp])[] =
    [
      ['a missing id', { id: null }, /the header webhook-id is missing/],
      ['a missing timestamp', { timestamp: null }, /the header webhook-timestamp is missing/],
      ['a missing signature', { signature: null }, /the header webhook-signature is missing/],
      ['a timestamp that is a word', { timestamp: 'hello' }, /webhook-timestamp is not a whole number/],
      [
        'an old timestamp, all else being right',
        { tolerance: null },
        /webhook-timestamp is \d+d\S* older than tolerated; all else is right/,
      ],
      [
        'an old timestamp and a wrong signature',
        { tolerance: '1d', id: 'x' },
        /older than tolerated; besides, no signature fits/,
      ],
      [
        'a timestamp of the future',
        { tolerance: '5m', timestamp: '99999999999' },
        /further in the future than tolerated/,
      ],
      ['a version nobody knows', { signature: signature.replace('v1', 'v2') }, /no signature of a version known here/],
      ['a signature without a version', { signature: 'invalid_signature' }, /no signature of a version known here/],
      ['a public key for a v1 signature', { secret: publicKey }, /is v1, which needs the shared secret/],
      [
        'a shared secret for a v1a signature',
        { signature: pair.signature },
        /is v1a, which needs the key pair .* or its public key/,
      ],
      ['another secret', { secret: 'whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD' }, /no signature fits .*byte for byte/],
      ['another id', { id: 'msg_other' }, /no signature fits this secret, id, timestamp and body/],
    ]
  for (const [what, changes, told] of failures) {
    test(`${what} is said to be what fails, with 1`, async () => {
      const { code, stdout, stderr } = await posthorn([...words(changes), bodyFile])
      assert.equal(code, 1)
      assert.match(stdout, /^invalid: /)
      assert.match(stdout, told)
      assert.equal(stderr, '')
    })
  }

  test('a line ending that an editor added or took away is recognised as what fails', async () => {
    const cases = [
      [`${body}\n`, /the body ends with a line feed that was not signed/],
      [`${body}\r\n`, /the body ends with a carriage return and line feed that was not signed/],
    ] as const
    for (const [input, told] of cases) {
      const { code, stdout } = await posthorn([...words(), '-'], { input })
      assert.equal(code, 1)
      assert.match(stdout, told)
    }
    const signed = await posthorn(['sign', '--secret', secret, '-'], { input: `${body}\n` })
    const headers = join(folder, 'with-line-feed.txt')
    writeFileSync(headers, signed.stdout)
    const { stdout } = await posthorn(['verify', '--secret', secret, '--headers', headers, bodyFile])
    assert.match(stdout, /the body lacks a line feed at its end that was signed/)
  })

  test('bytes that are not text are checked as they are', async () => {
    const raw = vectors.derived.find((derived) => 'body_hex' in derived)
    assert.ok(raw && 'body_hex' in raw && raw.body_hex)
    const { code } = await posthorn([...words({ signature: raw.signature }), '-'], {
      input: Buffer.from(raw.body_hex, 'hex'),
    })
    assert.equal(code, 0)
  })

  const mistakes: readonly (readonly [what: string, words: readonly string[], told: RegExp])[] = [
    ['no headers at all', ['verify', '--secret', secret, '-'], /needs the headers/],
    ['no secret', words({ secret: null }).concat('-'), /needs a secret/],
    ['an unusable secret', words({ secret: 'whsec_bm90LXZhbGlkCg==' }).concat('-'), /holds 10 bytes/],
    [
      'a tolerance without a unit',
      words({ tolerance: '300' }).concat('-'),
      /--tolerance must be a duration such as 5m/,
    ],
    ['standard input twice', ['verify', '--secret', secret, '--headers', '-', '-'], /standard input can be one of/],
    [
      'a headers file that is not there',
      ['verify', '--secret', secret, '--headers', join(folder, 'none'), '-'],
      /there is no such file/,
    ],
  ]
  for (const [what, args, told] of mistakes) {
    test(`${what}: the check could not be made, which is 2 and not 1`, async () => {
      const { code, stdout, stderr } = await posthorn(args)
      assert.deepEqual([code, stdout], [2, ''])
      assert.match(stderr, told)
    })
  }
})
