import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Target } from './gateway.ts'
import type { Load, LoadAsk } from './generator.ts'
import { type MessageForm, noTimeUs, usualForm } from './message.ts'
import { makeFolder } from './workspace.ts'
import { loadOf, quote, runWrk } from './wrk.ts'

const headers = (target: Target) => ({
  'Content-Type': 'application/json',
  Authorization: `Bearer ${target.apiKey}`,
})

// One request made once and sent again and again: what costs the generator least.
const plainScript = (target: Target, form: MessageForm) => `
wrk.method = 'POST'
wrk.body = ${quote(form.at(noTimeUs))}
${Object.entries(headers(target))
  .map(([name, value]) => `wrk.headers[${quote(name)}] = ${quote(value)}`)
  .join('\n')}
`

// Each request says when it was sent, and the id of each accepted message is written down. LuaJIT's ffi reaches the
// clock that Node's performance.timeOrigin comes from; os.time() knows seconds only.
const timedScript = (target: Target, { head, tail, bodyBytes }: MessageForm, ids: string) => {
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

/** Messages published by wrk. */
export async function publishByWrk(wrk: string, target: Target, ask: LoadAsk): Promise<Load> {
  const folder = makeFolder('wrk-publish')
  const idsFile = join(folder.path, 'ids.txt')
  const form = ask.form ?? usualForm
  const script = ask.timed ? timedScript(target, form, idsFile) : plainScript(target, form)
  const summary = await runWrk(wrk, target.url, script, ask)
  const answers = ask.timed ? readFileSync(idsFile, 'utf8').split('\n').slice(0, -1) : null
  folder.remove()
  const ids = answers?.filter((line) => line.startsWith('msg_')) ?? null
  // With every answer looked at, anything but a readable 202 counts; without, what wrk itself calls an error.
  const odd = answers === null || ids === null ? summary.status : answers.length - ids.length
  return loadOf(summary, odd, ids)
}
