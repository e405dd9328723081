// The judge's own thread. What tenants wrote is worked out here and nowhere else; whoever takes too long is ended from
// outside, with the thread.

import { parentPort } from 'node:worker_threads'
import { readJson } from '../domain/read-json.ts'
import type { Facts, SchemaVerdict } from '../ports/judge.ts'
import { type Filter, readFilter } from './filter.ts'
import { type FilterContext, filterContext } from './filter-context.ts'
import type { Answer, Ask, Job, Reply } from './protocol.ts'
import { Remembered } from './remembered.ts'
import { readSchema, type Schema, schemaFaults } from './schema.ts'

const filters = new Remembered<Filter>(readFilter)
const schemas = new Remembered<Schema>(readSchema)

const cpuUs = (): number => {
  const { user, system } = process.threadCpuUsage()
  return user + system
}
const reply = (said: Reply): void => parentPort?.postMessage(said)

function answerAll({ id, from, job }: Ask): void {
  for (const answer of answers(job, from)) reply({ kind: 'answer', id, answer, cpuUs: cpuUs() })
}

function* answers(job: Job, from: number): Generator<Answer> {
  switch (job.kind) {
    case 'filters': {
      const context = filterContext(job.facts)
      reply({ kind: 'working', cpuUs: cpuUs() })
      for (const filter of job.filters.slice(from)) yield judged(filters.get(filter), context)
      return
    }
    case 'schema':
      yield fitting(job.schema, job.facts)
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

function fitting(text: string, { payload, encoding = null }: Pick<Facts, 'payload' | 'encoding'>): SchemaVerdict {
  // The base64 of some bytes reads as a number.
  if (encoding !== null) return notJson
  let value: unknown
  try {
    value = readJson(payload)
  } catch {
    return notJson
  }
  reply({ kind: 'working', cpuUs: cpuUs() })
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

parentPort?.on('message', answerAll)
reply({ kind: 'ready', cpuUs: cpuUs() })
