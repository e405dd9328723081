// The public door: `/in/{token}` and whatever stands behind it, with any method, for requests of third parties. Beside the
// framework, not behind it: what comes here is kept byte for byte, and no content type, method or framing is refused.

import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Logger } from 'pino'
import type { Millis } from '../domain/ids.ts'
import type { InboundRequest } from '../domain/inbound.ts'
import { Problem } from '../domain/problem.ts'
import { clientAddress } from '../inbound/addresses.ts'
import type { Receive, Reply } from '../inbound/receive.ts'
import type { World } from '../ports/world.ts'
import { BodyBytes } from './body-bytes.ts'
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

/** A body that is being read. */
interface Reading {
  /** When something of it came last. */
  heardAt: Millis
  /** Turns its sender away, and lets go of what is there. */
  letGo(): void
}

type Listener = (request: IncomingMessage, response: ServerResponse) => void

const prefix = '/in/'
// What is being read at one moment, of all senders together. One body may be large; very many are not held at once.
const mostBytesReading = 64 * 1024 * 1024
// Whoever has been silent for so long makes room for others, where there is none: strangers who send some megabytes each and
// then nothing would keep everybody out for a minute (`npm run hardship -- --only hoarders`, 2026-11).
const silentMs: Millis = 1_000
// What is still coming is thrown away for this long.
const lingerMs = 1_000

/** The path of a target: one in absolute form has a scheme and a host before it. */
const pathOf = (target: string): string => target.replace(/^https?:\/\/[^/?#]*/i, '')

export const isForDoor = (target: string | undefined): boolean =>
  target !== undefined && (target.startsWith(prefix) || (target[0] !== '/' && pathOf(target).startsWith(prefix)))

export function makeDoor(parts: DoorParts): Listener {
  const { world, publicUrl } = parts
  let reading = 0
  const readings = new Set<Reading>()

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
    if (reading > mostBytesReading) mostSilent()?.letGo()
    return reading > mostBytesReading ? tooMuch() : null
  }

  const tooMuch = (): Problem => new Problem('unavailable', 'Too much is arriving at once.', [], 1)

  const mostSilent = (): Reading | null => {
    let found: Reading | null = null
    for (const one of readings) if (found === null || one.heardAt < found.heardAt) found = one
    return found !== null && world.now() - found.heardAt >= silentMs ? found : null
  }

  return (request, response) => {
    const fault = faultOfRequest(request)
    const declared = Number(request.headers['content-length'] ?? 0)
    const trouble = fault ?? troubleWith(declared)
    if (trouble) {
      turnAway(request, response, trouble)
      return
    }

    const body = new BodyBytes()
    let over = false
    let ended = false
    const release = (): void => {
      readings.delete(mine)
      reading -= body.length
      body.clear()
    }
    const mine: Reading = {
      heardAt: 0,
      letGo() {
        over = true
        release()
        turnAway(request, response, tooMuch())
      },
    }
    request.on('data', (chunk: Buffer) => {
      if (over) return
      mine.heardAt = world.now()
      if (body.length === 0) readings.add(mine)
      body.add(chunk)
      reading += chunk.length
      const excess = troubleWith(body.length)
      if (excess === null) return
      over = true
      release()
      turnAway(request, response, excess)
    })
    request.once('close', () => {
      if (!ended) release()
    })
    request.once('end', () => {
      if (over) return
      ended = true
      readings.delete(mine)
      const peer = request.socket.remoteAddress ?? ''
      const received: InboundRequest = {
        method: request.method ?? '',
        target: request.url ?? '',
        headers: request.rawHeaders,
        peer,
        client: clientAddress(peer, request.rawHeaders, parts.trustedProxies),
        body: body.whole(),
        receivedAt: world.now(),
      }
      parts
        .receive(received)
        .then((reply) => answer(response, reply))
        // An answer that cannot be one throws, too: it must cost this request, not the process.
        .catch((error) => answer(response, replyToFault(error)))
        .finally(release)
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
