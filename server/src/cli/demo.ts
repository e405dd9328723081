import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadSettings } from '../config.ts'
import { start } from '../main.ts'
import { makeLog } from '../telemetry/log.ts'
import { realWorld } from '../world.ts'
import type { Command } from './command.ts'
import { realEvents } from './demo/bodies.ts'
import { startReceiver } from './demo/receiver.ts'
import { ProgressLine, percentile, table } from './demo/screen.ts'

const endpoints = [
  { name: 'steady', temper: { failing: 0, slow: 0, slowMs: 0 }, about: 'always answers' },
  { name: 'flaky', temper: { failing: 0.3, slow: 0, slowMs: 0 }, about: 'fails 3 in 10 with 503 and Retry-After' },
  { name: 'sluggish', temper: { failing: 0.05, slow: 0.25, slowMs: 400 }, about: '1 in 4 takes 0.4 s, 1 in 20 fails' },
] as const

// Retries within seconds, so that the demo ends while one watches; the real schedule takes three days.
const schedule = '500ms,1s,2s,3s,5s,8s,8s,8s,8s'
const publishersAtOnce = 8
const longestWaitMs = 120_000

interface Published {
  readonly id: string
  readonly body: string
  readonly tookMs: number
  readonly acceptedAt: number
}

export const demo: Command = {
  summary: 'publish real GitHub events to a receiver that fails and dawdles, and count',
  usage: `posthorn demo

Starts a gateway and a receiver on free ports, publishes some 300 real GitHub events to three endpoints (one steady, one
flaky, one sluggish), verifies every signature with the Standard Webhooks reference library, and ends with the log of
one message. Exits 1 if anything was lost, changed or wrongly signed. Keeps nothing.`,
  async run(_args, io) {
    const events = await realEvents()
    const folder = mkdtempSync(join(tmpdir(), 'posthorn-demo-'))
    const receiver = await startReceiver(realWorld.random)
    const settings = loadSettings({
      env: {},
      flags: {
        listen: '127.0.0.1:0',
        database: `sqlite:${join(folder, 'demo.db')}`,
        egressAllow: '127.0.0.0/8',
        retrySchedule: schedule,
        log: 'json,silent',
      },
    })
    const gateway = await start(settings, realWorld, makeLog({ format: 'json', level: 'silent' }))
    const call = caller(gateway.url, gateway.newKey ?? '')
    const line = new ProgressLine(io.stdout)
    try {
      await call('POST', '/api/v1/app', { name: 'A customer', uid: 'demo' })
      for (const { name, temper, about } of endpoints) {
        await call('POST', '/api/v1/app/demo/endpoint', {
          url: `${receiver.url}/${name}`,
          uid: name,
          description: about,
        })
        const { key } = (await call('GET', `/api/v1/app/demo/endpoint/${name}/secret`)) as { key: string }
        receiver.trust(name, key, temper)
      }
      io.stdout.write(`Gateway on ${gateway.url}, receiver on ${receiver.url}\n`)
      for (const { name, about } of endpoints) io.stdout.write(`  /${name.padEnd(9)} ${about}\n`)

      const published: Published[] = []
      const startedAt = Date.now()
      const wanted = events.length * endpoints.length
      const tell = (): string => {
        const { counts } = receiver
        const delivered = deliveredOf(receiver.sightings())
        return `accepted ${published.length}/${events.length}  delivered ${delivered}/${wanted}  failed and retried ${counts.failed}  slow ${counts.slow}  ${((Date.now() - startedAt) / 1000).toFixed(1)} s`
      }

      const queue = [...events]
      await Promise.all(
        Array.from({ length: publishersAtOnce }, async () => {
          for (let event = queue.shift(); event; event = queue.shift()) {
            // Spelled by hand, so that the payload on the wire is the very text we hold.
            const request = `{"eventType":${JSON.stringify(event.eventType)},"payload":${event.body}}`
            const before = performance.now()
            const { id } = (await call('POST', '/api/v1/app/demo/msg?with_content=false', request)) as { id: string }
            published.push({ id, body: event.body, tookMs: performance.now() - before, acceptedAt: Date.now() })
            line.show(tell())
          }
        }),
      )
      while (deliveredOf(receiver.sightings()) < wanted && Date.now() - startedAt < longestWaitMs) {
        line.show(tell())
        await new Promise((resolve) => setTimeout(resolve, 50))
      }
      line.end(tell())

      const result = judge(published, [...receiver.sightings()], receiver.counts.wronglySigned)
      io.stdout.write(`\n${summary(published, result)}\n\n${await attemptLog(call, result.mostTried)}\n`)
      const good = result.lost === 0 && result.changed === 0 && result.wronglySigned === 0
      io.stdout.write(
        good
          ? '\nNothing lost, nothing changed, every signature right.\n'
          : '\nSomething went wrong: see the numbers above.\n',
      )
      return good ? 0 : 1
    } finally {
      await gateway.stop()
      await receiver.close()
      rmSync(folder, { recursive: true, force: true })
    }
  },
}

