import { readFileSync } from 'node:fs'

/** Two of it are more than a turn of the loop takes. */
const beatMs = 50
const worthNotingMs = 50

interface Gap {
  readonly from: number
  readonly until: number
}

/** When this process, callers and receiver and wires in one, did not get to do anything. Times are `Date.now()`. */
export class OwnPauses {
  readonly #gaps: Gap[] = []
  readonly #timer: NodeJS.Timeout
  #beatAt = Date.now()

  constructor() {
    this.#timer = setInterval(() => {
      const [from, until] = [this.#beatAt, Date.now()]
      this.#beatAt = until
      if (until - from > beatMs + worthNotingMs) this.#gaps.push({ from, until })
    }, beatMs)
  }

  stop(): readonly Gap[] {
    clearInterval(this.#timer)
    return this.#gaps
  }
}

/** How many milliseconds of a span are in the gaps. */
export const pausedWithin = (gaps: readonly Gap[], from: number, until: number): number =>
  gaps.reduce((sum, gap) => sum + Math.max(0, Math.min(gap.until, until) - Math.max(gap.from, from)), 0)

/** Since when what was seen at a moment may have been there: gap after gap, with less than a beat or two between them. */
export function mayHaveComeAt(gaps: readonly Gap[], at: number): number {
  let since = at
  for (const gap of gaps.toReversed()) if (gap.from < since && gap.until >= since - 2 * beatMs) since = gap.from
  return since
}

/** How long the main thread of a process has waited for a processor, as the system counts it. */
export class Starvation {
  readonly #samples: { readonly at: number; readonly waitedMs: number }[] = []

  /** Notes the count of now. */
  note(pid: number): void {
    try {
      // Nanoseconds on a run queue (Linux, Documentation/scheduler/sched-stats.rst).
      const waited = Number(readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ')[1])
      this.add(Date.now(), waited / 1_000_000)
    } catch {
      // Gone between two lines, or a system that does not tell.
    }
  }

  add(at: number, waitedMs: number): void {
    this.#samples.push({ at, waitedMs })
  }

  /** Milliseconds within a span, and up to the samples around it. */
  within(from: number, until: number): number {
    const before = this.#samples.findLast(({ at }) => at <= from) ?? this.#samples[0]
    const after = this.#samples.find(({ at }) => at >= until) ?? this.#samples.at(-1)
    return before === undefined || after === undefined ? 0 : Math.max(0, after.waitedMs - before.waitedMs)
  }
}
