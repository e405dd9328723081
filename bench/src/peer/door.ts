// PEER: what a careful team would build instead of a gateway, on a queue from npm: a publish endpoint, the queue, a worker
// that signs and sends. Small on purpose: no log of attempts, no endpoints that change, no walls between tenants. These
// files know nothing of the bench; they are started as processes and measured like the gateway.
import { randomUUID, timingSafeEqual } from 'node:crypto'
import { createServer } from 'node:http'

/** What the queue carries. */
export interface Job {
  readonly id: string
  readonly eventType: string
  readonly payload: unknown
}

const asJob = (text: string): Job | null => {
  try {
    const { eventType, payload } = JSON.parse(text) as { eventType?: unknown; payload?: unknown }
    if (typeof eventType !== 'string' || payload === undefined) return null
    return { id: `msg_${randomUUID().replaceAll('-', '')}`, eventType, payload }
  } catch {
    return null
  }
}

/** Publish over HTTP: 202 only when the queue has the job. Node's own server: a framework would only cost more. */
export function openDoor(port: number, apiKey: string, enqueue: (job: Job) => Promise<unknown>): void {
  const wanted = Buffer.from(`Bearer ${apiKey}`)
  const server = createServer((request, response) => {
    const answer = (status: number, body: unknown) => {
      const text = JSON.stringify(body)
      response
        .writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) })
        .end(text)
    }
    if (request.method !== 'POST') {
      response.writeHead(204).end()
      return
    }
    const given = Buffer.from(request.headers.authorization ?? '')
    if (given.length !== wanted.length || !timingSafeEqual(given, wanted)) {
      answer(401, { error: 'unauthorized' })
      return
    }
    let text = ''
    request.setEncoding('utf8')
    request.on('data', (part: string) => {
      text += part
    })
    request.on('end', () => {
      const job = asJob(text)
      if (job === null) {
        answer(422, { error: 'eventType and payload are required' })
        return
      }
      enqueue(job).then(
        () => answer(202, { id: job.id }),
        () => answer(503, { error: 'try again' }),
      )
    })
  })
  server.keepAliveTimeout = 0
  server.listen(port, '127.0.0.1')
}
