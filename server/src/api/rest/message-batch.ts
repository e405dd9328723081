import { operations } from '@posthorn/contract'
import type { FastifyInstance } from 'fastify'
import { sliceItems, sliceValue } from '../../domain/payload.ts'
import { type Fault, Problem } from '../../domain/problem.ts'
import type { PublishAll } from '../../engine/accept.ts'
import type { NewFact } from '../../engine/plan.ts'
import { invalid } from '../input.ts'
import { parseJson, textOf } from '../json.ts'
import { problemJson } from '../problem.ts'
import { serve } from '../route.ts'
import { acceptedMembers } from './message.ts'
import { readMessage } from './message-body.ts'

// The body is read here, message by message: one that does not fit must not be the end of the others.
const operation = { ...operations['v1.message.create-batch'], body: null }

const mostMessages = 1_000

/** The texts of the messages, as they are spelled. */
function readBatch(text: string): readonly string[] {
  const body = parseJson(text)
  const items = typeof body === 'object' && body !== null ? sliceValue(text, 'messages') : null
  const array = items && text.slice(items.start, items.end)
  const spans = array === null ? null : sliceItems(array)
  if (array === null || spans === null || spans.length === 0 || spans.length > mostMessages) {
    throw invalid([{ pointer: '/messages', message: `must be an array of 1 to ${mostMessages} messages` }])
  }
  return spans.map(({ start, end }) => array.slice(start, end))
}

/** Pointers into a message, as pointers into the batch it stands in. */
const pointTo = (at: number, faults: readonly Fault[]): Fault[] =>
  faults.map(({ pointer, message }) => ({ pointer: `/messages/${at}${pointer}`, message }))
const pointed = (at: number, { code, message, faults, retryAfter }: Problem): Problem =>
  new Problem(code, message, pointTo(at, faults), retryAfter)

/** One message of a batch, or what is wrong with it, with pointers that lead to it. */
function readItem(text: string, at: number): NewFact | Problem {
  try {
    const { fact, application } = readMessage(text)
    if (application === null) return fact
    return invalid(
      pointTo(at, [{ pointer: '/application', message: 'must be left out: a batch makes no application' }]),
    )
  } catch (error) {
    if (error instanceof Problem) return pointed(at, error)
    throw error
  }
}

const refusedItem = (problem: Problem, publicUrl: string): string =>
  `{"status":${problem.status},"problem":${problemJson(problem, publicUrl)}}`

export function messageBatchRoute(app: FastifyInstance, publishAll: PublishAll, publicUrl: string): void {
  serve(app, operation, async ({ params, query }, { principal, body, ask }) => {
    const read = readBatch(textOf(body)).map(readItem)
    const facts = read.filter((item): item is NewFact => !(item instanceof Problem))
    const withContent = query.with_content ?? true
    const outcomes = facts.length === 0 ? [] : await publishAll(principal.environmentId, params.app_id, facts, ask)
    let next = 0
    const shown = read.map((item, at) => {
      const outcome = item instanceof Problem ? { refused: item } : outcomes[next++]
      if (outcome === undefined) throw new Error('a message of a batch was neither accepted nor refused')
      return 'refused' in outcome
        ? refusedItem(item instanceof Problem ? item : pointed(at, outcome.refused), publicUrl)
        : `{"status":202,"message":{${acceptedMembers(outcome.message, pointTo(at, outcome.warnings), withContent)}}}`
    })
    return { status: 202, json: `{"data":[${shown.join(',')}]}` }
  })
}
