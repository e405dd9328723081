import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { startTestServer } from '../support/server.ts'

const hooks = fileURLToPath(new URL('../support/packaged-test.mjs', import.meta.url))
const packaged = fileURLToPath(new URL('src/KitchenSink.test.ts', import.meta.resolve('svix/package.json')))

/** What a process of its own, a test runner's child no more, prints and ends with. */
function run(env: Readonly<Record<string, string>>): Promise<{ readonly code: unknown; readonly text: string }> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      ['--import', hooks, '--test-reporter=tap', packaged],
      { env: { PATH: process.env.PATH, ...env }, timeout: 60_000 },
      (error, stdout, stderr) => resolve({ code: error === null ? 0 : error.code, text: stdout + stderr }),
    )
  })
}

test("the official client's own end-to-end test passes, whole and not skipped", async (t) => {
  const server = await startTestServer()
  t.after(() => server.stop())
  for (const round of ['at first', 'on what the first left behind']) {
    const { code, text } = await run({ SVIX_TOKEN: server.key, SVIX_SERVER_URL: server.url })
    assert.equal(code, 0, `${round}: ${text}`)
    assert.match(text, /^ +ok 1 - endpoint crud$/m, round)
    assert.match(text, /^ok 1 - e2e tests$/m, round)
    assert.match(text, /^# skipped 0$/m, round)
  }
})
