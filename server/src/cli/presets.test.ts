import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { posthorn } from '../../test/support/posthorn-command.ts'
import { presetBook } from '../inbound/presets.ts'
import { rehearsal } from './presets/rehearsal.ts'
import { providerFiles } from './presets.ts'

describe('posthorn presets', { concurrency: true }, () => {
  test('list names every preset with how it proves itself', async () => {
    const { code, stdout } = await posthorn(['presets', 'list'])
    assert.equal(code, 0)
    assert.match(stdout, /^stripe +Stripe \(HMAC-SHA256\)$/m)
    assert.match(stdout, /^gitlab +GitLab \(HMAC-SHA256, shared secret\)$/m)
  })

  test('show says where the secret is, what is signed, and what is answered', async () => {
    const { stdout } = await posthorn(['presets', 'show', 'slack'])
    assert.match(stdout, /^1\. The secret is the \*\*Signing secret\*\*: api\.slack\.com/m)
    assert.match(stdout, /Over: `"v0:"` \+ header `X-Slack-Request-Timestamp` \+ `":"` \+ the body, byte for byte\./)
    assert.match(stdout, /\*\*url-verification\*\*: where .*: 200, `\/challenge` of the body .*right signature/)
  })

  test('show --json prints the descriptor, for a custom source to begin with', async () => {
    const { stdout } = await posthorn(['presets', 'show', 'github', '--json'])
    assert.equal(JSON.parse(stdout).schemes[0].signature[0].header, 'X-Hub-Signature-256')
  })

  test('test runs every recorded request of what is named, and counts them', async () => {
    const { code, stdout } = await posthorn(['presets', 'test', 'stripe', 'slack'])
    assert.equal(code, 0)
    assert.match(stdout, /^stripe {2}ok {2}\d+ verified, \d+ refused$/m)
    assert.match(stdout, /^\d+ recorded requests of 2 presets$/m)
  })

  test('a preset without a recorded request fails the test', () => {
    const written: string[] = []
    const stream = { write: (text: string) => written.push(text) > 0 }
    const preset = { ...(presetBook.get('stripe') ?? assert.fail()), name: 'no-such-provider' }
    assert.equal(rehearsal([preset], { stdout: stream, stderr: stream }), 1)
    assert.match(written.join(''), /no-such-provider {2}NOTHING RECORDED/)
  })

  test('the pages of docs/providers are those of the presets: npm run docs:providers prints them anew', () => {
    const folder = fileURLToPath(new URL('../../../docs/providers/', import.meta.url))
    const printed = providerFiles(presetBook.all())
    assert.deepEqual(readdirSync(folder).toSorted(), [...printed.keys()].toSorted())
    const old = [...printed].filter(([file, text]) => readFileSync(join(folder, file), 'utf8') !== text)
    assert.deepEqual(
      old.map(([file]) => file),
      [],
    )
  })

  test('a mistyped name is refused with the one that was meant', async () => {
    const { code, stderr } = await posthorn(['presets', 'show', 'strpe'])
    assert.equal(code, 2)
    assert.match(stderr, /no preset "strpe"; did you mean stripe\?/)
  })
})
