import type { Facts, Rule } from '../model.ts'

/**
 * Of messages with one ordering key, none goes out while one before it has not been let go of: delivered, given up, parked or
 * skipped. One that came to the store only when the next was on its way goes behind it; what somebody asks for by hand goes at once.
 */
export const order = ({ tables, storyOf }: Facts): Rule => ({
  name: 'order',
  begins({ messageIds, endpointId, life }) {
    for (const messageId of messageIds) {
      const row = tables.queue.find(messageId, endpointId)
      const story = storyOf({ messageId, endpointId })
      if (row === undefined || row.orderKey === null || story.resentAt !== null) continue
      for (const other of tables.queue.ofEndpoint(endpointId)) {
        if (other.orderKey !== row.orderKey || other.messageId === messageId) continue
        const { resentAt, addedIn } = storyOf(other)
        if (resentAt !== null) continue
        const told = `${life.name} sends ${messageId} of '${row.orderKey}' to ${endpointId}`
        if (other.held === null && other.lease !== null) return `${told}, while ${other.messageId} is let go as well`
        const cameBefore = addedIn < (story.firstClaimedIn ?? Number.POSITIVE_INFINITY)
        if (other.messageId < messageId && cameBefore) return `${told}, past ${other.messageId}`
      }
    }
    return null
  },
})
