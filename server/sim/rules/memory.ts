import type { Facts, Rule } from '../model.ts'

/**
 * What a node holds is bounded, and when all is settled it holds nothing. The bound is what it may hold and one claim: while
 * that is on its way, what is published takes the room that it was asked for.
 */
export const memory = ({ scenario: { hotDeliveries, claim }, lives }: Facts): Rule => ({
  name: 'memory',
  always() {
    for (const { name, dead, holds } of lives) {
      const hot = dead ? 0 : (holds?.() ?? 0)
      if (hot > hotDeliveries + claim.deliveries)
        return `${name} holds ${hot} deliveries, and may hold ${hotDeliveries}`
      if (hot < 0) return `${name} holds ${hot} deliveries`
    }
    return null
  },
  inTheEnd() {
    for (const { name, dead, holds } of lives) {
      const hot = dead ? 0 : (holds?.() ?? 0)
      if (hot !== 0) return `all is settled, and ${name} holds ${hot} deliveries`
    }
    return null
  },
})
