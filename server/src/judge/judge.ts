// JUDGE: what tenants wrote — CEL filters, JSON Schemas — is worked out in a thread of its own, which is ended when one
// text takes too much time or memory. It knows ports and domain, and nothing of the road or of HTTP.

import { Worker } from 'node:worker_threads'
import { type FilterFault, filterTextFault } from '../domain/filter.ts'
import type { Millis } from '../domain/ids.ts'
import { type Fault, Problem } from '../domain/problem.ts'
import { largestSchema } from '../domain/schema.ts'
import type { Facts, FilterVerdict, Judge, SchemaVerdict, Undecided } from '../ports/judge.ts'
import type { World } from '../ports/world.ts'
import { Costly } from './costly.ts'
import { type Answer, type Ask, type Job, partsOf, type Reply } from './protocol.ts'

/** Processor time one filter or schema is given for one message: some thousand times what an ordinary one takes. */
const patienceMs: Millis = 100
/** And more where there is more to read and to walk through: twenty times what parsing small objects takes (2026-11). */
const moreMsPerMillion: Millis = 200

const mostWaiting = 10_000
const mostWaitingCharacters = 64 << 20
/** Of all that may wait, for one asker: nobody keeps the others out. */
const mostOfOne = 1 / 2
/** Longer payloads are not judged: what they become in memory must fit into the thread beside everything else. */
export const longestJudged = 4 << 20

const resourceLimits = { maxOldGenerationSizeMb: 256, maxYoungGenerationSizeMb: 16 }

interface Waiting {
  readonly ask: Ask
  readonly answers: Answer[]
  readonly parts: number
  readonly characters: number
  /** Of its asker. */
  readonly share: Share
  readonly resolve: (answers: readonly Answer[]) => void
  readonly reject: (error: Error) => void
}

/** How much waits. */
interface Share {
  asks: number
  characters: number
}

const hasRoom = ({ asks, characters }: Share, more: number, part: number): boolean =>
  asks < mostWaiting * part && characters + more <= mostWaitingCharacters * part

/** Starts its thread when it is first asked. */
export function makeJudge(world: World): Judge {
  const costly = new Costly(world)
  const bench = new Bench(world, costly)
  return {
    async filter(asker, filters, facts) {
      if (facts.payload.length > longestJudged) return filters.map(() => tooLong)
      const known = filters.map((filter) => costly.verdict(filter))
      const asked = filters.filter((_, index) => known[index] === null)
      const job: Job = { kind: 'filters', filters: asked, facts: factsOf(facts) }
      const verdicts = asked.length === 0 ? [] : ((await bench.ask(asker, job)) as readonly FilterVerdict[])
      let next = 0
      return known.map((verdict) => verdict ?? verdicts[next++] ?? unasked)
    },
    async schema(asker, schema, { payload, encoding = null }) {
      const known = payload.length > longestJudged ? tooLong : costly.verdict(schema)
      if (known) return known
      const [verdict = unasked] = await bench.ask(asker, { kind: 'schema', schema, facts: { payload, encoding } })
      return verdict as SchemaVerdict
    },
    async filterFault(asker, filter) {
      const ofText = filterTextFault(filter)
      if (ofText) return ofText
      const [fault = null] = await bench.ask(asker, { kind: 'filter-fault', filter })
      return isUndecided(fault) ? { message: fault.reason, at: null } : (fault as FilterFault | null)
    },
    async schemaFaults(asker, schema) {
      if (schema.length > largestSchema) return [{ pointer: '', message: `is larger than ${largestSchema} characters` }]
      const [faults = []] = await bench.ask(asker, { kind: 'schema-faults', schema })
      return isUndecided(faults) ? [{ pointer: '', message: faults.reason }] : (faults as readonly Fault[])
    },
    close: () => bench.close(),
  }
}

// No more than is needed is copied to the thread.
const factsOf = ({ eventType, channels, tags, contentType, payload, encoding = null }: Facts): Facts => ({
  ...{ eventType, channels, tags, contentType, payload, encoding },
})

const tooLong: Undecided = { kind: 'failed', reason: `the payload is longer than ${longestJudged} characters` }

const unasked: Undecided = { kind: 'failed', reason: 'was not asked' }

const isUndecided = (answer: Answer): answer is Undecided => answer !== null && 'reason' in answer

/** The text that a part of a job is about. */
function textOf(job: Job, part: number): string {
  switch (job.kind) {
    case 'filters':
      return job.filters[part] ?? ''
    case 'filter-fault':
      return job.filter
    default:
      return job.schema
  }
}

/** Everything that waits for the thread, which says which one it is at. */
class Bench {
  readonly #world: World
  readonly #waiting = new Map<number, Waiting>()
  readonly #costly: Costly
  readonly #all: Share = { asks: 0, characters: 0 }
  /** Nobody of whom nothing waits. */
  readonly #shares = new Map<string, Share>()
  #atId = 0
  #lastId = 0
  #thread: Worker | null = null
  #ready = false
  #closed = false
  // Counts everything the thread says, so that its silence can be noticed.
  #said = 0
  #cpuUsSaid = 0
  #watching = false

  constructor(world: World, costly: Costly) {
    this.#world = world
    this.#costly = costly
  }

