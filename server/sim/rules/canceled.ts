import type { Facts, Rule } from '../model.ts'

/** What its own node is told to cancel while it is under way ends with that try, in whatever order it stands. */
export const canceled = ({ cancels, storyOf }: Facts): Rule => ({
  name: 'canceled',
  settled(row, settlement) {
    if (settlement.kind === 'finish') return null
    const { sends, resentAt } = storyOf(row)
    const send = sends.findLast(({ life, endedAt }) => life.lease === row.lease && endedAt !== null)
    if (send === undefined || (resentAt !== null && resentAt >= send.startedAt)) return null
    const { life, startedAt, number } = send
    const cancel = cancels.find(({ messageId, by, at }) => messageId === row.messageId && by === life && at > startedAt)
    return cancel ? `${row.messageId} was canceled during #${number}, and that came to ${settlement.kind}` : null
  },
})
