/** One line for the person who waits, on standard error: standard output is the report. */
export function progress(line: string): void {
  process.stderr.write(`${new Date().toISOString().slice(11, 19)}  ${line}\n`)
}
