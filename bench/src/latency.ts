import { createHistogram } from 'node:perf_hooks'

export interface Quantiles {
  readonly count: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly maxMs: number
}

/** Counts latencies, to three significant digits. */
export interface Latency {
  record(us: number): void
  quantiles(): Quantiles
  reset(): void
}

export function makeLatency(): Latency {
  // From 1 µs to 1 h. Clocks of two processes may disagree by a few µs: what looks negative counts as 1 µs.
  const histogram = createHistogram({ lowest: 1, highest: 3_600_000_000, figures: 3 })
  return {
    record: (us) => histogram.record(Math.max(1, Math.round(us))),
    quantiles: () => {
      const ms = (value: number) => (histogram.count === 0 ? Number.NaN : value / 1000)
      return {
        count: histogram.count,
        p50Ms: ms(histogram.percentile(50)),
        p99Ms: ms(histogram.percentile(99)),
        maxMs: ms(histogram.max),
      }
    },
    reset: () => histogram.reset(),
  }
}
