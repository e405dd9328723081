import { randomBytes } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { installAudit, readAudit, Sessions } from './audit.ts'
import { chanceOf } from './chance.ts'
import { type Cluster, freePorts } from './cluster.ts'
import type { Evidence, StoredAttempt } from './evidence.ts'
import { Ledger } from './ledger.ts'
import { Load } from './load.ts'
import { Mischief } from './mischief.ts'
import { FleetNode } from './node.ts'
import { MoodyReceiver } from './receiver.ts'
import { scriptOf } from './script.ts'
import { OwnPauses } from './slowness.ts'
import { Timeline } from './timeline.ts'
import { rules } from './verdict.ts'
import { Wire } from './wire.ts'

const nodeCount = 3
const leaseMs = 3_000
const drainPatienceMs = 30_000
const key = 'key-of-the-fault-run'

const settings: Readonly<Record<string, string>> = {
  POSTHORN_API_KEY: key,
  POSTHORN_EGRESS_ALLOW: '127.0.0.0/8',
  POSTHORN_ATTEMPT_TIMEOUT: '1s',
  POSTHORN_LEASE_DURATION: `${leaseMs}ms`,
  POSTHORN_SHUTDOWN_GRACE: '3s',
  // Long enough that nothing is given up, short enough that it is through soon after the receiver is well.
  POSTHORN_RETRY_SCHEDULE: ['100ms', '200ms', '400ms', ...Array.from({ length: 40 }, () => '800ms')].join(','),
}

export interface RoundOptions {
  readonly seed: number
  /** For how long there is load, and things go wrong. */
  readonly seconds: number
  readonly cluster: Cluster
  /** Gets each line of the timeline as it is noted. */
  readonly tell?: (line: string) => void
}

export interface RoundResult {
  readonly offences: readonly { readonly rule: string; readonly breaches: readonly string[] }[]
  readonly timeline: readonly string[]
  /** What nodes logged of trouble, expected or not. */
  readonly complaints: readonly string[]
  /** What was done, in numbers. */
  readonly summary: string
}

/** One seed: a fresh database, three nodes, load, faults, and what came of it. The cluster is whole again afterwards. */
export async function round({ seed, seconds, cluster, tell }: RoundOptions): Promise<RoundResult> {
  const timeline = new Timeline(tell)
  const database = `faults_${seed}`
  // Whoever finds the primary himself has a wire to each server; who does not, has one that is led to the primary.
  const findsPrimary = seed % 2 === 0
  await cluster.ask('postgres', `drop database if exists ${database} with (force)`)
  await cluster.ask('postgres', `create database ${database} template template0 ${unlikeOurs}`)
  const receiver = await MoodyReceiver.listen(seed)
  const sessions = new Sessions()
  const masterKey = randomBytes(32).toString('hex')
  const nodes: FleetNode[] = []
  for (const [place, port] of (await freePorts(nodeCount)).entries()) {
    const targets = findsPrimary ? cluster.ports : [cluster.primaryPort]
    const wires = await Promise.all(
      targets.map((target) => Wire.listen(target, (ports) => sessions.opened(node, ports))),
    )
    const hosts = wires.map((wire) => `127.0.0.1:${wire.port}`).join(',')
    const own = { POSTHORN_DATABASE: `postgres://postgres@${hosts}/${database}`, POSTHORN_MASTER_KEY: masterKey }
    const node: FleetNode = new FleetNode({
      ...{ name: `node-${place + 1}`, port, wires, timeline },
      settings: { ...settings, ...own },
    })
    nodes.push(node)
  }
  const pauses = new OwnPauses()
  const scales = setInterval(() => {
    for (const node of nodes) node.weigh()
  }, 500)
  try {
    timeline.note(`three nodes start on an empty database${findsPrimary ? ', with a list of both servers' : ''}`)
    await Promise.all(nodes.map((node) => node.start()))
    await installAudit(cluster, database)
    const ledger = new Ledger()
    const load = new Load({ seed, nodes: atLeastOne(nodes), ledger, key, receiverUrl: receiver.url })
    await load.prepare()
    timeline.note('load begins')
    load.start()
    const mischief = new Mischief({
      cluster,
      nodes,
      timeline,
      findsPrimary,
      sessionsOf: (node) => sessions.of(node, cluster.primaryPort),
    })
    const script = scriptOf(chanceOf(seed, 'script'), nodeCount, seconds * 1_000, leaseMs)
    await Promise.all([mischief.run(script), pause(seconds * 1_000)])
    receiver.calm()
    timeline.note('no more faults, and the receiver takes everything')
    await load.stop(drainPatienceMs)
    const refusedAtTheEnd = await load.askEach()
    const calmAt = Date.now()
    const left = await drained(cluster, database)
    const drainMs = Date.now() - calmAt
    timeline.note(`the queue is empty after ${drainMs} ms`)
    await Promise.all(nodes.map((node) => node.stop()))
    const evidence: Evidence = {
      ...{ ledger, nodes, left, refusedAtTheEnd, pauses: pauses.stop() },
      requests: receiver.requests,
      disturbances: mischief.disturbances,
      touches: await readAudit(cluster, database, sessions),
      ...(await stored(cluster, database)),
    }
    return {
      offences: rules
        .map(({ name, broken }) => ({ rule: name, breaches: broken(evidence) }))
        .filter(({ breaches }) => breaches.length > 0),
      timeline: timeline.lines,
      complaints: nodes.flatMap(({ lives }) =>
        lives.flatMap(({ name, complaints }) => complaints.map((line) => `${name}: ${line}`)),
      ),
      summary: summaryOf(evidence, mischief, drainMs),
    }
  } finally {
    clearInterval(scales)
    pauses.stop()
    await Promise.all(nodes.map((node) => node.kill()))
    for (const { wires } of nodes) await Promise.all(wires.map((wire) => wire.close()))
    await receiver.close()
    await cluster.repair()
    await cluster.ask('postgres', `drop database ${database} with (force)`)
  }
}

