/** One number from several rounds. */
export interface Spread {
  readonly median: number
  readonly least: number
  readonly most: number
}

export function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b)
  const at = (index: number) => sorted[index] ?? Number.NaN
  const middle = (sorted.length - 1) / 2
  return {
    median: (at(Math.floor(middle)) + at(Math.ceil(middle))) / 2,
    least: at(0),
    most: at(sorted.length - 1),
  }
}

/** As a table has it: the median, and the ends where they differ. */
export const printedSpread = ({ median, least, most }: Spread, print: (value: number) => string): string =>
  least === most || Number.isNaN(median) ? print(median) : `${print(median)} (${print(least)} to ${print(most)})`
