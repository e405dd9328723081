import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import type { HeapProfiler, Profiler, Runtime } from 'node:inspector'
import { join, relative } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Databases } from './database.ts'
import { type Gateway, startGateway } from './gateway.ts'
import { fullLoad, type Load } from './generator.ts'
import { drained } from './ledger.ts'
import type { Options } from './options.ts'
import type { ThreadProfile } from './profiled.ts'
import { providers } from './provider.ts'
import { receiveLoad } from './receive-load.ts'
import { startReceiver } from './receiver.ts'
import type { Report } from './report.ts'
import { table, whole } from './table.ts'
import { makeFolder, root } from './workspace.ts'

// Where do a message's CPU time and its garbage come from?

const rowsShown = 25
// A thread that is sampled writes down what it saw as soon as it is not busy.
const settleMs = 2_000
// More than a gateway takes that is watched: so many are signed beforehand.
const mostPerS = 20_000
const wasted = new Set(['(idle)', '(root)'])

type Frame = Pick<Runtime.CallFrame, 'functionName' | 'url' | 'lineNumber'>

/** A sum for each name, the largest first. */
class Sums {
  readonly #sums = new Map<string, number>()
  total = 0

  add(name: string, value: number): void {
    this.#sums.set(name, (this.#sums.get(name) ?? 0) + value)
    this.total += value
  }

