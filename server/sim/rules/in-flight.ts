import type { Facts, Rule, Send } from '../model.ts'

/** Of each node: no more requests at once to an endpoint, and in all, than it may have. */
export const inFlight = ({ scenario }: Facts): Rule => {
  const caps = new Map(
    scenario.endpoints.map(({ id, control }) => [id, control.maxInFlight ?? scenario.endpointInFlight]),
  )
  const onTheWire = new Set<Send>()
  return {
    name: 'in flight',
    begins(send) {
      const { life, endpointId } = send
      const others = [...onTheWire].filter((other) => other.life === life)
      onTheWire.add(send)
      if (others.length >= scenario.globalInFlight) return `${life.name} has ${others.length + 1} requests in flight`
      const there = others.filter((send) => send.endpointId === endpointId).length + 1
      return there > (caps.get(endpointId) ?? 0)
        ? `${life.name} has ${there} requests in flight to ${endpointId}`
        : null
    },
    ends(send) {
      onTheWire.delete(send)
      return null
    },
  }
}