type Call = (method: string, path: string, body?: unknown) => Promise<unknown>

function caller(url: string, key: string): Call {
  return async (method, path, body) => {
    const answer = await fetch(`${url}${path}`, {
      method,
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    })
    const text = await answer.text()
    if (!answer.ok) throw new Error(`${method} ${path} was answered ${answer.status}: ${text}`)
    return text === '' ? null : JSON.parse(text)
  }
}

type Sightings = Iterable<{
  readonly messageId: string
  readonly endpoint: string
  readonly accepted: number
  readonly requests: number
  readonly body: string
  readonly firstSeenAt: number
}>

const deliveredOf = (sightings: Sightings): number => {
  let delivered = 0
  for (const { accepted } of sightings) if (accepted > 0) delivered += 1
  return delivered
}

function judge(
  published: readonly Published[],
  sightings: readonly (Sightings extends Iterable<infer S> ? S : never)[],
  wronglySigned: number,
) {
  const byId = new Map(published.map((message) => [message.id, message]))
  const delivered = sightings.filter(({ accepted }) => accepted > 0)
  const mostTried = sightings.toSorted((a, b) => b.requests - a.requests)[0]?.messageId ?? ''
  return {
    deliveries: delivered.length,
    lost: published.length * endpoints.length - delivered.length,
    doubled: delivered.filter(({ accepted }) => accepted > 1).length,
    changed: sightings.filter(({ messageId, body }) => byId.get(messageId)?.body !== body).length,
    retried: sightings.reduce((sum, { requests }) => sum + requests - 1, 0),
    wronglySigned,
    latencies: sightings.flatMap(({ messageId, firstSeenAt }) => {
      const message = byId.get(messageId)
      return message ? [Math.max(0, firstSeenAt - message.acceptedAt)] : []
    }),
    mostTried,
  }
}

function summary(published: readonly Published[], result: ReturnType<typeof judge>): string {
  const took = published.map(({ tookMs }) => tookMs)
  return table(
    ['', 'count', 'note'],
    [
      [
        'accepted',
        published.length,
        `202 after p50 ${percentile(took, 0.5).toFixed(1)} ms, p99 ${percentile(took, 0.99).toFixed(1)} ms`,
      ],
      [
        'delivered',
        result.deliveries,
        `first try at the receiver p50 ${percentile(result.latencies, 0.5)} ms, p99 ${percentile(result.latencies, 0.99)} ms later`,
      ],
      ['retried', result.retried, 'requests beyond the first, because the receiver failed'],
      ['lost', result.lost, ''],
      ['changed', result.changed, 'bodies that were not byte for byte what was published'],
      ['doubled', result.doubled, 'sent again after a 2xx'],
      ['wrongly signed', result.wronglySigned, 'as judged by the npm package standardwebhooks'],
    ],
  )
}

async function attemptLog(call: Call, messageId: string): Promise<string> {
  const { data } = (await call('GET', `/api/v1/app/demo/attempt/msg/${messageId}?limit=50`)) as {
    data: readonly {
      url: string
      responseStatusCode: number
      responseDurationMs: number
      statusText: string
      timestamp: string
    }[]
  }
  const rows = data
    .toSorted((a, b) => a.timestamp.localeCompare(b.timestamp))
    .map((attempt) => [
      attempt.timestamp.slice(11, 23),
      new URL(attempt.url).pathname,
      attempt.statusText,
      attempt.responseStatusCode,
      `${attempt.responseDurationMs} ms`,
    ])
  return `The attempts of ${messageId}:\n${table(['at', 'endpoint', 'status', 'code', 'took'], rows)}`
}
