import type { Operation } from '../operation.ts'
import { type ProblemCode, problems } from '../problems.ts'
import { changesShown, isList, showsOne } from './conditional.ts'
import { type Json, printed, schemaAt } from './schema.ts'

/** The problems an operation can answer: its own, and those that come with having a key, a body, a name in the path, or values to check. */
export function problemsOf(operation: Operation): readonly ProblemCode[] {
  const codes = new Set<ProblemCode>(['request-malformed', 'request-invalid', 'internal', ...operation.problems])
  codes.add('uri-too-long').add('headers-too-large')
  // A name that is longer than any can be is of nothing.
  if (Object.keys(operation.params.properties).length > 0) codes.add('not-found')
  if (operation.scope !== null) {
    codes.add('unauthenticated').add('scope-missing').add('capability-missing').add('rate-limited').add('unavailable')
  }
  if (operation.body !== null) {
    codes.add('body-malformed').add('body-too-large').add('media-type-unsupported').add('transfer-coding-unsupported')
  }
  if (operation.method === 'POST') {
    codes.add('idempotency-key-invalid').add('idempotency-key-running').add('idempotency-key-reused')
  }
  if (showsOne(operation) || changesShown(operation)) codes.add('precondition-failed')
  return [...codes].sort((a, b) => problems[a].status - problems[b].status || (a < b ? -1 : 1))
}

/** Every header an answer may have, as the document shows it; which of them it has is said at the answer. */
export const answerHeaders = {
  'X-Request-Id': {
    description: 'Under which the request is in the log; the one of the request, if it gave one.',
    required: true,
    schema: { type: 'string', pattern: '^[\\w.:-]{1,64}$', maxLength: 64 },
  },
  Link: {
    description: 'The pages beside this one (RFC 8288): `first`, `next`, `prev`.',
    schema: { type: 'string', pattern: '^<', maxLength: 65_536 },
  },
  ETag: {
    description: 'The entity tag of what is shown: another whenever a byte of it is. Strong (RFC 9110, 8.8.3).',
    schema: { type: 'string', pattern: '^"[\\w-]+(\\.[\\w-]+)?"$', maxLength: 64 },
  },
  'Idempotent-Replayed': {
    description: 'The answer was given before, to the same request with the same `Idempotency-Key`.',
    schema: { type: 'string', enum: ['true'] },
  },
  'Retry-After': {
    description: 'Seconds to wait before the same request is worth sending again.',
    required: true,
    schema: { type: 'string', pattern: '^[0-9]{1,10}$', maxLength: 10 },
  },
  'WWW-Authenticate': {
    description: 'How to show who you are.',
    required: true,
    schema: { type: 'string', pattern: '^Bearer', maxLength: 1024 },
  },
} as const

type AnswerHeader = keyof typeof answerHeaders

// Only one of the problems that share its status has it.
const runningHeaders: Json = { 'Retry-After': { ...answerHeaders['Retry-After'], required: false } }

const headersOf = (names: readonly AnswerHeader[]): Json =>
  Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }]))

const nameOf = (codes: readonly ProblemCode[]): string => codes.join('.')

/** What an operation answers, by status. Problems are references: many operations answer the same ones. */
export function responsesOf(operation: Operation): Json {
  const responses: Record<string, unknown> = {}
  for (const { status, meaning, schema } of operation.success) {
    responses[status] = {
      description: meaning,
      headers: headersOf(['X-Request-Id', ...headersOfSuccess(operation)]),
      ...(schema ? { content: { 'application/json': { schema: printed(schema) } } } : {}),
    }
  }
  if (showsOne(operation)) {
    responses[304] = {
      description: 'It is what `If-None-Match` says is known.',
      headers: headersOf(['X-Request-Id', 'ETag']),
    }
  }
  for (const [status, codes] of byStatus(problemsOf(operation))) {
    responses[status] = { $ref: `#/components/responses/${nameOf(codes)}` }
  }
  return responses
}

function headersOfSuccess(operation: Operation): readonly AnswerHeader[] {
  const { method } = operation
  if (isList(operation)) return ['Link']
  if (showsOne(operation) || (method === 'PATCH' && changesShown(operation))) return ['ETag']
  return method === 'POST' ? ['Idempotent-Replayed'] : []
}

const byStatus = (codes: readonly ProblemCode[]): Map<number, ProblemCode[]> =>
  Map.groupBy(codes, (code) => problems[code].status)

/** The answers that `responsesOf` refers to, for these operations. */
export function problemResponses(operations: readonly Operation[]): Json {
  const all = operations.flatMap((operation) => [...byStatus(problemsOf(operation)).values()])
  return Object.fromEntries(all.map((codes) => [nameOf(codes), problemResponse(codes)]))
}

function problemResponse(codes: readonly ProblemCode[]): Json {
  const statuses: readonly number[] = codes.map((code) => problems[code].status)
  return {
    description: codes.map((code) => `\`${code}\`: ${problems[code].title}`).join('; '),
    headers: {
      ...headersOf([
        'X-Request-Id',
        ...(statuses.includes(401) ? (['WWW-Authenticate'] as const) : []),
        ...(statuses.includes(429) || statuses.includes(503) ? (['Retry-After'] as const) : []),
      ]),
      ...(codes.includes('idempotency-key-running') ? runningHeaders : {}),
    },
    content: {
      'application/problem+json': {
        schema: { $ref: schemaAt('ProblemOut'), properties: { code: { enum: codes } } },
        examples: Object.fromEntries(codes.map((code) => [code, { $ref: `#/components/examples/${code}` }])),
      },
    },
  }
}

/** One example of each problem, as it comes from this server. */
export function problemExamples(codes: readonly ProblemCode[], publicUrl: string): Json {
  return Object.fromEntries(
    codes.map((code) => {
      const { status, title, happened } = problems[code]
      const value = { type: `${publicUrl}/docs/problems/${code}`, title, status, code, detail: happened }
      return [code, { summary: title, value }]
    }),
  )
}