// Not the order of bytes, in which ids are made: what relies on the database's own order shows.
const unlikeOurs = "encoding 'UTF8' locale_provider icu icu_locale 'en-US'"

function atLeastOne(nodes: readonly FleetNode[]): readonly [FleetNode, ...FleetNode[]] {
  const [first, ...rest] = nodes
  if (first === undefined) throw new RangeError('there are no nodes')
  return [first, ...rest]
}

/** Waits until nothing waits to be delivered; resolves to what still does when the patience is over. */
async function drained(cluster: Cluster, database: string): Promise<readonly string[]> {
  const text = `
    select message_id, endpoint.uid, attempts, lease, due_at, held, order_key
    from delivery left join endpoint on endpoint.id = endpoint_id limit 20`
  for (const givenUp = Date.now() + drainPatienceMs; ; ) {
    const rows = await cluster.ask<Record<string, unknown>>(database, text)
    if (rows.length === 0 || Date.now() > givenUp) return rows.map((row) => JSON.stringify(row))
    await pause(100)
  }
}

async function stored(
  cluster: Cluster,
  database: string,
): Promise<Pick<Evidence, 'attempts' | 'messages' | 'endpointIds'>> {
  const attempts = await cluster.ask<Record<keyof StoredAttempt, string | number>>(
    database,
    `select id, message_id as "messageId", endpoint_id as "endpointId", status_code as "statusCode", response,
       started_at as "startedAt" from attempt where ended is null`,
  )
  const endpoints = await cluster.ask<{ id: string; uid: string }>(database, 'select id, uid from endpoint')
  return {
    attempts: attempts.map(({ id, messageId, endpointId, statusCode, response, startedAt }) => ({
      ...{ id: String(id), messageId: String(messageId), endpointId: String(endpointId), response: String(response) },
      ...{ statusCode: Number(statusCode), startedAt: Number(startedAt) },
    })),
    messages: await cluster.ask<{ id: string; payload: string | null }>(database, 'select id, payload from message'),
    endpointIds: new Map(endpoints.map(({ uid, id }) => [uid, id])),
  }
}

function summaryOf({ ledger, requests, nodes }: Evidence, { disturbances }: Mischief, drainMs: number): string {
  const accepted = ledger.facts.filter(({ accepted }) => accepted !== null).length
  const again = requests.length - new Set(requests.map(({ messageId, endpoint }) => `${messageId} ${endpoint}`)).size
  const unavailable = ledger.tries.filter(({ became }) => became === 503).length
  const kinds = Map.groupBy(disturbances, ({ what }) => what.split(' ', 1)[0])
  const told = [...kinds].map(([kind, all]) => (all.length > 1 ? `${kind} ×${all.length}` : kind)).join(', ')
  const rss = Math.max(...nodes.flatMap(({ lives }) => lives.map(({ mostRssBytes }) => mostRssBytes)))
  return `${accepted} of ${ledger.facts.length} accepted, ${requests.length} requests (${again} again), ${unavailable} × 503, drained in ${(drainMs / 1_000).toFixed(1)} s, ${Math.round(rss / 1024 / 1024)} MiB; ${told}`
}
