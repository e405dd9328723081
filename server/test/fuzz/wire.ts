import { connect } from 'node:net'

export interface WireAnswer {
  readonly status: number
  /** Names in small letters. */
  readonly headers: ReadonlyMap<string, string>
  readonly body: string
}

/** What came back: an answer; bytes that are none; the end of the connection; or, after the patience, nothing. */
export type Heard =
  | { readonly kind: 'answer'; readonly answer: WireAnswer }
  | { readonly kind: 'garbled'; readonly text: string }
  | { readonly kind: 'closed' }
  | { readonly kind: 'silent' }

/**
 * Sends bytes on a connection of their own, and hears until the answer is whole or the other side is done. `ends`: the sending
 * side is closed behind them, as by a caller that breaks off.
 */
export function speak(
  url: string,
  bytes: Buffer,
  { bodiless, ends, patienceMs }: { readonly bodiless: boolean; readonly ends: boolean; readonly patienceMs: number },
): Promise<Heard> {
  return new Promise((resolve) => {
    const socket = connect({ port: Number(new URL(url).port), host: '127.0.0.1', allowHalfOpen: true })
    const chunks: Buffer[] = []
    const done = (heard: Heard): void => {
      clearTimeout(timer)
      socket.destroy()
      resolve(heard)
    }
    const timer = setTimeout(() => done({ kind: 'silent' }), patienceMs)
    const whole = (closed: boolean): void => {
      const text = Buffer.concat(chunks)
      const read = answerIn(text, bodiless, closed)
      if (text.length === 0 && closed) done({ kind: 'closed' })
      else if (read !== null) done({ kind: 'answer', answer: read })
      else if (closed) done({ kind: 'garbled', text: text.toString('latin1', 0, 200) })
    }
    socket.on('data', (chunk: Buffer) => {
      chunks.push(chunk)
      whole(false)
    })
    // The server may hang up while we still speak; what it said before counts.
    socket.on('error', () => {})
    socket.once('end', () => whole(true))
    socket.once('close', () => whole(true))
    socket.write(bytes)
    if (ends) socket.end()
  })
}

/** Null: it is not there in full, or is none. */
function answerIn(bytes: Buffer, bodiless: boolean, closed: boolean): WireAnswer | null {
  const end = bytes.indexOf('\r\n\r\n')
  if (end === -1) return null
  const [line = '', ...fields] = bytes.toString('latin1', 0, end).split('\r\n')
  const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(line)?.[1] ?? Number.NaN)
  if (Number.isNaN(status)) return null
  const rest = bytes.subarray(end + 4)
  if (status < 200 && status !== 101) return answerIn(rest, bodiless, closed)
  const headers = new Map(
    fields.map((field) => {
      const colon = field.indexOf(':')
      return [field.slice(0, colon).toLowerCase(), field.slice(colon + 1).trim()] as const
    }),
  )
  if (bodiless || status === 204 || status === 304) return { status, headers, body: '' }
  const length = headers.get('content-length')
  if (length === undefined) return closed ? { status, headers, body: rest.toString('utf8') } : null
  if (rest.length < Number(length)) return null
  return { status, headers, body: rest.toString('utf8', 0, Number(length)) }
}
