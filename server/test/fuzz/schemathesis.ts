// `npm run fuzz:schemathesis`: somebody else's generator over the same document, where Python has it. What it finds that
// ours does not is worth a twist there. Exits 0 where it cannot be installed: it is a second opinion.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startGateway } from './gateway.ts'

// The checks that hold of a server that refuses what it does not know, and what its document says. Left out are those that
// ask for a state of their own, which a server with other clients cannot promise.
const checks =
  'not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,response_schema_conformance'

async function ended(program: string, args: readonly string[], shown: boolean): Promise<number | null> {
  const child = spawn(program, args, { cwd: folder, stdio: shown ? 'inherit' : 'ignore' })
  return once(child, 'exit').then(
    ([code]) => code,
    () => null,
  )
}

const folder = mkdtempSync(join(tmpdir(), 'posthorn-schemathesis-'))
process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
// The gateway ends with this process.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))
const bin = (name: string): string => join(folder, 'bin', name)
const installed =
  (await ended('python3', ['-m', 'venv', folder], false)) === 0 &&
  (await ended(bin('pip'), ['install', '--quiet', '--disable-pip-version-check', 'schemathesis'], true)) === 0
if (!installed) {
  console.log(
    'schemathesis is not here: it takes Python 3.10 with venv and pip, and a package index; nothing was checked',
  )
} else {
  const gateway = await startGateway(['schemathesis'])
  try {
    process.exitCode =
      (await ended(
        bin('schemathesis'),
        [
          ...['run', `${gateway.url}/openapi.json`, '--url', gateway.url],
          ...['-H', `Authorization: Bearer ${gateway.keys.get('schemathesis')}`],
          ...['--checks', checks, '--max-examples', '25', '--phases', 'examples,fuzzing,coverage', '--max-time', '240'],
          ...process.argv.slice(2),
        ],
        true,
      )) ?? 2
    const complaints = gateway.complaints()
    for (const line of complaints) console.log(`the gateway complained: ${line}`)
    if (gateway.ended() || complaints.length > 0) process.exitCode = 1
  } finally {
    await gateway.stop()
  }
}
