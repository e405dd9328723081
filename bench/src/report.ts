import { table } from './table.ts'

/** A number that we want, and what was seen. Missing one is told, not punished: machines differ. */
export interface Goal {
  readonly what: string
  readonly wanted: string
  readonly seen: string
  readonly met: boolean
}

/** What one question found out. */
export interface Report {
  readonly title: string
  /** Markdown, in order. */
  readonly parts: readonly string[]
  readonly goals: readonly Goal[]
  /** What must never happen without a fault of others: lost, doubled, refused. Any of them fails the run. */
  readonly faults: readonly string[]
}

export function printed(report: Report): string {
  const goals = report.goals.map(({ what, wanted, seen, met }) => [what, wanted, seen, met ? 'yes' : 'NO'])
  return [
    `## ${report.title}`,
    ...report.parts,
    ...(goals.length > 0 ? [table(['goal', 'wanted', 'seen', 'met'], goals)] : []),
    ...(report.faults.length > 0 ? [`**Faults**\n\n${report.faults.map((fault) => `- ${fault}`).join('\n')}`] : []),
  ].join('\n\n')
}
