import type { ServerResponse } from 'node:http'
import { problems } from '@posthorn/contract'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Logger } from 'pino'
import { type Fault, Problem } from '../domain/problem.ts'

export const problemType = 'application/problem+json; charset=utf-8'

// A body of nothing but faults would answer megabytes; nobody reads past these.
const mostFaults = 100

/** Where a problem's page is. */
const pageOfProblem = (publicUrl: string, code: string): string => `${publicUrl}/docs/problems/${code}`

/** A text as an answer may hold it: what a request said that nothing can keep is told with a sign in its place. */
const tellable = (text: string): string => text.replaceAll('\u0000', '\ufffd').toWellFormed()

const tellableFault = ({ pointer, message }: Fault): Fault => ({
  pointer: tellable(pointer),
  message: tellable(message),
})

/** A problem as RFC 9457 JSON. */
export function problemJson(problem: Problem, publicUrl: string, incident?: string): string {
  return JSON.stringify({
    type: pageOfProblem(publicUrl, problem.code),
    title: problems[problem.code].title,
    status: problem.status,
    code: problem.code,
    detail: tellable(problem.message),
    ...(problem.faults.length > 0 ? { errors: problem.faults.slice(0, mostFaults).map(tellableFault) } : {}),
    ...(incident === undefined ? {} : { incident }),
  })
}

export interface ProblemParts {
  readonly log: Pick<Logger, 'error'>
  readonly publicUrl: string
  readonly newIncident: () => string
}

/** The one place where whatever was thrown becomes an answer. Whatever is not a caller's mistake is logged, once. */
export const makeProblemHandler =
  ({ log, publicUrl, newIncident }: ProblemParts) =>
  (error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply => {
    const problem = problemOf(error)
    if (problem) return send(reply, problem, problemJson(problem, publicUrl))
    const incident = newIncident()
    // The path only: a query may hold what the caller would not want in a log.
    log.error(
      { err: error, incident, requestId: request.id, method: request.method, path: pathOf(request.url) },
      'incident',
    )
    const unknown = new Problem('internal', `The operator finds it in the log as ${incident}.`)
    return send(reply, unknown, problemJson(unknown, publicUrl, incident))
  }

export const pathOf = (url: string): string => url.split('?', 1)[0] ?? url

/** An `Expect` header is refused before there is a request for the framework. */
export function answerUnexpected(response: ServerResponse, publicUrl: string, requestId: string): void {
  const problem = new Problem('expectation-failed')
  const body = problemJson(problem, publicUrl)
  response.writeHead(problem.status, {
    'content-type': problemType,
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
    'x-request-id': requestId,
    connection: 'close',
  })
  response.end(body)
}

function send(reply: FastifyReply, problem: Problem, json: string): FastifyReply {
  if (problem.code === 'unauthenticated') reply.header('www-authenticate', 'Bearer')
  const retryAfter = problem.retryAfter ?? (problem.status === 503 || problem.status === 429 ? 1 : null)
  if (retryAfter !== null) reply.header('retry-after', String(Math.ceil(retryAfter)))
  // Some refusals may otherwise be kept by caches (RFC 9110, 15.1).
  reply.header('cache-control', 'no-store')
  if (problem.code === 'media-type-unsupported') {
    const { method } = reply.request
    reply.header(method === 'POST' ? 'accept-post' : method === 'PATCH' ? 'accept-patch' : 'accept', 'application/json')
  }
  return reply.code(problem.status).header('content-type', problemType).send(json)
}

// What the framework refuses before a handler runs: https://fastify.dev/docs/latest/Reference/Errors
function problemOf(error: unknown): Problem | null {
  if (error instanceof Problem) return error
  if (!(error instanceof Error)) return null
  const code = 'code' in error ? error.code : undefined
  if (code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE') return new Problem('media-type-unsupported')
  if (code === 'FST_ERR_MAX_PARAM_LENGTH') return new Problem('not-found')
  if (code === 'FST_ERR_BAD_URL') return new Problem('request-malformed', 'The URL is not validly percent-encoded.')
  const status = 'statusCode' in error ? error.statusCode : undefined
  if (typeof status === 'number' && status >= 400 && status < 500)
    return new Problem('request-malformed', error.message)
  return null
}
