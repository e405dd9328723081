// A receiver of its own process that keeps ids: what came, what came twice, how long it was on its way.
// `node counting-receiver.ts <port>`. POST anywhere is a delivery, answered 204; paths under /~ are for the bench.
import { createServer, type IncomingMessage } from 'node:http'
import { makeLatency } from './latency.ts'
import { nowUs, sentAtUs } from './message.ts'
import { providers } from './provider.ts'

const times = new Map<string, number>()
const latency = makeLatency()
let received = 0
let nameless = 0

const textOf = (request: IncomingMessage, then: (text: string) => void) => {
  let text = ''
  request.setEncoding('utf8')
  request.on('data', (part: string) => {
    text += part
  })
  request.on('end', () => then(text))
}

const server = createServer((request, response) => {
  const answer = (value: unknown) => response.end(JSON.stringify(value))
  if (request.url === '/~report') {
    let doubled = 0
    for (const count of times.values()) if (count > 1) doubled += 1
    answer({ received, unique: times.size, doubled, nameless, latency: latency.quantiles() })
  } else if (request.url === '/~reset') {
    times.clear()
    latency.reset()
    received = 0
    nameless = 0
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
    textOf(request, (text) => {
      received += 1
      const id = provider === undefined ? request.headers['webhook-id'] : provider.idOf(request.headers, text)
      if (typeof id === 'string') times.set(id, (times.get(id) ?? 0) + 1)
      else nameless += 1
      const sent = sentAtUs(text)
      if (sent !== null) latency.record(nowUs() - sent)
      response.writeHead(204).end()
    })
  }
})
server.keepAliveTimeout = 0
server.listen(Number(process.argv[2]), '127.0.0.1')
