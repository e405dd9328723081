import { getHeapStatistics } from 'node:v8'
import type { Fuzzer, Growth, Limits } from './fuzzer.ts'

// Whatever comes faster is not worth being asked how it grows: of a request, it is lost in the rest.
const cheapMs = 20
// Where text grows twofold, linear work grows 2, sorting a little more, squares 4. What is in between is the measurement:
// caches, garbage.
const mostTimes = 3
// Beyond so many milliseconds the others that this process serves wait and notice.
const usual: Limits = { mostMs: 150, mostBytesPerCharacter: 1_000, mayBeSquare: false }
const freeBytes = 4 * 1024 * 1024
// Processor time is counted in ticks on some machines (10 ms, Linux without precise accounting): what is compared lasts
// some of them.
const measuredMs = 60
const shortest = 1_024

/** A text of about that length. */
const grown = ({ before, unit, behind }: Growth, length: number): string =>
  before + unit.repeat(Math.max(1, Math.floor((length - before.length - behind.length) / unit.length))) + behind

function cpuMs(): number {
  // Of this thread alone, so that neither other processes nor the collector's helpers count.
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1_000
}

const allocated = (): number => getHeapStatistics().total_allocated_bytes

function readOnce(fuzzer: Fuzzer, input: string): void {
  try {
    fuzzer.read(input)
  } catch {
    // Whether it may throw this is the judge's matter; here it is only to be quick.
  }
}

function onceMs(fuzzer: Fuzzer, input: string): number {
  const startedAt = cpuMs()
  readOnce(fuzzer, input)
  return cpuMs() - startedAt
}

function meanMs(fuzzer: Fuzzer, input: string): number {
  const startedAt = cpuMs()
  let times = 0
  let ms = 0
  for (; ms < measuredMs; times++) {
    readOnce(fuzzer, input)
    ms = cpuMs() - startedAt
  }
  return ms / times
}

/** What is wrong with how the work grows with the text; null: nothing. */
export function growthFault(fuzzer: Fuzzer, growth: Growth): string | null {
  const { mostBytesPerCharacter } = fuzzer.limits ?? usual
  // Step by step, since what grows like a square would take minutes at the longest.
  for (let length = shortest; length <= fuzzer.longest; length *= 2) {
    const text = grown(growth, length)
    const held = allocated()
    const ms = onceMs(fuzzer, text)
    const made = allocated() - held
    if (made > freeBytes + text.length * mostBytesPerCharacter) {
      return `${text.length} characters made ${Math.round(made / 1024)} KiB`
    }
    if (ms >= cheapMs) {
      const fault = slownessOf(fuzzer, growth, length)
      if (fault !== null) return fault
    }
  }
  return null
}

function slownessOf(fuzzer: Fuzzer, growth: Growth, length: number): string | null {
  const { mostMs, mayBeSquare } = fuzzer.limits ?? usual
  const [quarter = 0, half = 0, whole = 0] = [length / 4, length / 2, length].map((part) =>
    meanMs(fuzzer, grown(growth, part)),
  )
  const told = `${length / 4}, ${length / 2}, ${length} characters took ${[quarter, half, whole].map((ms) => ms.toFixed(1)).join(', ')} ms`
  if (whole > mostMs) return `${told}: ${mostMs} are the most`
  const isSquare = whole > cheapMs / 2 && whole > half * mostTimes && half > quarter * mostTimes
  return isSquare && !mayBeSquare ? `${told}: it grows like a square` : null
}
