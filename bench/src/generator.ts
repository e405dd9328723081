import { Worker } from 'node:worker_threads'
import { Pool } from 'undici'
import type { Target } from './gateway.ts'
import { makeLatency, type Quantiles } from './latency.ts'
import { type MessageForm, noTimeUs, nowUs, usualForm } from './message.ts'
import { findTool } from './tool.ts'
import { publishByWrk } from './wrk-publish.ts'

export interface LoadAsk {
  readonly seconds: number
  readonly connections: number
  /** Whether payloads carry their sending time and the ids of accepted messages are kept. Costs the generator a little. */
  readonly timed: boolean
  /** Left out: a payload of 300 bytes. */
  readonly form?: MessageForm
}

/** What the generator saw of one run at full load. */
export interface Load {
  /** Answered 202; of requests to a source: as its provider wants it. */
  readonly accepted: number
  /** Answered otherwise, or not at all. What was under way when the time was over is neither. */
  readonly failed: number
  readonly seconds: number
  /** Request to its answer, in a closed loop: when the gateway stalls the generator stalls with it, which flatters. */
  readonly p50Ms: number
  readonly p99Ms: number
  /** Of accepted messages; null unless `timed`. */
  readonly ids: readonly string[] | null
}

/** What the generator saw of one run at a fixed rate. */
export interface Paced {
  readonly ids: readonly string[]
  readonly failed: number
  /** From the moment a message was to be sent, whether or not it could be, to its 202: a stall counts in full. */
  readonly publish: Quantiles
  /** How late the generator itself was; part of every latency here. */
  readonly late: Quantiles
}

const idIn = /"id":\s*"(msg_\w+)"/

const clientFor = (target: Target, connections: number) => {
  const { origin, pathname } = new URL(target.url)
  const pool = new Pool(origin, { connections, pipelining: 1, headersTimeout: 10_000, bodyTimeout: 10_000 })
  const headers = ['content-type', 'application/json', 'authorization', `Bearer ${target.apiKey}`]
  return {
    /** The id of the accepted message; null for anything else. */
    async publish(body: string): Promise<string | null> {
      try {
        const answer = await pool.request({ path: pathname, method: 'POST', headers, body })
        const text = await answer.body.text()
        return answer.statusCode === 202 ? (idIn.exec(text)?.[1] ?? null) : null
      } catch {
        return null
      }
    },
    close: () => pool.close(),
  }
}

/**
 * As many sends as `connections` callers get through, each waiting for its answer, in so many seconds, or `count` where it
 * is given and reached first. `send`: whether it was accepted.
 */
export async function closedLoop(
  { seconds, connections, count = Number.POSITIVE_INFINITY }: Omit<LoadAsk, 'timed'> & { readonly count?: number },
  send: (atUs: number) => Promise<boolean>,
): Promise<Omit<Load, 'ids'>> {
  const latency = makeLatency()
  let [accepted, failed, begun] = [0, 0, 0]
  const start = nowUs()
  const end = start + seconds * 1e6
  const loop = async () => {
    for (let at = nowUs(); at < end && begun < count; at = nowUs()) {
      begun += 1
      if (await send(at)) {
        accepted += 1
        latency.record(nowUs() - at)
      } else failed += 1
    }
  }
  await Promise.all(Array.from({ length: connections }, loop))
  const { p50Ms, p99Ms } = latency.quantiles()
  return { accepted, failed, seconds: (nowUs() - start) / 1e6, p50Ms, p99Ms }
}

async function publishByNode(target: Target, ask: LoadAsk & { readonly count?: number }): Promise<Load> {
  const client = clientFor(target, ask.connections)
  const ids: string[] = []
  const form = ask.form ?? usualForm
  const untimed = form.at(noTimeUs)
  const seen = await closedLoop(ask, async (at) => {
    const id = await client.publish(ask.timed ? form.at(at) : untimed)
    if (id !== null && ask.timed) ids.push(id)
    return id !== null
  })
  await client.close()
  return { ...seen, ids: ask.timed ? ids : null }
}

/** So many messages as fast as `connections` callers get through; wrk cannot count, so this is Node. Keeps ids. */
export async function fixedCount(target: Target, count: number, connections: number): Promise<Load> {
  // An hour: the count ends it.
  return await publishByNode(target, { seconds: 3600, connections, timed: true, count })
}

/** As many messages as `connections` callers get through, each waiting for its answer before the next. */
export async function fullLoad(wanted: 'wrk' | 'node', target: Target, ask: LoadAsk): Promise<Load> {
  const wrk = wanted === 'wrk' ? findTool('wrk') : null
  return wrk === null ? publishByNode(target, ask) : publishByWrk(wrk, target, ask)
}

/** A fixed number of messages per second, whatever the gateway does (an open loop). wrk has no rate, so this is Node. */
export async function fixedRate(target: Target, ratePerS: number, ask: Omit<LoadAsk, 'timed'>): Promise<Paced> {
  const { at } = ask.form ?? usualForm
  const client = clientFor(target, ask.connections)
  const publish = makeLatency()
  const late = makeLatency()
  const ids: string[] = []
  const running = new Set<Promise<void>>()
  let failed = 0
  let sent = 0
  const count = Math.max(1, Math.round(ratePerS * ask.seconds))
  const startUs = nowUs() + 100_000
  const send = async (intendedUs: number) => {
    late.record(nowUs() - intendedUs)
    const id = await client.publish(at(intendedUs))
    publish.record(nowUs() - intendedUs)
    if (id === null) failed += 1
    else ids.push(id)
  }
  const pacer = new Worker(new URL('./pacer.ts', import.meta.url), { workerData: { startUs, ratePerS, count } })
  await new Promise<void>((resolve, reject) => {
    pacer.on('error', reject)
    pacer.on('message', (due: number) => {
      for (; sent < due; sent += 1) {
        const one = send(startUs + (sent * 1e6) / ratePerS).finally(() => running.delete(one))
        running.add(one)
      }
      if (sent === count) resolve()
    })
  })
  await Promise.all(running)
  await pacer.terminate()
  await client.close()
  return { ids, failed, publish: publish.quantiles(), late: late.quantiles() }
}
