import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { startChild } from './child.ts'
import type { Target } from './gateway.ts'
import type { Load, LoadAsk } from './generator.ts'
import { bodyBytes, head, tail, untimedBody } from './message.ts'
import { makeFolder } from './workspace.ts'

const quote = (text: string): string =>
  `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'").replaceAll('\r\n', '\\r\\n')}'`

const headers = (target: Target) => ({
  'Content-Type': 'application/json',
  Authorization: `Bearer ${target.apiKey}`,
})

// One request made once and sent again and again: what costs the generator least.
const plainScript = (target: Target) => `
wrk.method = 'POST'
wrk.body = ${quote(untimedBody)}
${Object.entries(headers(target))
  .map(([name, value]) => `wrk.headers[${quote(name)}] = ${quote(value)}`)
  .join('\n')}
`

// Each request says when it was sent, and the id of each accepted message is written down. LuaJIT's ffi reaches the
// clock that Node's performance.timeOrigin comes from; os.time() knows seconds only.
const timedScript = (target: Target, ids: string) => {
  const { host, pathname } = new URL(target.url)
  const request = [
    `POST ${pathname} HTTP/1.1`,
    `Host: ${host}`,
    ...Object.entries(headers(target)).map(([name, value]) => `${name}: ${value}`),
    `Content-Length: ${bodyBytes}`,
    '',
    head,
  ].join('\r\n')
  return `
local ffi = require('ffi')
ffi.cdef('typedef struct { long seconds; long nanoseconds; } bench_time; int clock_gettime(int clock, bench_time *time);')
local time = ffi.new('bench_time')
local head = ${quote(request)}
local tail = ${quote(tail)}
local ids
function init() ids = io.open(${quote(ids)}, 'w') end
function request()
  ffi.C.clock_gettime(0, time)
  return head .. string.format('%d%06d', tonumber(time.seconds), math.floor(tonumber(time.nanoseconds) / 1000)) .. tail
end
function response(status, headers, body)
  if status == 202 then ids:write(body:match('"id":%s*"(msg_%w+)"') or 'unreadable', '\\n') else ids:write('not-202\\n') end
end
`
}

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

/** A closed loop of `connections`, on one thread. */
export async function runWrk(wrk: string, target: Target, ask: LoadAsk): Promise<Load> {
  const folder = makeFolder('wrk')
  const [script, summaryFile, idsFile] = ['bench.lua', 'summary.json', 'ids.txt'].map((name) =>
    join(folder.path, name),
  ) as [string, string, string]
  writeFileSync(script, (ask.timed ? timedScript(target, idsFile) : plainScript(target)) + doneScript(summaryFile))
  const args = ['-t', '1', '-c', ask.connections, '-d', `${ask.seconds}s`, '--timeout', '10s', '-s', script, target.url]
  await using child = await startChild({ name: 'wrk', command: wrk, args: args.map(String), folder: folder.path })
  const late = setTimeout(() => child.stop(), (ask.seconds + 30) * 1000)
  const code = await child.ended
  clearTimeout(late)
  if (code !== 0)
    throw new Error(`wrk ended with ${code}: ${readFileSync(join(folder.path, 'wrk.log'), 'utf8').slice(-1000)}`)
  const summary = JSON.parse(readFileSync(summaryFile, 'utf8')) as Summary
  const answers = ask.timed ? readFileSync(idsFile, 'utf8').split('\n').slice(0, -1) : null
  folder.remove()
  const ids = answers?.filter((line) => line.startsWith('msg_')) ?? null
  // With every answer looked at, anything but a readable 202 counts; without, what wrk itself calls an error.
  const odd = answers === null || ids === null ? summary.status : answers.length - ids.length
  return {
    accepted: summary.requests - odd,
    failed: odd + summary.connect + summary.read + summary.write + summary.timeout,
    seconds: summary.durationUs / 1e6,
    p50Ms: summary.p50Us / 1000,
    p99Ms: summary.p99Us / 1000,
    ids,
  }
}
