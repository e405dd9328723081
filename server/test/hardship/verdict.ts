// What came of a hardship, as a function of what was counted.

import type { Books } from './books.ts'

type Counted = Pick<Books, 'promised' | 'delivered' | 'lost' | 'changed' | 'doubled' | 'repeated'>

export interface Outcome {
  readonly name: string
  /** What was seen; null: it did not come to that. */
  readonly seen: string | null
  /** What was thrown on the way. */
  readonly trouble: string | null
  readonly isAlive: boolean
  readonly ended: number
  readonly endedWith: string
  readonly rssBefore: number
  readonly rssAfter: number
  readonly shop: Counted
  readonly troubled: Counted
}

// Of what was before.
const mostGrowth = 1.2

/** What was broken, in words; nothing where all held. */
export function brokenIn(outcome: Outcome): readonly string[] {
  const { shop, troubled } = outcome
  const lost = [...shop.lost, ...troubled.lost]
  const changed = [...shop.changed, ...troubled.changed]
  // Whoever answers badly gets things twice, and rightly; whoever takes all at once does only where the sender died.
  const doubled = outcome.ended === 0 ? shop.doubled : []
  const growth = outcome.rssAfter / outcome.rssBefore
  return [
    ...(outcome.trouble === null ? [] : [outcome.trouble]),
    ...(outcome.isAlive ? [] : [`the process ended with ${outcome.endedWith}`]),
    ...(shop.promised === 0 ? ['nothing was accepted: no load, no proof'] : []),
    ...(lost.length === 0 ? [] : [`${lost.length} acknowledged and never delivered: ${lost.slice(0, 3)}`]),
    ...(changed.length === 0 ? [] : [`${changed.length} arrived with other bytes: ${changed.slice(0, 3)}`]),
    ...(shop.repeated.length === 0
      ? []
      : [`${shop.repeated.length} sent twice by one process: ${shop.repeated.slice(0, 3)}`]),
    ...(doubled.length === 0 ? [] : [`${doubled.length} sent twice, though nobody died: ${doubled.slice(0, 3)}`]),
    ...(growth <= mostGrowth ? [] : [`memory is ${Math.round((growth - 1) * 100)} % more than before`]),
  ]
}

const mib = (bytes: number): string => `${Math.round(bytes / 1024 / 1024)} MiB`

const columns = [
  'hardship',
  'process',
  'memory before',
  'after',
  'acknowledged',
  'delivered',
  'doubled',
  'lost',
  '',
] as const

/** One row. */
export const rowOf = (outcome: Outcome): readonly string[] => [
  outcome.name,
  !outcome.isAlive ? `ended: ${outcome.endedWith}` : outcome.ended === 0 ? 'alive' : `restarted ${outcome.ended}×`,
  mib(outcome.rssBefore),
  `${mib(outcome.rssAfter)} (${outcome.rssAfter >= outcome.rssBefore ? '+' : ''}${Math.round((outcome.rssAfter / outcome.rssBefore - 1) * 100)} %)`,
  String(outcome.shop.promised + outcome.troubled.promised),
  String(outcome.shop.delivered + outcome.troubled.delivered),
  String(outcome.shop.doubled.length),
  String(outcome.shop.lost.length + outcome.troubled.lost.length),
  brokenIn(outcome).length === 0 ? 'held' : 'BROKEN',
]

/** Rows under their columns, as Markdown. */
export function tableOf(rows: readonly (readonly string[])[]): string {
  const all = [columns, ...rows]
  const widths = columns.map((_, at) => Math.max(3, ...all.map((row) => (row[at] ?? '').length)))
  const line = (row: readonly string[]): string =>
    `| ${widths.map((width, at) => (row[at] ?? '').padEnd(width)).join(' | ')} |`
  return [line(columns), `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`, ...rows.map(line)].join('\n')
}
