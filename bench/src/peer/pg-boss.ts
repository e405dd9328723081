// pg-boss on PostgreSQL. `node pg-boss.ts <api|worker|both> <port> <api key> <receiver url> <database url>`.
import { PgBoss } from 'pg-boss'
import { type Job, openDoor } from './door.ts'
import { inFlight, makeSender, retryDelaysMs } from './send.ts'

const [, , role = 'both', port, apiKey = '', receiver = '', connectionString = ''] = process.argv
const queueName = 'webhooks'

// Without listen/notify: a commit that notifies waits for the one before it, its fsync included. That took 88 messages a
// second in the place of 782 (2026-11-21, both on the same busy machine); the price is up to half a second of polling.
const boss = new PgBoss({
  connectionString,
  max: 20,
  schedule: false,
  superviseIntervalSeconds: 10,
  monitorIntervalSeconds: 10,
})
boss.on('error', () => {})
await boss.start()
await boss.createQueue(queueName, {
  // Its backoff doubles; the first wait and the number of tries are as everybody's here.
  retryLimit: retryDelaysMs.length,
  retryDelay: 5,
  retryBackoff: true,
  retryDelayMax: 36_000,
  // What a killed worker held is tried again after so long, looked for every 10 s. The usual 15 minutes are for longer
  // jobs than these; BullMQ's usual lock, and the gateway's lease, are 30 s too.
  expireInSeconds: 30,
  deleteAfterSeconds: 3600,
})

if (role !== 'worker') openDoor(Number(port), apiKey, (job) => boss.send(queueName, job))

if (role !== 'api') {
  const send = makeSender(receiver)
  const workers = 4
  const how = {
    batchSize: inFlight / workers,
    localConcurrency: workers,
    pollingIntervalSeconds: 0.5, // the least it takes
    burstWhenBatchFull: true,
    perJobResults: true,
  } as const
  await boss.work<Job, unknown, typeof how>(queueName, how, (jobs) =>
    Promise.all(
      jobs.map(async ({ id, data }) => {
        try {
          await send(data)
          return { id, status: 'completed' as const }
        } catch (error) {
          return { id, status: 'failed' as const, output: { message: String(error) } }
        }
      }),
    ),
  )
}
