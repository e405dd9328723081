// The limit of one process: accept, read, parse, sign, forward, answer 202 when the receiver has answered. No store, no
// checks, no retries. `node pass-through.ts <port> <receiver url> <connections>`.
import { createHmac, randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import { type Dispatcher, Pool } from 'undici'

const [, , port, receiver = '', connections] = process.argv
const { origin, pathname } = new URL(receiver)
const pool = new Pool(origin, { connections: Number(connections), pipelining: 1 })
const secret = randomBytes(32)
let made = 0

const send = (body: string, done: (status: number) => void) => {
  const id = `msg_${(++made).toString().padStart(27, '0')}`
  const at = Math.floor(Date.now() / 1000).toString()
  const signature = createHmac('sha256', secret).update(`${id}.${at}.${body}`).digest('base64')
  let status = 0
  const handler: Dispatcher.DispatchHandler = {
    onRequestStart() {},
    onResponseStart(_, code) {
      status = code
    },
    onResponseData() {},
    onResponseEnd() {
      done(status)
    },
    onResponseError() {
      done(0)
    },
  }
  const headers = ['content-type', 'application/json', 'user-agent', 'Posthorn/bench', 'webhook-id', id]
  headers.push('webhook-timestamp', at, 'webhook-signature', `v1,${signature}`)
  pool.dispatch({ path: pathname, method: 'POST', headers, body }, handler)
}

const server = createServer((request, response) => {
  const parts: Buffer[] = []
  request.on('data', (part: Buffer) => parts.push(part))
  request.on('end', () => {
    const text = (parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts)).toString()
    if (text === '') {
      response.writeHead(204).end()
      return
    }
    // Parsed because a gateway has to look; what goes out are the bytes that came.
    const message: { eventType?: string } = JSON.parse(text)
    const payload = text.slice(text.indexOf('"payload":') + '"payload":'.length, text.lastIndexOf('}'))
    send(payload, (status) => {
      const ok = status >= 200 && status < 300 && message.eventType !== undefined
      const answer = ok ? '{"id":"msg_000000000000000000000000000"}' : '{}'
      response
        .writeHead(ok ? 202 : 502, { 'content-type': 'application/json', 'content-length': answer.length })
        .end(answer)
    })
  })
})
server.keepAliveTimeout = 0
server.listen(Number(port), '127.0.0.1')
