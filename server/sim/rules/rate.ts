import type { EndpointId, Millis } from '../../src/domain/ids.ts'
import type { Facts, Rule, Ruling, Send } from '../model.ts'
import { hasHeard } from './heard.ts'

// As `paced`: what a late timer may make good.
const savedUpMs: Millis = 50
// Whoever is too fast is so within this.
const longestSpanMs: Millis = 3_000

/**
 * Over any span, all nodes together send no more than the rate of that span allows, and one each beside it. A rate that was
 * changed counts for as long as somebody may not have heard of it.
 */
export const rate = (facts: Facts): Rule => {
  const { scenario, rulings, timeline } = facts
  const sent = new Map<string, Send[]>()
  // A clock that is set forward is time that has passed, for who goes by it.
  const steppedMs = scenario.steps.reduce((sum, step) => (step.kind === 'clock' ? sum + Math.abs(step.ms) : sum), 0)
  const ofApplication = new Map(scenario.endpoints.map(({ id, applicationId }) => [id, applicationId]))

  const allowedSince = (endpointId: EndpointId, usual: number | null): ((at: Millis) => number) => {
    const said = rulings.get(endpointId) ?? []
    const all = [
      { at: 0, perSecond: usual ?? 0, over: said[0] },
      ...said.map((one, at) => ({ at: one.at, perSecond: one.perSecond, over: said[at + 1] })),
    ]
    const isOver = (over: Ruling | undefined, at: Millis): boolean =>
      over !== undefined && over.at < at && facts.lives.every((life) => life.dead || hasHeard(facts, life, over, at))
    return (since) => {
      const counting = all.filter(({ over }) => !isOver(over, since))
      return counting.some(({ perSecond }) => perSecond === 0)
        ? 0
        : Math.max(...counting.map(({ perSecond }) => perSecond))
    }
  }

  const tooMany = (
    name: string,
    send: Send,
    allowed: (since: Millis) => number,
    changes: readonly Ruling[] = [],
  ): string | null => {
    const all = sent.get(name) ?? []
    sent.set(name, all)
    all.push(send)
    const lives = new Set<string>()
    // Heard of a while after it was said.
    const changesSince = (since: Millis): number => changes.filter(({ at }) => at > since - longestSpanMs).length
    let messages = 0
    let largest = 1
    for (let at = all.length - 1; at >= 0; at--) {
      const one = all[at]
      if (one === undefined || timeline.now - one.startedAt > longestSpanMs) break
      largest = Math.max(largest, one.messageIds.length)
      lives.add(one.life.name)
      messages += one.messageIds.length
      const span = timeline.now - one.startedAt
      const perSecond = allowed(one.startedAt)
      if (perSecond === 0) return null
      // Each life may begin with one request at once, however many messages that has; and a new rate is begun without
      // what was owed to the old one.
      const beginnings = 1 + changesSince(one.startedAt)
      const most = ((span + steppedMs + beginnings * savedUpMs) * perSecond) / 1_000 + beginnings * lives.size * largest
      if (messages > most + 0.001) {
        return `${messages} messages in ${span} ms by ${[...lives].join(', ')} to ${name}: ${perSecond} a second are allowed`
      }
    }
    return null
  }

  return {
    name: 'rate',
    begins(send) {
      const plan = scenario.endpoints.find(({ id }) => id === send.endpointId)
      if (plan === undefined) return null
      const said = rulings.get(plan.id) ?? []
      const limited = plan.throttleRate !== null || said.some(({ perSecond }) => perSecond > 0)
      const own = limited ? tooMany(plan.id, send, allowedSince(plan.id, plan.throttleRate), said) : null
      if (own !== null) return own
      const applicationId = ofApplication.get(plan.id) ?? ''
      const number = [...new Set(ofApplication.values())].toSorted().indexOf(plan.applicationId)
      const shared = scenario.applicationRates[number] ?? 0
      return shared === 0 ? null : tooMany(applicationId, send, () => shared)
    },
  }
}
