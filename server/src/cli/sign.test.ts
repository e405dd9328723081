import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { Webhook } from 'standardwebhooks'
import { posthorn } from '../../test/support/posthorn-command.ts'
import vectors from '../../test/vectors/standard-webhooks.json' with { type: 'json' }

const folder = mkdtempSync(join(tmpdir(), 'posthorn-sign-'))
after(() => rmSync(folder, { recursive: true }))
const file = (name: string, content: string | Uint8Array): string => {
  const path = join(folder, name)
  writeFileSync(path, content)
  return path
}
const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'
const body = '{"test": 2432232314}'

const headersOf = (text: string): Record<string, string> =>
  Object.fromEntries(
    text
      .trim()
      .split('\n')
      .map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]),
  )

describe('posthorn sign', { concurrency: true }, () => {
  test('prints the published signature of text, of bytes that are none, and of a key pair', async () => {
    const answers = [...vectors.known_answers, ...vectors.derived].filter(
      (answer) => 'public' in answer || 'body_hex' in answer || answer.name === 'utf-8 body',
    )
    assert.equal(answers.length, 3)
    const printed = answers.map(async (answer, at) => {
      const bytes = 'body_hex' in answer ? Buffer.from(answer.body_hex, 'hex') : answer.body
      const words = ['--secret', answer.secret, '--id', answer.id, '--timestamp', String(answer.timestamp)]
      return posthorn(['sign', ...words, file(`body-${at}`, bytes)])
    })
    for (const [at, { code, stdout }] of (await Promise.all(printed)).entries()) {
      const { id, timestamp, signature } = answers[at] ?? assert.fail()
      assert.equal(code, 0)
      assert.equal(stdout, `webhook-id: ${id}\nwebhook-timestamp: ${timestamp}\nwebhook-signature: ${signature}\n`)
    }
  })

  test('makes up an id and the time of now, which the reference library accepts', async () => {
    const { stdout } = await posthorn(['sign', '--secret', secret, '-'], { input: body })
    const headers = headersOf(stdout)
    assert.match(headers['webhook-id'] ?? '', /^msg_[0-9A-Za-z]{27}$/)
    assert.doesNotThrow(() => new Webhook(secret).verify(body, headers))
  })

  test('signs once for each secret, in their order, those from a file after those typed', async () => {
    const pair = vectors.known_answers.find(({ alg }) => alg === 'v1a')?.secret ?? ''
    const secrets = file('secrets', `${pair}\n\n  whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD\r\n`)
    const { stdout } = await posthorn(['sign', '--secret', secret, '--secret-file', secrets, '-'], { input: body })
    assert.match(headersOf(stdout)['webhook-signature'] ?? '', /^v1,\S+ v1a,\S+ v1,\S+$/)
  })

  test('prints a curl line that a shell reads as the very headers and body, quotes and all', async () => {
    const path = file("it's $HOME.json", body)
    const input = `@it's "quoted" $HOME \`x\` \\ \n{"é":1}`
    const words = [
      'sign',
      '--secret',
      secret,
      '--id',
      'msg_1',
      '--timestamp',
      '1614265330',
      '--curl',
      "http://localhost:1/a?b=c&d='e'",
    ]
    const [fromFile, fromInput, plain] = await Promise.all([
      posthorn([...words, path]),
      posthorn([...words, '-'], { input }),
      posthorn([...words.slice(0, -2), '-'], { input }),
    ])
    const wordsOf = (line: string): string[] =>
      execFileSync('sh', ['-c', `curl() { printf '%s\\0' "$@"; }\n${line}`], { encoding: 'utf8' })
        .split('\0')
        .slice(0, -1)
    assert.deepEqual(wordsOf(fromFile.stdout).slice(-3), [
      '--data-binary',
      `@${path}`,
      "http://localhost:1/a?b=c&d='e'",
    ])
    const typed = wordsOf(fromInput.stdout)
    assert.deepEqual(typed.slice(-3), ['--data-raw', input, "http://localhost:1/a?b=c&d='e'"])
    const headers = typed.flatMap((word, at) => (word === '-H' ? [typed[at + 1]] : []))
    assert.deepEqual(headers, ['content-type: application/json', ...plain.stdout.trim().split('\n')])
  })

  const mistakes: readonly (readonly [what: string, words: readonly string[], told: RegExp])[] = [
    ['no secret', ['-'], /needs a secret/],
    ['no file', ['--secret', secret], /name one file, or -/],
    ['two files', ['--secret', secret, 'a', 'b'], /name one file/],
    [
      'a file that is not there',
      ['--secret', secret, join(folder, 'none.json')],
      /cannot read .*none.json: there is no such file/,
    ],
    ['a folder', ['--secret', secret, folder], /it is a folder/],
    ['an empty secret', ['--secret', 'whsec_', '-'], /the secret is empty/],
    [
      'a secret that is too short',
      ['--secret', 'whsec_bm90LXZhbGlkCg==', '-'],
      /holds 10 bytes; a whsec_ secret has 24 to 64/,
    ],
    [
      'a public key',
      ['--secret', 'whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=', '-'],
      /is a public key, which cannot sign/,
    ],
    ['an id with a dot', ['--secret', secret, '--id', 'msg.1', '-'], /--id must be visible ASCII without dots/],
    ['an id with a line break', ['--secret', secret, '--id', 'msg_1\nx: y', '-'], /--id must be/],
    [
      'a timestamp with a fraction',
      ['--secret', secret, '--timestamp', '161426533.0', '-'],
      /--timestamp must be whole seconds/,
    ],
    ['a word for a timestamp', ['--secret', secret, '--timestamp', 'now', '-'], /--timestamp must be whole seconds/],
    ['a negative timestamp', ['--secret', secret, '--timestamp=-5', '-'], /--timestamp must be whole seconds/],
    ['a curl URL that is none', ['--secret', secret, '--curl', 'localhost', '-'], /--curl must be an http/],
    ['standard input for both body and secret', ['--secret-file', '-', '-'], /not both/],
  ]
  for (const [what, words, told] of mistakes) {
    test(`${what} is refused with 2, nothing on standard output, and no secret in the message`, async () => {
      const { code, stdout, stderr } = await posthorn(['sign', ...words], { input: body })
      assert.equal(code, 2)
      assert.equal(stdout, '')
      assert.match(stderr, told)
      assert.match(stderr, /See posthorn help sign/)
      assert.ok(!stderr.includes('bm90LXZhbGlkCg'))
    })
  }

  test('a body that is not text cannot go on a curl line, but in a file', async () => {
    const { code, stderr } = await posthorn(['sign', '--secret', secret, '--curl', 'http://localhost/', '-'], {
      input: Buffer.from('00ff10', 'hex'),
    })
    assert.equal(code, 2)
    assert.match(stderr, /put it in a file/)
  })
})
