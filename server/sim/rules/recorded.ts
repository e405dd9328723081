import type { AttemptId, MessageId } from '../../src/domain/ids.ts'
import type { Facts, Rule, Send } from '../model.ts'

/**
 * Each try is kept once, and what follows from it is written in the very same commit, if its node still holds the
 * delivery. A try that nobody lived to write down may be missing.
 */
export const recorded = ({ tables, sends, storyOf }: Facts): Rule => {
  const records = new Map<Send, Map<MessageId, AttemptId>>()
  const recordsOf = (send: Send): Map<MessageId, AttemptId> => {
    const known = records.get(send) ?? new Map<MessageId, AttemptId>()
    records.set(send, known)
    return known
  }
  return {
    name: 'recorded',
    committed(life, { attempts, lease }) {
      for (const { id, messageId, endpointId, ended, response } of attempts) {
        if (ended !== null) continue
        const send = sends[Number(response.slice('send '.length)) - 1]
        if (send?.life !== life || !send.messageIds.includes(messageId))
          return `${life.name} records ${response} as its own`
        const known = recordsOf(send)
        const other = known.get(messageId)
        if (other !== undefined && other !== id) return `#${send.number} of ${messageId} is recorded twice`
        if (other === undefined) {
          known.set(messageId, id)
          const row = tables.queue.find(messageId, endpointId)
          const { claimedIn, addedIn } = storyOf({ messageId, endpointId })
          const isHeldSince = row?.lease === lease && (claimedIn ?? addedIn) <= send.startedIn
          if (isHeldSince) return `#${send.number} of ${messageId} is recorded, and nothing follows from it`
        }
      }
      return null
    },
    inTheEnd() {
      for (const send of sends) {
        const { life, messageIds, number, endedAt } = send
        if (endedAt === null || life.dead || life.closed) continue
        const missing = messageIds.find((id) => !recordsOf(send).has(id))
        if (missing) return `#${number} of ${missing}, sent by ${life.name}, was never recorded`
      }
      return null
    },
  }
}
