// The judge's own thread. What tenants wrote is worked out here and nowhere else; whoever takes too long is ended from
// outside, with the thread.

import { parentPort, receiveMessageOnPort } from 'node:worker_threads'
import { readJson } from '../domain/read-json.ts'
import type { Facts, SchemaVerdict } from '../ports/judge.ts'
import { type Filter, readFilter } from './filter.ts'
import { type FilterContext, filterContext } from './filter-context.ts'
import { type Answer, type Ask, partsOf, type Reply } from './protocol.ts'
import { Queue } from './queue.ts'
import { Remembered } from './remembered.ts'
import { readSchema, type Schema, schemaFaults } from './schema.ts'

const filters = new Remembered<Filter>(readFilter)
const schemas = new Remembered<Schema>(readSchema)

const cpuUs = (): number => {
  const { user, system } = process.threadCpuUsage()
  return user + system
}
const reply = (said: Reply): void => parentPort?.postMessage(said)

const queue = new Queue()
// Processor time after which the rest of a job waits until everybody else has had a turn.
const turnUs = 20_000

/** Until there is nothing more; what came meanwhile is looked for before each turn. */
function answerAll(): void {
  for (let next = nextAsk(); next !== null; next = nextAsk()) {
    const rest = answerSome(next)
    if (rest !== null) queue.putBack(rest)
  }
}

function nextAsk(): Ask | null {
  takeIn()
  return queue.take()
}

function takeIn(): void {
  if (parentPort === null) return
  for (let came = receiveMessageOnPort(parentPort); came; came = receiveMessageOnPort(parentPort))
    queue.add(came.message)
}

/** Answers as many parts as fit into a turn, or all where nobody else waits. Returns the rest; null: it is done. */
function answerSome(ask: Ask): Ask | null {
  const endUs = cpuUs() + turnUs
  let { from } = ask
  for (const answer of answers(ask)) {
    const usedUs = cpuUs()
    reply({ kind: 'answer', id: ask.id, answer, cpuUs: usedUs })
    from += 1
    if (usedUs < endUs || from >= partsOf(ask.job)) continue
    takeIn()
    if (queue.hasOthers(ask.asker)) return { ...ask, from }
  }
  return null
}

function* answers({ id, job, from }: Ask): Generator<Answer> {
  const begin = (): void => reply({ kind: 'working', id, cpuUs: cpuUs() })
  begin()
  switch (job.kind) {
    case 'filters': {
      const context = filterContext(job.facts)
      begin()
      for (const filter of job.filters.slice(from)) yield judged(filters.get(filter), context)
      return
    }
    case 'schema':
      yield fitting(job.schema, job.facts, begin)
      return
    case 'filter-fault': {
      const filter = filters.get(job.filter)
      yield filter.kind === 'faulty' ? filter.fault : null
      return
    }
    case 'schema-faults':
      yield schemaFaults(job.schema)
  }
}

const judged = (filter: Filter, context: FilterContext): Answer =>
  filter.kind === 'ready' ? filter.judge(context) : { kind: 'failed', reason: filter.fault.message }

function fitting(
  text: string,
  { payload, encoding = null }: Pick<Facts, 'payload' | 'encoding'>,
  begin: () => void,
): SchemaVerdict {
  // The base64 of some bytes reads as a number.
  if (encoding !== null) return notJson
  let value: unknown
  try {
    value = readJson(payload)
  } catch {
    return notJson
  }
  begin()
  const schema = schemas.get(text)
  return schema.kind === 'ready' ? schema.judge(value) : { kind: 'failed', reason: 'the schema cannot be used' }
}

const notJson: SchemaVerdict = { kind: 'misfits', faults: [{ pointer: '', message: 'is not JSON' }] }

// Half of what a first judgement costs is the evaluator's own compilation: it is no tenant's fault.
const warm = filterContext({
  eventType: 'a.b',
  channels: null,
  tags: null,
  contentType: null,
  payload: '{"a":{"b":[1]}}',
})
const example = 'type.startsWith("a.") && has(payload.a) && payload.a.b.exists(x, x > 0.5) || "a" in tags'
for (let round = 0; round < 20; round++) {
  const filter = readFilter(example)
  if (filter.kind === 'ready') filter.judge(warm)
  const schema = readSchema('{"type":"object","required":["a"],"properties":{"a":{"type":"string","pattern":"^a"}}}')
  if (schema.kind === 'ready') schema.judge({ a: round })
}

parentPort?.on('message', (ask: Ask) => {
  queue.add(ask)
  answerAll()
})
reply({ kind: 'ready', cpuUs: cpuUs() })