  ask(asker: string, job: Job): Promise<readonly Answer[]> {
    const characters = 'facts' in job ? job.facts.payload.length : 0
    const share = this.#shares.get(asker) ?? { asks: 0, characters: 0 }
    if (this.#closed || !hasRoom(this.#all, characters, 1) || !hasRoom(share, characters, mostOfOne)) {
      throw new Problem('unavailable', 'More filters and schemas are waiting to be worked out than fit.', [], 1)
    }
    this.#lastId += 1
    const id = this.#lastId
    return new Promise((resolve, reject) => {
      const ask = { id, asker, from: 0, job }
      const waiting: Waiting = { ask, answers: [], parts: partsOf(job), characters, share, resolve, reject }
      this.#waiting.set(id, waiting)
      this.#shares.set(asker, share)
      for (const one of [share, this.#all]) {
        one.asks += 1
        one.characters += characters
      }
      this.#start()
      if (this.#ready) this.#send(waiting)
    })
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#rejectAll(new Problem('unavailable', 'The server is stopping.', [], 1))
    const thread = this.#thread
    this.#thread = null
    await thread?.terminate()
  }

  #start(): void {
    if (this.#thread || this.#closed) return
    const thread = new Worker(new URL(import.meta.url.replace(/judge(\.\w+)$/, 'thread$1')), {
      resourceLimits,
      env: {},
    })
    this.#thread = thread
    this.#ready = false
    thread.on('message', (said: Reply) => thread === this.#thread && this.#hear(said))
    thread.on('error', (error: unknown) => thread === this.#thread && this.#died(error))
    thread.on('exit', () => thread === this.#thread && this.#died(new Error('the thread of the judge ended')))
  }

  #send({ ask, answers }: Waiting): void {
    this.#thread?.postMessage({ ...ask, from: answers.length })
    this.#watch()
  }

  #hear(said: Reply): void {
    this.#said += 1
    this.#cpuUsSaid = said.cpuUs
    if (said.kind === 'ready') {
      this.#ready = true
      for (const waiting of this.#waiting.values()) this.#send(waiting)
    } else if (said.kind === 'working') {
      this.#atId = said.id
    } else {
      const waiting = this.#waiting.get(said.id)
      if (!waiting) return
      this.#costly.forgive(textOf(waiting.ask.job, waiting.answers.length))
      this.#answer(waiting, said.answer)
    }
  }

  #answer(waiting: Waiting, answer: Answer): void {
    waiting.answers.push(answer)
    if (waiting.answers.length < waiting.parts) return
    this.#waiting.delete(waiting.ask.id)
    for (const one of [waiting.share, this.#all]) {
      one.asks -= 1
      one.characters -= waiting.characters
    }
    if (waiting.share.asks === 0) this.#shares.delete(waiting.ask.asker)
    waiting.resolve(waiting.answers)
  }

  /** What the thread is at; before it has said so, what came first. */
  get #underWay(): Waiting | undefined {
    return this.#waiting.get(this.#atId) ?? this.#waiting.values().next().value
  }

  /** Looks after the thread as long as anything is waited for: it must say something before its patience is over. */
  #watch(): void {
    if (this.#watching) return
    this.#watching = true
    this.#look(this.#said, this.#patience())
  }

  #look(said: number, afterMs: Millis): void {
    this.#world.after(afterMs, async () => {
      // Time on the clock may be time the machine gave to others; only what the thread itself used up counts.
      const leftMs = this.#patience() - (said === this.#said ? await this.#usedMs() : 0)
      const silent = said === this.#said
      if (this.#waiting.size === 0 || !this.#ready) this.#watching = false
      else if (!silent) this.#look(this.#said, this.#patience())
      else if (leftMs > 0) this.#look(said, Math.max(1, leftMs))
      else {
        this.#watching = false
        this.#replace('takes more time than a filter or schema is given')
      }
    })
  }

  #patience(): Millis {
    return patienceMs + ((this.#underWay?.characters ?? 0) / 1e6) * moreMsPerMillion
  }

  /** Processor time since the thread last said something. */
  async #usedMs(): Promise<Millis> {
    try {
      const { user, system } = (await this.#thread?.cpuUsage()) ?? { user: 0, system: 0 }
      return (user + system - this.#cpuUsSaid) / 1000
    } catch {
      return 0 // It ended meanwhile, which is heard of otherwise.
    }
  }

  /** Ends the thread with what it is at; the others that wait are asked again of a new one. */
  #replace(reason: string): void {
    const thread = this.#thread
    this.#thread = null
    this.#ready = false
    void thread?.terminate()
    const costly = this.#underWay
    // The next thread has not said anything yet.
    this.#atId = 0
    if (costly) {
      this.#costly.blame(textOf(costly.ask.job, costly.answers.length))
      this.#answer(costly, { kind: 'too-costly', reason })
    }
    if (this.#waiting.size > 0) this.#start()
  }

  #died(error: unknown): void {
    if (this.#ready) {
      const code = error instanceof Error && 'code' in error ? error.code : null
      const outOfMemory = code === 'ERR_WORKER_OUT_OF_MEMORY'
      this.#replace(outOfMemory ? 'takes more memory than a filter or schema is given' : 'could not be worked out')
      return
    }
    this.#thread = null
    this.#rejectAll(error instanceof Error ? error : new Error(String(error)))
  }

  #rejectAll(error: Error): void {
    const all = [...this.#waiting.values()]
    this.#waiting.clear()
    this.#shares.clear()
    Object.assign(this.#all, { asks: 0, characters: 0 })
    for (const { reject } of all) reject(error)
  }
}
