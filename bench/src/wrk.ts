import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { startChild } from './child.ts'
import type { Load } from './generator.ts'
import { makeFolder } from './workspace.ts'

/** A text as Lua spells it. */
export const quote = (text: string): string =>
  `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'").replaceAll('\r', '\\r').replaceAll('\n', '\\n')}'`

const doneScript = (summary: string) => `
function done(summary, latency, requests)
  local out = io.open(${quote(summary)}, 'w')
  local e = summary.errors
  out:write(string.format('{"requests":%d,"durationUs":%d,"p50Us":%d,"p99Us":%d,"connect":%d,"read":%d,"write":%d,"status":%d,"timeout":%d}',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99), e.connect, e.read, e.write, e.status, e.timeout))
  out:close()
end
`

interface Summary {
  readonly requests: number
  readonly durationUs: number
  readonly p50Us: number
  readonly p99Us: number
  readonly connect: number
  readonly read: number
  readonly write: number
  /** Answers from 400 on; wrk does not look closer. */
  readonly status: number
  readonly timeout: number
}

/** `odd`: answers that were not as they should be, which wrk itself does not see. */
export const loadOf = (summary: Summary, odd: number, ids: Load['ids']): Load => ({
  accepted: summary.requests - odd,
  failed: odd + summary.connect + summary.read + summary.write + summary.timeout,
  seconds: summary.durationUs / 1e6,
  p50Ms: summary.p50Us / 1000,
  p99Ms: summary.p99Us / 1000,
  ids,
})

/**
 * A closed loop of `connections`, on one thread. `script`: what makes the requests, in Lua; an error in it ends the run.
 * Throws with wrk's own words when it fails.
 */
export async function runWrk(
  wrk: string,
  url: string,
  script: string,
  ask: { readonly seconds: number; readonly connections: number },
): Promise<Summary> {
  const folder = makeFolder('wrk')
  const [scriptFile, summaryFile] = [join(folder.path, 'bench.lua'), join(folder.path, 'summary.json')]
  writeFileSync(scriptFile, script + doneScript(summaryFile))
  const args = ['-t', '1', '-c', ask.connections, '-d', `${ask.seconds}s`, '--timeout', '10s', '-s', scriptFile, url]
  await using child = await startChild({ name: 'wrk', command: wrk, args: args.map(String), folder: folder.path })
  const late = setTimeout(() => child.stop(), (ask.seconds + 30) * 1000)
  const code = await child.ended
  clearTimeout(late)
  if (code !== 0)
    throw new Error(`wrk ended with ${code}: ${readFileSync(join(folder.path, 'wrk.log'), 'utf8').slice(-1000)}`)
  const summary = JSON.parse(readFileSync(summaryFile, 'utf8')) as Summary
  folder.remove()
  return summary
}
