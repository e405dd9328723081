import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { posthorn } from '../../test/support/posthorn-command.ts'
import { settingVariables } from '../config.ts'

describe('posthorn config', { concurrency: true }, () => {
  test('shows every setting with its value, default, source and flag', async () => {
    const env = { POSTHORN_MAX_BODY: '2MiB' }
    const { code, stdout, stderr } = await posthorn(['config', '--listen', '0.0.0.0:80'], { env })
    assert.equal(code, 0)
    assert.equal(stderr, '')
    for (const name of settingVariables)
      assert.match(stdout, new RegExp(`^${name} = .+ \\(.+\\)\\n  .+\\n  Flag: --`, 'm'))
    assert.match(stdout, /^POSTHORN_LISTEN = 0\.0\.0\.0:80 {2}\(flag; default: 127\.0\.0\.1:8071\)$/m)
    assert.match(stdout, /^POSTHORN_MAX_BODY = 2MiB {2}\(environment; default: 1MiB\)$/m)
    assert.match(stdout, /^POSTHORN_ATTEMPT_TIMEOUT = 15s {2}\(default\)$/m)
  })

  test('shows secrets as set or not set', async () => {
    const env = { POSTHORN_API_KEY: 'a-key-that-must-not-be-told' }
    const [plain, json] = await Promise.all([posthorn(['config'], { env }), posthorn(['config', '--json'], { env })])
    assert.match(plain.stdout, /^POSTHORN_API_KEY = set /m)
    assert.match(plain.stdout, /^POSTHORN_MASTER_KEY = not set /m)
    for (const { stdout } of [plain, json]) assert.ok(!stdout.includes(env.POSTHORN_API_KEY))
  })

  test('as JSON it is a list that scripts can read', async () => {
    const { code, stdout } = await posthorn(['config', '--json'])
    assert.equal(code, 0)
    const lines: readonly Readonly<Record<string, unknown>>[] = JSON.parse(stdout)
    assert.deepEqual(
      lines.map((line) => line.env),
      settingVariables,
    )
    assert.equal(lines[0]?.value, '127.0.0.1:8071')
  })

  test('a setting that cannot be used is marked among the others and ends in 2', async () => {
    const { code, stdout, stderr } = await posthorn(['config'], { env: { POSTHORN_LOG: 'xml' } })
    assert.equal(code, 2)
    assert.match(stdout, /^POSTHORN_LOG = xml .*\n {2}CANNOT BE USED: must be a format/m)
    assert.match(stdout, /^POSTHORN_LISTEN = /m)
    assert.match(stderr, /cannot be used: POSTHORN_LOG/)
  })

  test('a misspelt variable is pointed out with the one that was meant', async () => {
    const { code, stderr } = await posthorn(['config'], { env: { POSTHORN_MAXBODY: '2MiB' } })
    assert.equal(code, 0)
    assert.match(stderr, /POSTHORN_MAXBODY is not a setting and does nothing. Did you mean POSTHORN_MAX_BODY\?/)
  })
})
