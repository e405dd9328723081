import type { Life } from '../life.ts'
import type { Facts, Rule } from '../model.ts'

/** Of each node: no more requests at once to an endpoint, and in all, than it may have. */
export const inFlight = ({ scenario, sends }: Facts): Rule => {
  const caps = new Map(
    scenario.endpoints.map(({ id, control }) => [id, control.maxInFlight ?? scenario.endpointInFlight]),
  )
  const onTheWire = (life: Life) => sends.filter((send) => send.life === life && send.endedAt === null)
  return {
    name: 'in flight',
    begins({ life, endpointId }) {
      const others = onTheWire(life)
      if (others.length >= scenario.globalInFlight) return `${life.name} has ${others.length + 1} requests in flight`
      const there = others.filter((send) => send.endpointId === endpointId).length + 1
      return there > (caps.get(endpointId) ?? 0)
        ? `${life.name} has ${there} requests in flight to ${endpointId}`
        : null
    },
  }
}
