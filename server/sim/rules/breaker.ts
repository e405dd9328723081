import { controlOf, usualControl } from '../../src/domain/control.ts'
import type { EndpointId, Millis } from '../../src/domain/ids.ts'
import type { Facts, Rule, Send } from '../model.ts'

/** What one node has found out about an endpoint, from the moment at which its breaker opened. */
type Held =
  | { readonly kind: 'open'; readonly probeAt: Millis; readonly wait: Millis; readonly probe: Send | null }
  /** `failed`: some of what drained has, so that it may have opened again, which no turn tells, and have let a probe go. */
  | { readonly kind: 'draining'; readonly from: Millis; readonly sends: readonly Send[]; readonly failed: boolean }

// As `paced`, and as `drainRate`: the rate doubles that often, and from that on it is none.
const savedUpMs: Millis = 50
const doublingMs: Millis = 5_000
const noLimitFrom = 1_000

/** After this, what a node knows of a breaker need not be what it found out itself. */
const disturbing = new Set<string>(['pause', 'resume', 'disable', 'enable', 'rate', 'resend', 'clock'])

/** While a breaker is open, one probe goes at a time, each after a wait; when one is good, the others follow slowly, then faster. */
export const breaker = ({ scenario, timeline }: Facts): Rule => {
  const isUndisturbed =
    !scenario.steps.some(({ kind }) => disturbing.has(kind)) &&
    !scenario.endpoints.some(({ spells }) => spells.some(({ mood }) => mood === 'gone'))
  if (!isUndisturbed) return { name: 'breaker' }
  const held = new Map<string, Held>()
  const policyOf = (id: EndpointId) =>
    controlOf(usualControl, scenario.endpoints.find((plan) => plan.id === id)?.control ?? {})

  const whyTooSoon = (send: Send, state: Held): string | null => {
    if (state.kind === 'open') {
      if (state.probe !== null) return `while probe #${state.probe.number} is under way`
      return timeline.now < state.probeAt ? `${state.probeAt - timeline.now} ms before its probe` : null
    }
    const rate = policyOf(send.endpointId).breakerDrainRate * 2 ** Math.floor((timeline.now - state.from) / doublingMs)
    if (rate >= noLimitFrom) return null
    let messages = 0
    let largest = 1
    for (const one of [...state.sends, send].toReversed()) {
      messages += one.messageIds.length
      largest = Math.max(largest, one.messageIds.length)
      const span = timeline.now - one.startedAt
      const most = ((span + savedUpMs) * rate) / 1_000 + largest + (state.failed ? 1 : 0)
      if (messages > most + 0.001) return `as the ${messages}th in ${span} ms, draining at ${rate} a second`
    }
    return null
  }

  return {
    name: 'breaker',
    begins(send) {
      const name = `${send.life.name} ${send.endpointId}`
      const state = held.get(name)
      if (state === undefined) return null
      const why = whyTooSoon(send, state)
      if (why !== null) return `${send.life.name} sends to ${send.endpointId}, whose breaker it opened, ${why}`
      held.set(name, state.kind === 'open' ? { ...state, probe: send } : { ...state, sends: [...state.sends, send] })
      return null
    },
    ends(send) {
      const name = `${send.life.name} ${send.endpointId}`
      const state = held.get(name)
      if (state?.kind === 'draining' && send.outcome?.kind !== 'delivered') held.set(name, { ...state, failed: true })
      if (state?.kind !== 'open' || state.probe !== send) return null
      const wait = state.wait * 2
      held.set(
        name,
        send.outcome?.kind === 'delivered'
          ? { kind: 'draining', from: timeline.now, sends: [], failed: false }
          : { kind: 'open', probeAt: timeline.now + wait, wait, probe: null },
      )
      return null
    },
    turned({ name }, { kind, endpointId }) {
      const wait = policyOf(endpointId).breakerProbe
      if (kind === 'breaker-opened')
        held.set(`${name} ${endpointId}`, { kind: 'open', probeAt: timeline.now + wait, wait, probe: null })
      if (kind === 'breaker-closed') held.delete(`${name} ${endpointId}`)
      return null
    },
  }
}
