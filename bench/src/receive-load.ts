import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Pool } from 'undici'
import type { Door } from './gateway.ts'
import { closedLoop, type Load } from './generator.ts'
import { findTool } from './tool.ts'
import { makeFolder } from './workspace.ts'
import { loadOf, quote, runWrk } from './wrk.ts'

export interface ReceiveAsk {
  readonly seconds: number
  readonly connections: number
  /** How many wrk finds signed beforehand. A load that needs more fails: one sent again would be a duplicate. */
  readonly signed: number
}

/** What a source answered. */
export interface Answer {
  readonly status: number
  readonly contentType: string
  readonly body: string
}

const nowS = (): number => Math.floor(Date.now() / 1000)

/** Signs and sends. Resolves to the id of the request, and to the answers to it and to its repetitions, null for none. */
export function senderTo({ url, provider }: Door, connections: number) {
  const { origin, pathname: path } = new URL(url)
  const pool = new Pool(origin, { connections, pipelining: 1, headersTimeout: 10_000, bodyTimeout: 10_000 })
  const post = async (headers: readonly string[], body: string): Promise<Answer | null> => {
    try {
      const answer = await pool.request({ path, method: 'POST', headers: [...headers], body })
      const contentType = answer.headers['content-type']?.toString() ?? ''
      return { status: answer.statusCode, contentType, body: await answer.body.text() }
    } catch {
      return null
    }
  }
  return {
    /** `repeat`: the same once more, at the same moment or when the first is answered. */
    async send(repeat: 'no' | 'at-once' | 'after'): Promise<{ id: string; answers: readonly (Answer | null)[] }> {
      const at = nowS()
      const one = provider.sign(at)
      const { headers, body } = provider.request(one, at)
      const first = post(headers, body)
      if (repeat === 'after') await first
      return { id: one.id, answers: await Promise.all(repeat === 'no' ? [first] : [first, post(headers, body)]) }
    },
    close: () => pool.close(),
  }
}

async function byNode(door: Door, ask: ReceiveAsk): Promise<Load> {
  const sender = senderTo(door, ask.connections)
  const seen = await closedLoop(ask, async () => (await sender.send('no')).answers[0]?.status === 200)
  await sender.close()
  return { ...seen, ids: null }
}

/** Lua for a request as it stands on the wire, made of what all share and of an `id` and a `signature`. */
function requestInLua({ url, provider }: Door, at: number): string {
  const { host, pathname } = new URL(url)
  const one = provider.sign(at)
  const { headers, body } = provider.request(one, at)
  const lines = Array.from({ length: headers.length / 2 }, (_, index) =>
    headers.slice(2 * index, 2 * index + 2).join(': '),
  )
  const head = [`POST ${pathname} HTTP/1.1`, `Host: ${host}`, ...lines, `Content-Length: ${Buffer.byteLength(body)}`]
  return [...head, '', body]
    .join('\r\n')
    .split(one.id)
    .map((part) => part.split(one.signature).map(quote).join(' .. signature .. '))
    .join(' .. id .. ')
}

// wrk cannot sign: it reads what was signed, one line after the other, and ends with an error when there is no more.
async function byWrk(wrk: string, door: Door, ask: ReceiveAsk): Promise<Load> {
  const folder = makeFolder('wrk-receive')
  const file = join(folder.path, 'signed.txt')
  const at = nowS()
  const signed = Array.from({ length: ask.signed }, () => door.provider.sign(at))
  writeFileSync(file, signed.map(({ id, signature }) => `${id} ${signature}\n`).join(''))
  const script = `
local signed = io.lines(${quote(file)})
function request()
  local line = signed()
  if line == nil then error('all ${ask.signed} requests that were signed beforehand have been sent') end
  local id, signature = line:match('(%S+) (%S+)')
  return ${requestInLua(door, at)}
end
`
  const summary = await runWrk(wrk, door.url, script, ask)
  folder.remove()
  return loadOf(summary, summary.status, null)
}

/** As many requests of one provider as `connections` callers get through. */
export function receiveLoad(wanted: 'wrk' | 'node', door: Door, ask: ReceiveAsk): Promise<Load> {
  const wrk = wanted === 'wrk' ? findTool('wrk') : null
  return wrk === null ? byNode(door, ask) : byWrk(wrk, door, ask)
}
