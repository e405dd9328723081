/** A line that is written over while something runs; on a pipe or in a log, a line now and then. */
export class ProgressLine {
  readonly #out: NodeJS.WriteStream
  #lastShownAt = 0

  constructor(out: NodeJS.WriteStream) {
    this.#out = out
  }

  show(text: string): void {
    const now = Date.now()
    const everyMs = this.#out.isTTY ? 100 : 1_000
    if (now - this.#lastShownAt < everyMs) return
    this.#lastShownAt = now
    this.#out.write(this.#out.isTTY ? `\r\u001b[2K${text}` : `${text}\n`)
  }

  /** Ends the line with its last state. */
  end(text: string): void {
    this.#out.write(this.#out.isTTY ? `\r\u001b[2K${text}\n` : `${text}\n`)
  }
}

/** Columns set under their headings; numbers to the right. */
export function table(headings: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const widths = headings.map((heading, column) =>
    Math.max(heading.length, ...rows.map((row) => String(row[column] ?? '').length)),
  )
  const line = (cells: readonly (string | number)[]): string =>
    cells
      .map((cell, column) =>
        typeof cell === 'number' ? String(cell).padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd()
  return [line(headings), line(widths.map((width) => '─'.repeat(width))), ...rows.map(line)].join('\n')
}

export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
}
