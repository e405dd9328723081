import { type Chance, chanceOf } from '../faults/chance.ts'
import { type Case, readCorpus } from './corpus.ts'
import type { Fuzzer, Growth } from './fuzzer.ts'
import { growthFault } from './growth.ts'
import { mutated, smaller } from './mutation.ts'

export interface Finding {
  readonly input: string
  readonly why: string
}

export interface FuzzResult {
  readonly runs: number
  readonly growths: number
  readonly findings: readonly Finding[]
  /** What is to be kept: what was there, and what was new. */
  readonly cases: readonly Case[]
  readonly fresh: number
}

export interface FuzzAsk {
  readonly fuzzer: Fuzzer
  readonly seed: number
  /** Asked before each input, with the number of those before it. */
  readonly goesOn: (runs: number) => boolean
  /** Whether long texts are timed: that takes a machine with nothing else to do. */
  readonly timed: boolean
}

const mostCases = 400
const longestCase = 1_500
const largestCorpus = 180_000
const mostFindings = 5
const runsPerGrowth = 150
// What native code held (keys, unpackers, their buffers) is freed between turns of the event loop only: without them a minute
// of `decoders` takes 8 GB, and 0.7 of the inputs are read (2026-11).
const runsPerTurn = 50

/** Feeds one fuzzer until it is to end, or has found enough. The same seed over the same corpus makes the same inputs. */
export async function fuzz({ fuzzer, seed, goesOn, timed }: FuzzAsk): Promise<FuzzResult> {
  const chance = chanceOf(seed, fuzzer.name)
  const findings = new Map<string, Finding>()
  const kept = new Map<string, Case>()
  let size = 0
  const keep = (one: Case): void => {
    if (kept.has(one.input)) return
    kept.set(one.input, one)
    size += one.input.length
  }
  const outcomes = new Set<string>()
  const tryOne = async (input: string): Promise<void> => {
    const seen = await outcomeOf(fuzzer, input)
    if ('why' in seen) {
      const kind = kindOf(seen.why)
      if (findings.has(kind)) return
      const smallest = await minimal(fuzzer, seen, kind)
      findings.set(kind, smallest)
      keep({ input: smallest.input, outcome: null })
    } else if (!outcomes.has(seen.outcome)) {
      outcomes.add(seen.outcome)
      if (kept.size < mostCases && input.length <= longestCase && size < largestCorpus) {
        keep({ input, outcome: seen.outcome })
      }
    }
  }
  const grow = (growth: Growth): void => {
    // What is measured once may be a moment of the machine.
    const why = growthFault(fuzzer, growth) === null ? null : growthFault(fuzzer, growth)
    if (why !== null && !findings.has('growth')) findings.set('growth', { input: JSON.stringify(growth), why })
  }

  for (const { input } of readCorpus(fuzzer.name)) {
    await tryOne(input)
    // What a person has set beside an outcome that another input has as well stays.
    const seen = await outcomeOf(fuzzer, input)
    if ('outcome' in seen) keep({ input, outcome: seen.outcome })
  }
  const before = kept.size
  let runs = 0
  let growths = 0
  for (const growth of timed ? fuzzer.growths : []) {
    grow(growth)
    growths += 1
  }
  for (; goesOn(runs) && findings.size < mostFindings; runs++) {
    const inputs = [...kept.keys()]
    await tryOne(inputFor(fuzzer, chance, inputs))
    if (runs % runsPerTurn === 0) await new Promise(setImmediate)
    if (timed && runs % runsPerGrowth === 0) {
      grow(growthOf(fuzzer, chance, inputs))
      growths += 1
    }
  }
  return { runs, growths, findings: [...findings.values()], cases: [...kept.values()], fresh: kept.size - before }
}

function inputFor(fuzzer: Fuzzer, chance: Chance, inputs: readonly string[]): string {
  const from = chance.random()
  if (from < 0.35 || inputs.length === 0) return fuzzer.make(chance)
  const start = from < 0.6 ? fuzzer.make(chance) : (inputs[chance.between(0, inputs.length - 1)] ?? '')
  return mutated(start, chance, fuzzer.words, inputs)
}

/** Something before, something over and over, something behind: what patterns that look back do not like. */
function growthOf(fuzzer: Fuzzer, chance: Chance, inputs: readonly string[]): Growth {
  const piece = (most: number): string => {
    if (chance.comesTrue(0.4)) return fuzzer.words[chance.between(0, fuzzer.words.length - 1)] ?? ''
    const whole = chance.comesTrue(0.5) ? fuzzer.make(chance) : (inputs[chance.between(0, inputs.length - 1)] ?? '')
    const start = chance.between(0, whole.length)
    return whole.slice(start, start + chance.between(1, most))
  }
  const whole = fuzzer.make(chance)
  const cut = chance.between(0, whole.length)
  return {
    before: whole.slice(0, cut),
    unit: piece(8) || ' ',
    behind: chance.comesTrue(0.5) ? whole.slice(cut) : piece(3),
  }
}

export async function outcomeOf(fuzzer: Fuzzer, input: string): Promise<{ readonly outcome: string } | Finding> {
  try {
    return { outcome: await fuzzer.judge(input) }
  } catch (error) {
    return { input, why: error instanceof Error ? `${error.name}: ${error.message}` : String(error) }
  }
}

// Two findings with the same words are one, whatever the input is that they quote.
const kindOf = (why: string): string => why.replaceAll(/".*"|'.*'|\d+/gs, '').slice(0, 60)

async function minimal(fuzzer: Fuzzer, finding: Finding, kind: string): Promise<Finding> {
  let found = finding
  for (let tries = 0, again = true; again && tries < 2_000; ) {
    again = false
    for (const less of smaller(found.input)) {
      if (++tries >= 2_000) break
      const seen = await outcomeOf(fuzzer, less)
      if (!('why' in seen) || kindOf(seen.why) !== kind) continue
      found = seen
      again = true
      break
    }
  }
  return found
}
