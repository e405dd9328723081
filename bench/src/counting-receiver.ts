// A receiver of its own process that keeps ids: what came, what came twice, how long it was on its way.
// `node counting-receiver.ts <port> …`: the same at each of them. POST anywhere is a delivery, answered 204; paths under /~ are for the bench. At
// /hook/flaky one message in ten is refused with 503 when it first comes. At /hook/copy/<n> each n is a receiver of its own.
import { createServer, type IncomingMessage, type RequestListener } from 'node:http'
import { makeLatency } from './latency.ts'
import { nowUs, sentAtUs } from './message.ts'
import { providers } from './provider.ts'

const times = new Map<string, number>()
const refusedOnce = new Set<string>()
const latency = makeLatency()
const retriedLatency = makeLatency()
let received = 0
let nameless = 0
let firstAtUs: number | null = null

const refusedOf = 10
/** By the id alone, so that every server under test has to cope with the same share. */
const isToBeRefused = (id: string): boolean => {
  let sum = 0
  for (let at = 0; at < id.length; at += 1) sum = (sum * 31 + id.charCodeAt(at)) % 1_000_003
  return sum % refusedOf === 0
}

const textOf = (request: IncomingMessage, then: (text: string) => void) => {
  let text = ''
  request.setEncoding('utf8')
  request.on('data', (part: string) => {
    text += part
  })
  request.on('end', () => then(text))
}

const listener: RequestListener = (request, response) => {
  const answer = (value: unknown) => response.end(JSON.stringify(value))
  if (request.url === '/~report') {
    let doubled = 0
    for (const count of times.values()) if (count > 1) doubled += 1
    answer({
      ...{ received, unique: times.size, doubled, nameless, firstAtUs, refused: refusedOnce.size },
      ...{ latency: latency.quantiles(), retriedLatency: retriedLatency.quantiles() },
    })
  } else if (request.url === '/~mark') {
    firstAtUs = null
    answer({})
  } else if (request.url === '/~reset') {
    times.clear()
    refusedOnce.clear()
    latency.reset()
    retriedLatency.reset()
    received = 0
    nameless = 0
    firstAtUs = null
    answer({})
  } else if (request.url === '/~compare') {
    textOf(request, (text) => {
      const accepted = new Set(text.split('\n').filter((id) => id !== ''))
      const missing = accepted.difference(times).size
      answer({ missing, unexpected: times.size - (accepted.size - missing) })
    })
  } else {
    // What came to a source is known by its provider's id: only so a message made twice shows.
    const provider = providers.find(({ type }) => request.url === `/hook/${type}`)
    const copy = request.url?.startsWith('/hook/copy/') ? request.url.slice('/hook/copy'.length) : ''
    textOf(request, (text) => {
      firstAtUs ??= nowUs()
      const id = provider === undefined ? request.headers['webhook-id'] : provider.idOf(request.headers, text)
      const retried = typeof id === 'string' && refusedOnce.has(id)
      if (request.url === '/hook/flaky' && typeof id === 'string' && !retried && isToBeRefused(id)) {
        refusedOnce.add(id)
        response.writeHead(503).end()
        return
      }
      received += 1
      if (typeof id === 'string') times.set(id + copy, (times.get(id + copy) ?? 0) + 1)
      else nameless += 1
      const sent = sentAtUs(text)
      if (sent !== null) (retried ? retriedLatency : latency).record(nowUs() - sent)
      response.writeHead(204).end()
    })
  }
}

for (const port of process.argv.slice(2)) {
  const server = createServer(listener)
  server.keepAliveTimeout = 0
  // Three nodes may open 3,072 connections in one moment. Where they do not fit (511 is usual), the kernel drops what a client
  // takes for a connection: 98,722 times while this was measured (2026-11), and attempts end with a timeout.
  server.listen({ port: Number(port), host: '127.0.0.1', backlog: 4_096 })
}
