import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import { Problem } from '../domain/problem.ts'
import { problemJson, problemType } from './problem.ts'

interface ClientError extends Error {
  readonly code?: string | undefined
  /** What had arrived when the parser gave up. */
  readonly rawPacket?: unknown
}

/** What is not HTTP never reaches the framework: it is told so on the bare socket, which is then closed. */
export function refuseUnreadable(error: ClientError, socket: Socket, publicUrl: string, requestId: string): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy()
    return
  }
  const problem = problemOf(error)
  const body = problemJson(problem, publicUrl)
  socket.end(
    [
      `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status]}`,
      `date: ${new Date().toUTCString()}`,
      `content-type: ${problemType}`,
      `content-length: ${Buffer.byteLength(body)}`,
      'cache-control: no-store',
      `x-request-id: ${requestId}`,
      'connection: close',
      '',
      body,
    ].join('\r\n'),
  )
}

function problemOf({ code, rawPacket }: ClientError): Problem {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return new Problem('request-timeout')
  if (code !== 'HPE_HEADER_OVERFLOW') return new Problem('request-malformed', 'This could not be read as HTTP.')
  return new Problem(isLongLine(rawPacket) ? 'uri-too-long' : 'headers-too-large')
}

// What is left for the line of a request whose headers are usual; past it the line is what is too long.
const longLine = 12 * 1024

function isLongLine(packet: unknown): boolean {
  if (!(packet instanceof Uint8Array)) return false
  if (!/^[A-Z]{3,16} /.test(Buffer.from(packet.subarray(0, 17)).toString('latin1'))) return false
  const end = packet.indexOf(0x0a)
  return end === -1 || end > longLine
}
