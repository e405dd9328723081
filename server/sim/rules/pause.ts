import type { Facts, Rule } from '../model.ts'
import { hasHeard } from './heard.ts'

/** No request begins to an endpoint that is paused or disabled, as soon as its node has heard of that. */
export const pause = (facts: Facts): Rule => ({
  name: 'pause',
  begins({ life, endpointId }) {
    const { rulings, timeline } = facts
    const said = rulings.get(endpointId) ?? []
    const opened = said.findLastIndex(({ closed }) => !closed)
    const since = said[opened + 1]
    if (since === undefined || !hasHeard(facts, life, since, timeline.now)) return null
    return `${life.name} sends to ${endpointId}, which was closed ${timeline.now - since.at} ms ago by ${since.by.name}`
  },
})
