import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import manifest from '../../package.json' with { type: 'json' }
import { posthorn } from '../../test/support/posthorn-command.ts'
import { nearest } from '../domain/nearest.ts'
import { commands } from './commands.ts'

const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'

describe('posthorn', { concurrency: true }, () => {
  test('--help names every command, examples and exit codes, and succeeds', async () => {
    const { code, stdout, stderr } = await posthorn(['--help'])
    assert.equal(code, 0)
    assert.equal(stderr, '')
    for (const name of Object.keys(commands)) assert.match(stdout, new RegExp(`^  ${name} +\\S`, 'm'))
    assert.match(stdout, /Examples:\n {2}posthorn/)
    assert.match(stdout, /Exit codes: 0 done; 1 a check failed/)
    for (const line of stdout.split('\n')) assert.ok(line.length <= 120, line)
    assert.equal((await posthorn(['help'])).stdout, stdout)
  })

  test('without a command it says how it is used, as a mistake', async () => {
    const { code, stdout, stderr } = await posthorn([])
    assert.equal(code, 2)
    assert.equal(stdout, '')
    assert.match(stderr, /Usage: posthorn <command>/)
  })

  test('--version prints the version and nothing else', async () => {
    assert.deepEqual(await posthorn(['--version']), { code: 0, stdout: `${manifest.version}\n`, stderr: '' })
  })

  test('an unknown command suggests the one that was meant', async () => {
    const { code, stderr } = await posthorn(['vreify'])
    assert.equal(code, 2)
    assert.match(stderr, /no command "vreify". Did you mean posthorn verify\?/)
    assert.match((await posthorn(['help', 'singn'])).stderr, /did you mean sign\?/)
  })

  test('a command nobody could have meant gets the overview pointed out, also one that every object knows', async () => {
    for (const name of ['frobnicate', 'constructor', '__proto__']) {
      const { code, stderr } = await posthorn([name])
      assert.equal(code, 2, name)
      assert.match(stderr, /See posthorn help/)
    }
  })

  test('a command explains itself after --help as posthorn help does', async () => {
    const [direct, asked] = await Promise.all([posthorn(['sign', '--help']), posthorn(['help', 'sign'])])
    assert.equal(direct.code, 0)
    assert.match(direct.stdout, /Usage: posthorn sign/)
    assert.equal(direct.stdout, asked.stdout)
  })

  test('an option nobody knows is a mistake of typing, told without a stack', async () => {
    const { code, stderr } = await posthorn(['sign', '--bogus'])
    assert.equal(code, 2)
    assert.match(stderr, /^posthorn sign: Unknown option '--bogus'/)
    assert.doesNotMatch(stderr, /^ {4}at /m)
  })

  test('a defect ends in 70, with its stack', async () => {
    const preload = 'data:text/javascript,Date.now = () => { throw new TypeError("the clock is broken") }'
    const { code, stderr } = await posthorn(['sign', '--secret', secret, '-'], { preload })
    assert.equal(code, 70)
    assert.match(stderr, /the clock is broken/)
    assert.match(stderr, /^ {4}at /m)
  })

  test('a failed check stays failed when nobody reads what it says', async () => {
    const bin = fileURLToPath(new URL('../../bin/posthorn.mjs', import.meta.url))
    // `true` has closed the pipe long before the command has anything to say.
    const script = '{ "$0" "$1" verify --secret "$2" --id x -; echo "code $?" >&2; } </dev/null | true'
    const stderr = await new Promise<string>((resolve) => {
      execFile('sh', ['-c', script, process.execPath, bin, secret], (_error, _stdout, told) => resolve(told))
    })
    assert.equal(stderr, 'code 1\n')
  })
})

test('the nearest word is one of few changes; a neighbour swap is one change, and what is far away is not suggested', () => {
  const words = ['serve', 'dev', 'demo', 'keys', 'config', 'sign', 'verify', 'help']
  const meant: Readonly<Record<string, string | null>> = {
    srve: 'serve',
    vreify: 'verify',
    verfiy: 'verify',
    key: 'keys',
    configure: 'config',
    hlep: 'help',
    dve: 'dev',
    x: null,
    publish: null,
    '': null,
  }
  for (const [typed, word] of Object.entries(meant)) assert.equal(nearest(typed, words), word, typed)
})
