import type { Facts, Rule } from '../model.ts'

/**
 * What begins to be sent is held by its sender, at that moment: no other node can have a valid lease of it, and it is not
 * settled. A request that began in time may outlast its lease, by no more than its timeout.
 */
export const lease = ({ tables, timeline, lives }: Facts): Rule => ({
  name: 'lease',
  begins({ life, messageIds, endpointId }) {
    if (lives.some((other) => other !== life && other.lease === life.lease))
      return `${life.name} has the lease of another`
    for (const messageId of messageIds) {
      const row = tables.queue.find(messageId, endpointId)
      if (row === undefined) return `${life.name} sends ${messageId} to ${endpointId}, where it is settled`
      if (row.lease !== life.lease) {
        return `${life.name} sends ${messageId} to ${endpointId}, which ${row.lease === null ? 'nobody holds' : 'another node holds'}`
      }
      const lapsed = timeline.now + life.clock - row.dueAt
      if (lapsed > 0) return `${life.name} sends ${messageId} to ${endpointId}, ${lapsed} ms after its lease`
    }
    return null
  },
})
