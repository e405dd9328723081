import { usualSettings } from '../src/domain/environment.ts'
import type { Millis } from '../src/domain/ids.ts'
import { Deeds } from './deeds.ts'
import { type Fleet, makeFleet } from './fleet.ts'
import { Model, type Violation } from './model.ts'
import { Receivers } from './receivers.ts'
import { rules } from './rules/rules.ts'
import { applicationIdOf, environmentId, type Scenario, urlOf } from './scenario.ts'
import { sealedOf } from './sealed.ts'
import type { QueueWatch } from './store/queue.ts'
import { Tables } from './store/tables.ts'
import { Timeline } from './timeline.ts'

/** What became of a scenario. */
export interface Result {
  readonly violation: Violation | null
  /** Events that happened, and how long that took on its own clock. */
  readonly events: number
  readonly elapsed: Millis
  readonly messages: number
  readonly sends: number
}

const lookEveryMs: Millis = 200
// Enough for whatever the last commits have set off, and for the stop of a node that is far from the store (0.7 s was not).
const restMs: Millis = 1_500
// The longest that an open breaker waits for its next probe is five minutes.
const patienceMs: Millis = 400_000

/** Runs a scenario from its beginning until all is settled, or a rule is broken. `note` gets what happens, line by line. */
export async function simulate(scenario: Scenario, note: ((line: string) => void) | null = null): Promise<Result> {
  const timeline = new Timeline()
  const model = new Model(scenario, timeline, (watch) => filledTables(scenario, timeline, watch), rules, note)
  const { tables } = model
  const fleet = makeFleet(model, tables, new Receivers(model))
  const deeds = new Deeds(model, fleet)
  for (let place = 0; place < scenario.nodes; place++) fleet.start(place)
  deeds.plan()
  let isOver = false
  whenSettled(model, tables, fleet, deeds, () => {
    isOver = true
  })
  try {
    await timeline.run(() => {
      model.always()
      return isOver || model.violation !== null
    })
  } catch (error) {
    model.violated('defect', error instanceof Error ? error.message : String(error))
  }
  if (model.violation === null) model.inTheEnd()
  return {
    violation: model.violation,
    events: timeline.happened,
    elapsed: timeline.elapsed,
    messages: tables.messages.size,
    sends: model.sends.length,
  }
}

function whenSettled(model: Model, tables: Tables, fleet: Fleet, deeds: Deeds, over: () => void): void {
  const { timeline, scenario } = model
  let rested = false
  const look = (): void => {
    const waits = whatWaits(tables, fleet, deeds)
    if (waits === null && rested) {
      over()
      return
    }
    rested = waits === null
    if (rested) {
      timeline.after(restMs, null, look)
      return
    }
    if (timeline.elapsed > scenario.calmAt + patienceMs)
      model.violated('settles', `all has long been calm, and ${waits}`)
    timeline.after(lookEveryMs, null, look)
  }
  timeline.after(scenario.calmAt + 1, null, look)
}

/** Null: nothing. */
function whatWaits({ queue, endpoints }: Tables, fleet: Fleet, deeds: Deeds): string | null {
  if (!deeds.areDone) return 'somebody still waits for an answer'
  const waiting = [...queue.all].find(({ held }) => held !== 'parked')
  if (waiting) return `${waiting.messageId} waits for ${waiting.endpointId}`
  for (const { life, node } of fleet.nodes) {
    if (node === null) return `${life.name} does not start`
    if (node.dispatcher.inFlight > 0) return `${life.name} has ${node.dispatcher.inFlight} requests in flight`
    if (node.commits.underWay > 0) return `${life.name} has commits under way`
  }
  const closed = [...endpoints.values()].find(
    ({ pausedAt, disabledBecause }) => pausedAt !== null || disabledBecause !== null,
  )
  if (closed) return `${closed.id} is closed`
  const open = [...endpoints.values()].find(({ breakerOpenedAt }) => breakerOpenedAt !== null)
  return open ? `the breaker of ${open.id} is open` : null
}

function filledTables(scenario: Scenario, timeline: Timeline, watch: QueueWatch): Tables {
  const at = timeline.now
  const made = { createdAt: at, updatedAt: at, revision: 1, uid: null, metadata: {}, pausedAt: null }
  const environment = { id: environmentId, name: 'simulated', settings: usualSettings, ...made }
  const tables = new Tables(environment, () => timeline.now, watch)
  for (const [number, throttleRate] of scenario.applicationRates.entries()) {
    const id = applicationIdOf(number)
    const endpoints = scenario.endpoints
      .filter(({ applicationId }) => applicationId === id)
      .map((plan) => ({
        ...{ ...made, id: plan.id, applicationId: id, url: urlOf(plan.id), description: '' },
        ...{ eventTypes: null, channels: null, filter: null, control: plan.control, throttleRate: plan.throttleRate },
        ...{ disabledBecause: null, failingSince: null, breakerOpenedAt: null },
        ...sealedOf(plan.id),
      }))
    const row = { ...made, id, environmentId, name: '', throttleRate, control: {}, kind: 'customer' as const }
    tables.insertApplication(row, endpoints)
  }
  return tables
}
