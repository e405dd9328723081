import type { EndpointId } from '../../src/domain/ids.ts'
import type { Facts, Rule } from '../model.ts'

/**
 * What is stored goes to every endpoint that wants it, and all of it is over in the end: delivered, given up, or kept aside
 * for somebody to resend. (That it comes to an end at all is seen by whoever waits for it.)
 */
export const settles = ({ tables }: Facts): Rule => {
  // Its node knows before it is stored.
  const gone = new Set<EndpointId>()
  return {
    name: 'settles',
    turned(_, { kind, endpointId }) {
      if (kind === 'disable') gone.add(endpointId)
      return null
    },
    committed(_, { messages, deliveries }) {
      for (const { id, applicationId } of messages) {
        if (!tables.messages.has(id)) continue
        for (const endpoint of tables.endpointsOf(applicationId)) {
          const has = deliveries.some(({ messageId, endpointId }) => messageId === id && endpointId === endpoint.id)
          if (!has && endpoint.disabledBecause === null && !gone.has(endpoint.id))
            return `${id} is stored without its delivery to ${endpoint.id}`
        }
      }
      return null
    },
    inTheEnd() {
      for (const { id, applicationId } of tables.messages.values()) {
        for (const { id: endpointId } of tables.endpointsOf(applicationId)) {
          const row = tables.queue.find(id, endpointId)
          if (row !== undefined && row.held !== 'parked') return `${id} still waits for ${endpointId}`
        }
      }
      return null
    },
  }
}
