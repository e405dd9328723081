import type { Facts, Rule, Send } from '../model.ts'

/**
 * Where nothing goes wrong, nothing is sent twice: not while it is on the wire, and not after it was delivered. What went
 * wrong for a node counts for as long as a lease of that time could have been lost by it.
 */
export const once = ({ scenario, timeline, storyOf }: Facts): Rule => {
  const excused = ({ life, startedAt }: Send): boolean =>
    life.dead || life.closed || life.troubledAt > startedAt - 2 * scenario.leaseMs
  return {
    name: 'once',
    begins({ endpointId, messageIds }) {
      for (const messageId of messageIds) {
        const { sends, resentAt } = storyOf({ messageId, endpointId })
        const earlier = sends.findLast(({ endedAt, outcome }) => endedAt === null || outcome?.kind === 'delivered')
        if (earlier === undefined || excused(earlier)) continue
        if (resentAt !== null && resentAt >= earlier.startedAt) continue
        const ago = timeline.now - earlier.startedAt
        const what = earlier.endedAt === null ? 'is on the wire' : 'was delivered'
        return `${messageId} goes to ${endpointId} again, and ${what} since #${earlier.number} of ${ago} ms ago`
      }
      return null
    },
  }
}
