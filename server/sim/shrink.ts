import type { Violation } from './model.ts'
import type { EndpointPlan, Scenario, Step } from './scenario.ts'
import { simulate } from './simulate.ts'

// A few milliseconds each.
const mostTries = 400

/** A smaller scenario that breaks the same rule, as small as leaving out makes it. */
export async function shrink(scenario: Scenario, { rule }: Violation): Promise<Scenario> {
  let tries = 0
  const stillBreaks = async (candidate: Scenario): Promise<boolean> => {
    tries += 1
    return tries <= mostTries && (await simulate(candidate)).violation?.rule === rule
  }
  let smallest = scenario
  for (let before = -1; before !== sizeOf(smallest) && tries < mostTries; ) {
    before = sizeOf(smallest)
    for (let share = Math.max(1, smallest.steps.length >> 1); share >= 1; share = share === 1 ? 0 : share >> 1) {
      for (let from = 0; from < smallest.steps.length; ) {
        const steps = smallest.steps.toSpliced(from, share)
        const candidate = { ...smallest, steps }
        if (await stillBreaks(candidate)) smallest = candidate
        else from += share
      }
    }
    for (const candidate of simpler(smallest))
      if (await stillBreaks(candidate(smallest))) smallest = candidate(smallest)
  }
  return smallest
}

const sizeOf = (scenario: Scenario): number => JSON.stringify(scenario).length

/** One thing less each. */
function simpler({ weather, steps, endpoints }: Scenario): readonly ((scenario: Scenario) => Scenario)[] {
  const step = (at: number, less: (step: Step) => Step) => (scenario: Scenario) => ({
    ...scenario,
    steps: scenario.steps.map((one, place) => (place === at ? less(one) : one)),
  })
  const endpoint = (at: number, less: (plan: EndpointPlan) => EndpointPlan) => (scenario: Scenario) => ({
    ...scenario,
    endpoints: scenario.endpoints.map((one, place) => (place === at ? less(one) : one)),
  })
  return [
    ...weather.map((spell) => (scenario: Scenario) => ({
      ...scenario,
      weather: scenario.weather.filter((other) => other !== spell),
    })),
    ...steps.map((_, at) =>
      step(at, (one) => (one.kind === 'publish' ? { ...one, count: Math.ceil(one.count / 2) } : one)),
    ),
    ...steps.map((_, at) =>
      step(at, (one) => (one.kind === 'publish' ? { ...one, named: false, together: false } : one)),
    ),
    ...endpoints.map((_, at) => endpoint(at, (plan) => ({ ...plan, poisoned: 0 }))),
    ...endpoints.map((_, at) => endpoint(at, (plan) => ({ ...plan, throttleRate: null }))),
    ...endpoints.map((_, at) => endpoint(at, (plan) => ({ ...plan, spells: plan.spells.slice(-1) }))),
    (scenario) => ({ ...scenario, applicationRates: scenario.applicationRates.map(() => null) }),
    (scenario) => ({ ...scenario, clocks: scenario.clocks.map(() => 0) }),
    // Those of the last application, if it is the last of its kind: applications are counted by their rates.
    ...endpoints.map(({ id }) => (scenario: Scenario) => ({
      ...scenario,
      endpoints:
        scenario.endpoints.length > 1 ? scenario.endpoints.filter((plan) => plan.id !== id) : scenario.endpoints,
    })),
  ]
}
