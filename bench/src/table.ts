/** A Markdown table that can be read before it is rendered: the first column to the left, the others to the right. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((_, column) => Math.max(3, ...[head, ...rows].map((row) => (row[column] ?? '').length)))
  const line = (row: readonly string[]) =>
    `| ${widths.map((width, column) => (row[column] ?? '')[column === 0 ? 'padEnd' : 'padStart'](width)).join(' | ')} |`
  const rule = `|${widths.map((width, column) => (column === 0 ? '-'.repeat(width + 2) : `${'-'.repeat(width + 1)}:`)).join('|')}|`
  return [line(head), rule, ...rows.map(line)].join('\n')
}

/** 12,345 */
export const whole = (value: number): string => (Number.isFinite(value) ? Math.round(value).toLocaleString('en') : '–')
export const milliseconds = (value: number): string =>
  Number.isFinite(value) ? `${value.toFixed(value < 100 ? 2 : 0)} ms` : '–'
export const seconds = (value: number): string => (Number.isFinite(value) ? `${value.toFixed(1)} s` : '–')
export const mebibytes = (bytes: number): string => (Number.isFinite(bytes) ? `${whole(bytes / 2 ** 20)} MiB` : '–')
export const microseconds = (value: number): string => (Number.isFinite(value) ? `${whole(value)} µs` : '–')
