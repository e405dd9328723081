import type { IncomingMessage } from 'node:http'
import { Problem } from '../domain/problem.ts'
import type { Arriving } from './arriving.ts'

type Done = (error: Error | null, body?: Buffer) => void

/**
 * Reads the body of a request whose key is known. `done` gets all of it, or Problem `body-too-large`, `unavailable` where callers
 * together send more than is held, or `request-malformed` where the connection broke.
 */
export function readBody(request: IncomingMessage, arriving: Arriving, mostBytes: number, done: Done): void {
  if (Number(request.headers['content-length'] ?? 0) > mostBytes) {
    done(new Problem('body-too-large'))
    return
  }
  let over = false
  const end = (error: Error | null, body?: Buffer): void => {
    if (over) return
    over = true
    arriving.end(arrival)
    done(error, body)
  }
  const arrival = arriving.begin(() => end(tooMuch()))
  request.on('data', (piece: Buffer) => {
    if (over) return
    arriving.add(arrival, piece)
    if (arrival.body.length > mostBytes) end(new Problem('body-too-large'))
    else if (!arriving.hasRoom()) end(tooMuch())
  })
  request.once('end', () => over || end(null, arriving.whole(arrival)))
  const breakOff = (): void => {
    if (!over) end(new Problem('request-malformed', 'The connection ended before the body did.'))
  }
  request.once('error', breakOff)
  request.once('close', breakOff)
}

const tooMuch = (): Problem => new Problem('unavailable', 'Too much is arriving at once.', [], 1)
