// BullMQ on Redis. `node bullmq.ts <api|worker|both> <port> <api key> <receiver url> <redis port>`.
import { Queue, Worker } from 'bullmq'
import { Redis } from 'ioredis'
import { type Job, openDoor } from './door.ts'
import { inFlight, makeSender, retryDelaysMs } from './send.ts'

const [, , role = 'both', port, apiKey = '', receiver = '', redisPort] = process.argv
const queueName = 'webhooks'
const at = { host: '127.0.0.1', port: Number(redisPort) }

if (role !== 'worker') {
  const queue = new Queue<Job>(queueName, {
    // A publish that cannot reach Redis fails instead of waiting (BullMQ, "Going to production"); commands of one turn of
    // the event loop share a round trip.
    connection: new Redis({ ...at, enableOfflineQueue: false, maxRetriesPerRequest: 1, enableAutoPipelining: true }),
    defaultJobOptions: {
      attempts: retryDelaysMs.length + 1,
      backoff: { type: 'custom' },
      removeOnComplete: true,
      removeOnFail: { age: 7 * 86_400 },
    },
  })
  queue.on('error', () => {})
  openDoor(Number(port), apiKey, (job) => queue.add('send', job, { jobId: job.id }))
}

if (role !== 'api') {
  const send = makeSender(receiver)
  const worker = new Worker<Job>(queueName, ({ data }) => send(data), {
    connection: new Redis({ ...at, maxRetriesPerRequest: null }),
    concurrency: inFlight,
    settings: {
      backoffStrategy: (made: number) => (retryDelaysMs[made - 1] ?? 36_000_000) * (0.8 + 0.4 * Math.random()),
    },
  })
  worker.on('error', () => {})
}
