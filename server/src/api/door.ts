// The public door: `/in/{token}` and whatever stands behind it, with any method, for requests of third parties. Beside the
// framework, not behind it: what comes here is kept byte for byte, and no content type, method or framing is refused.

import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Logger } from 'pino'
import type { InboundRequest } from '../domain/inbound.ts'
import { Problem } from '../domain/problem.ts'
import { clientAddress } from '../inbound/addresses.ts'
import type { Receive, Reply } from '../inbound/receive.ts'
import type { World } from '../ports/world.ts'
import { Arriving } from './arriving.ts'
import { problemJson, problemType } from './problem.ts'
import { faultOfRequest } from './request-line.ts'

export interface DoorParts {
  readonly receive: Receive
  readonly world: World
  readonly log: Pick<Logger, 'error'>
  readonly publicUrl: string
  readonly maxBodyBytes: number
  readonly trustedProxies: number
}

type Listener = (request: IncomingMessage, response: ServerResponse) => void

const prefix = '/in/'
// Of what is being read at one moment, and of what was read and is being taken in.
const mostBytesReading = 64 * 1024 * 1024
// What is still coming is thrown away for this long.
const lingerMs = 1_000

/** The path of a target: one in absolute form has a scheme and a host before it. */
const pathOf = (target: string): string => target.replace(/^https?:\/\/[^/?#]*/i, '')

export const isForDoor = (target: string | undefined): boolean =>
  target !== undefined && (target.startsWith(prefix) || (target[0] !== '/' && pathOf(target).startsWith(prefix)))

export function makeDoor(parts: DoorParts): Listener {
  const { world, publicUrl } = parts
  const arriving = new Arriving(world, mostBytesReading)

  const replyTo = (problem: Problem, incident?: string): Reply => {
    const retry = problem.status === 503 ? ['retry-after', `${Math.ceil(problem.retryAfter ?? 1)}`] : []
    return {
      status: problem.status,
      headers: ['content-type', problemType, 'cache-control', 'no-store', ...retry],
      body: problemJson(problem, publicUrl, incident),
    }
  }

  const replyToFault = (error: unknown): Reply => {
    if (error instanceof Problem) return replyTo(error)
    const incident = `inc_${Buffer.from(world.randomBytes(12)).toString('base64url')}`
    parts.log.error({ err: error, incident }, 'incident')
    // Ours, and it may pass: a provider that is told 500 may give up, one that is told 503 comes again.
    return replyTo(new Problem('unavailable', `The operator finds it in the log as ${incident}.`, [], 30), incident)
  }

  /**
   * Answers while the body may still be coming. What comes is thrown away for a moment before the connection is closed:
   * closed at once, the sender's next write fails before he has read the answer (RFC 9112, 9.6).
   */
  const turnAway = (request: IncomingMessage, response: ServerResponse, problem: Problem): void => {
    const { status, headers, body } = replyTo(problem)
    response.writeHead(status, [...headers, 'content-length', `${Buffer.byteLength(body)}`, 'connection', 'close'])
    response.write(body)
    const end = (): void => {
      cut.cancel()
      response.end()
    }
    const cut = world.after(lingerMs, end)
    request.once('end', end)
    request.once('close', end)
    request.resume()
  }

  /** Why no more is read; null: it may go on. `bytes`: of this request, declared or come. */
  const troubleWith = (bytes: number): Problem | null => {
    if (bytes > parts.maxBodyBytes) return new Problem('inbound-too-large')
    return arriving.hasRoom() ? null : tooMuch()
  }

  const tooMuch = (): Problem => new Problem('unavailable', 'Too much is arriving at once.', [], 1)

  return (request, response) => {
    const fault = faultOfRequest(request)
    const declared = Number(request.headers['content-length'] ?? 0)
    const trouble = fault ?? troubleWith(declared)
    if (trouble) {
      turnAway(request, response, trouble)
      return
    }

    let over = false
    let ended = false
    const arrival = arriving.begin(() => {
      over = true
      turnAway(request, response, tooMuch())
    })
    request.on('data', (chunk: Buffer) => {
      if (over) return
      arriving.add(arrival, chunk)
      const excess = troubleWith(arrival.body.length)
      // It may have been the one that was let go.
      if (excess === null || over) return
      over = true
      arriving.end(arrival)
      turnAway(request, response, excess)
    })
    request.once('close', () => {
      if (!ended) arriving.end(arrival)
    })
    request.once('end', () => {
      if (over) return
      ended = true
      const peer = request.socket.remoteAddress ?? ''
      const received: InboundRequest = {
        method: request.method ?? '',
        target: request.url ?? '',
        headers: request.rawHeaders,
        peer,
        client: clientAddress(peer, request.rawHeaders, parts.trustedProxies),
        body: arriving.whole(arrival),
        receivedAt: world.now(),
      }
      parts
        .receive(received)
        .then((reply) => answer(response, reply))
        // An answer that cannot be one throws, too: it must cost this request, not the process.
        .catch((error) => answer(response, replyToFault(error)))
        .finally(() => arriving.end(arrival))
    })
  }
}

function answer(response: ServerResponse, { status, headers, body }: Reply): void {
  if (response.destroyed || response.headersSent) return
  const bodiless = status === 204 || status === 304
  const length = bodiless ? [] : ['content-length', `${Buffer.byteLength(body)}`]
  response.writeHead(status, [...headers, ...length])
  response.end(bodiless ? undefined : body)
}
