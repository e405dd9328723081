/** A histogram as Prometheus has it: for each upper bound, how many were not above it. The last bound is infinite. */
export type Histogram = ReadonlyMap<number, number>

const countOf = (histogram: Histogram): number => histogram.get(Number.POSITIVE_INFINITY) ?? 0

/** Several of the same bounds as one. */
export function together(histograms: readonly Histogram[]): Histogram {
  const sum = new Map<number, number>()
  for (const histogram of histograms)
    for (const [bound, count] of histogram) sum.set(bound, (sum.get(bound) ?? 0) + count)
  return sum
}

/** What was counted after `earlier` was read. */
export const since = (earlier: Histogram, later: Histogram): Histogram =>
  new Map([...later].map(([bound, count]) => [bound, count - (earlier.get(bound) ?? 0)]))

/** The part, from 0 to 1, that was not above a bound; not a number where nothing was counted, or no such bound is kept. */
export const shareWithin = (histogram: Histogram, bound: number): number =>
  (histogram.get(bound) ?? Number.NaN) / countOf(histogram)

/** As Prometheus' histogram_quantile: even within a bucket, so it is exact only at the bounds. */
export function quantileOf(histogram: Histogram, quantile: number): number {
  const rank = quantile * countOf(histogram)
  let [below, countBelow] = [0, 0]
  for (const [bound, count] of [...histogram].toSorted(([a], [b]) => a - b)) {
    if (count >= rank && count > 0) {
      if (bound === Number.POSITIVE_INFINITY) return below
      return below + (bound - below) * ((rank - countBelow) / Math.max(1, count - countBelow))
    }
    below = bound
    countBelow = count
  }
  return Number.NaN
}