  largest(count: number): readonly (readonly [string, number])[] {
    return [...this.#sums].toSorted(([, a], [, b]) => b - a).slice(0, count)
  }
}

const isOurs = ({ url }: Frame): boolean => url.startsWith('file:') && !url.includes('/node_modules/')

/** `engine/deliver.ts send`, `pg`, `node:net`, `(garbage collector)`. */
function nameOf(frame: Frame): string {
  const called = frame.functionName || '(anonymous)'
  if (isOurs(frame)) {
    const path = relative(join(root, 'server/src'), fileURLToPath(frame.url))
    return `${path}:${frame.lineNumber + 1} ${called}`
  }
  return frame.url === '' ? called : `${ownerOf(frame)} ${called}`
}

function ownerOf(frame: Frame): string {
  const [, owner] = /\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(frame.url) ?? []
  if (owner !== undefined) return owner
  if (isOurs(frame)) return 'Posthorn'
  if (frame.url.startsWith('node:')) return 'Node'
  return frame.functionName.startsWith('(') ? frame.functionName : 'native code'
}

/** What is spent: by whose code it is, by function, and by the function of ours on whose behalf. */
interface Spent {
  readonly byOwner: Sums
  readonly byFunction: Sums
  readonly onBehalf: Sums
}

const nothing = (): Spent => ({ byOwner: new Sums(), byFunction: new Sums(), onBehalf: new Sums() })

function spend(spent: Spent, frame: Frame, behalf: Frame | null, value: number): void {
  if (value === 0 || wasted.has(frame.functionName)) return
  spent.byOwner.add(ownerOf(frame), value)
  spent.byFunction.add(nameOf(frame), value)
  spent.onBehalf.add(behalf === null ? `${ownerOf(frame)}, for nobody of ours` : nameOf(behalf), value)
}

/** Microseconds. */
function cpuOf({ nodes, samples = [], timeDeltas = [] }: Profiler.Profile, spent: Spent): void {
  const self = new Map<number, number>()
  for (const [at, id] of samples.entries()) self.set(id, (self.get(id) ?? 0) + (timeDeltas[at] ?? 0))
  const byId = new Map(nodes.map((node) => [node.id, node]))
  const visit = (node: Profiler.ProfileNode, above: Frame | null): void => {
    const behalf = isOurs(node.callFrame) ? node.callFrame : above
    spend(spent, node.callFrame, behalf, self.get(node.id) ?? 0)
    for (const id of node.children ?? []) {
      const child = byId.get(id)
      if (child !== undefined) visit(child, behalf)
    }
  }
  if (nodes[0] !== undefined) visit(nodes[0], null)
}

/** Bytes. */
function allocationsOf({ head }: HeapProfiler.SamplingHeapProfile, spent: Spent): void {
  const visit = (node: HeapProfiler.SamplingHeapProfileNode, above: Frame | null): void => {
    const behalf = isOurs(node.callFrame) ? node.callFrame : above
    spend(spent, node.callFrame, behalf, node.selfSize)
    for (const child of node.children) visit(child, behalf)
  }
  visit(head, null)
}

const threadsOf = (folder: string): ThreadProfile[] =>
  readdirSync(folder)
    .filter((file) => file.endsWith('.json'))
    .map((file) => JSON.parse(readFileSync(join(folder, file), 'utf8')) as ThreadProfile)

/** Messages that are published, or requests of one provider. */
async function loadOn(
  gateway: Gateway,
  receiverUrl: string,
  { of, generator, connections }: Options,
): Promise<(seconds: number) => Promise<Load>> {
  const provider = providers.find(({ type }) => type === of)
  if (provider === undefined) {
    const target = await gateway.addApplication('bench', receiverUrl)
    return (seconds) => fullLoad(generator, target, { seconds, connections, timed: false })
  }
  const door = await gateway.addSource(provider, receiverUrl)
  return (seconds) => receiveLoad(generator, door, { seconds, connections, signed: mostPerS * seconds })
}

/** Full load on a gateway; resolves to how many messages came while its threads were watched, and what was seen. */
async function watched(
  options: Options,
  databases: Databases,
): Promise<{ readonly messages: number; readonly threads: readonly ThreadProfile[] }> {
  const { warmupS, seconds } = options
  const folder = makeFolder('profiles')
  try {
    await using receiver = await startReceiver(options.receiver)
    await using database = await databases.fresh(options.database)
    await using gateway = await startGateway(database, {
      settings: {
        NODE_OPTIONS: `--import=${new URL('./profiled.ts', import.meta.url).href}`,
        BENCH_PROFILES: folder.path,
      },
    })
    const load = await loadOn(gateway, receiver.url, options)
    if (warmupS > 0) await load(warmupS)
    writeFileSync(join(folder.path, 'begin'), '')
    const { accepted } = await load(seconds)
    await drained(gateway)
    writeFileSync(join(folder.path, 'end'), '')
    for (let waitedMs = 0; threadsOf(folder.path).length === 0 || waitedMs < settleMs; waitedMs += 100) await wait(100)
    return { messages: accepted, threads: threadsOf(folder.path) }
  } finally {
    folder.remove()
  }
}

export async function profile(options: Options, databases: Databases): Promise<Report> {
  const { messages, threads } = await watched(options, databases)
  const [cpu, heap] = [nothing(), nothing()]
  const perThread: string[][] = []
  for (const thread of threads) {
    const own = nothing()
    cpuOf(thread.cpu, own)
    cpuOf(thread.cpu, cpu)
    allocationsOf(thread.heap, heap)
    perThread.push([thread.thread === 0 ? 'main' : `store ${thread.thread}`, (own.byOwner.total / messages).toFixed(1)])
  }
  const shown = (sums: Sums, count: number): string[][] =>
    sums
      .largest(count)
      .map(([name, value]) => [name, (value / messages).toFixed(1), `${((100 * value) / sums.total).toFixed(1)} %`])
  const cpuHead = (what: string) => [what, 'µs a message', 'share']
  const heapHead = (what: string) => [what, 'bytes a message', 'share']
  return {
    title: `Profile: where the CPU time and the garbage of a message come from (${options.of})`,
    parts: [
      `Full load for ${options.seconds} s after ${options.warmupS} s of warming up, ${whole(messages)} messages, all threads, sampled every \
0.5 ms and every 128 KiB allocated. A sample is a moment of the clock: waiting for the disk counts as native code. Sampling costs time itself: \
these are shares, not speeds. "On behalf of": the nearest function of ours up the stack, with all that Node, packages and native code do \
below it.`,
      table(['thread', 'µs of CPU a message'], perThread),
      table(cpuHead('CPU by owner'), shown(cpu.byOwner, rowsShown)),
      table(cpuHead('CPU on behalf of'), shown(cpu.onBehalf, rowsShown)),
      table(cpuHead('CPU by function'), shown(cpu.byFunction, rowsShown)),
      table(heapHead('allocated by owner'), shown(heap.byOwner, rowsShown)),
      table(heapHead('allocated on behalf of'), shown(heap.onBehalf, rowsShown)),
    ],
    goals: [],
    faults: messages > 0 ? [] : ['nothing was accepted'],
  }
}
