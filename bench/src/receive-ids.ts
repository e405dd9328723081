import type { Databases } from './database.ts'
import { startGateway } from './gateway.ts'
import { closedLoop } from './generator.ts'
import { audit, countsOf, drained } from './ledger.ts'
import type { Options } from './options.ts'
import { progress } from './progress.ts'
import { providers } from './provider.ts'
import { type Answer, senderTo } from './receive-load.ts'
import { startCountingReceiver } from './receiver.ts'
import type { Report } from './report.ts'
import { refused } from './round.ts'
import { table, whole } from './table.ts'

// One request in twenty is sent twice, by turns at the same moment and after the answer.
const repeatEvery = 20

const repeatOf = (number: number) =>
  number % repeatEvery > 0 ? 'no' : number % (2 * repeatEvery) > 0 ? 'after' : 'at-once'

const isSame = (one: Answer, other: Answer): boolean =>
  one.status === other.status && one.contentType === other.contentType && one.body === other.body

/**
 * Requests of all providers, some of them repeated, on a receiver that keeps ids. Its generator is always Node: wrk does
 * not tell which request an answer belongs to.
 */
export async function receivedIds(options: Options, databases: Databases): Promise<Pick<Report, 'parts' | 'faults'>> {
  const { connections } = options
  await using receiver = await startCountingReceiver()
  await using database = await databases.fresh(options.database)
  await using gateway = await startGateway(database)
  const doors = await Promise.all(
    providers.map((provider) => gateway.addSource(provider, `${receiver.url}/${provider.type}`)),
  )

  const load = async (seconds: number) => {
    const lanes = doors.map((door) => ({ sender: senderTo(door, Math.ceil(connections / doors.length)), sent: 0 }))
    const acknowledged: string[] = []
    let [turn, repeated, different] = [0, 0, 0]
    const seen = await closedLoop({ seconds, connections }, async () => {
      const lane = lanes[turn++ % lanes.length]
      if (lane === undefined) throw new Error('no provider')
      const { id, answers } = await lane.sender.send(repeatOf(lane.sent++))
      const [first, second] = answers
      if (first?.status !== 200 || second === null) return false
      acknowledged.push(id)
      if (second !== undefined) {
        repeated += 1
        if (!isSame(first, second)) different += 1
      }
      return true
    })
    await Promise.all(lanes.map(({ sender }) => sender.close()))
    return { ...seen, acknowledged, repeated, different }
  }

  const duplicatesOf = async () =>
    (await gateway.metrics()).sum('posthorn_requests_received_total', { as: 'duplicate' })

  if (options.warmupS > 0) await load(options.warmupS)
  await drained(gateway)
  await receiver.reset()
  const [before, duplicatesBefore] = [await countsOf(gateway), await duplicatesOf()]
  const seen = await load(options.seconds)
  const drainS = await drained(gateway)
  const made = (await countsOf(gateway)).accepted - before.accepted
  const duplicates = (await duplicatesOf()) - duplicatesBefore
  const found = await audit(receiver, seen.acknowledged, 0)
  progress(`ids: ${whole(found.accepted)} acknowledged, ${found.lost} lost, ${found.doubled} doubled`)
  const rows = [
    ['acknowledged/s', whole(seen.accepted / seen.seconds)],
    ['acknowledged', whole(found.accepted)],
    ['of these, sent twice', whole(seen.repeated)],
    ['counted as duplicates', whole(duplicates)],
    ['answered differently the second time', whole(seen.different)],
    ['messages made', whole(made)],
    ['lost', whole(found.lost)],
    ['doubled', whole(found.doubled)],
  ]
  const name = 'ids at full load'
  return {
    parts: [
      `### Ids at full load\n\nRequests of all providers, on a new gateway with a source for each. One in ${repeatEvery} is sent twice: at the \
same moment or after the answer, by turns. The Node generator reads every answer, the Node receiver keeps the provider's id of every \
delivery; both take CPU from the gateway: lower rates than above are theirs.`,
      table(['', 'gateway'], rows),
    ],
    faults: [
      ...refused(name, seen),
      ...(drainS === null ? [`${name}: not everything was delivered within two minutes after the load`] : []),
      ...(seen.different > 0 ? [`${name}: ${whole(seen.different)} repeated requests were answered differently`] : []),
      ...(duplicates !== seen.repeated
        ? [`${name}: ${whole(seen.repeated)} requests were sent twice, ${whole(duplicates)} counted as duplicates`]
        : []),
      ...(made > found.accepted
        ? [`${name}: ${whole(made - found.accepted)} messages more than requests acknowledged`]
        : []),
      ...found.faults,
    ],
  }
}
