// How PostgreSQL went about each statement, as auto_explain has written it into the server's log: the very plans that ran, of
// the very connections that ran them.

/** For the server: every statement is explained as it ran; statistics change only when somebody asks for it. */
export const explainSettings: readonly string[] = [
  'shared_preload_libraries=auto_explain',
  'auto_explain.log_min_duration=0',
  'auto_explain.log_format=json',
  'auto_explain.log_analyze=on',
  'auto_explain.log_timing=off',
  'auto_explain.log_buffers=on',
  'auto_explain.log_nested_statements=on',
  'log_line_prefix=%d ',
  'autovacuum=off',
]

/** A statement and how it was gone about, whenever it ran while we looked. */
export interface Explained {
  readonly sql: string
  readonly executions: number
  /** Each way it was gone about, as text; more than one means that its plan has flipped. */
  readonly plans: readonly string[]
  /** Pages of 8 KiB that one execution touched, the most. */
  readonly pages: number
  /** Tables that were read from end to end. */
  readonly wholeTables: readonly string[]
}

interface PlanNode {
  readonly 'Node Type': string
  readonly Operation?: string
  readonly 'Relation Name'?: string
  readonly 'Index Name'?: string
  readonly 'Index Cond'?: string
  readonly 'CTE Name'?: string
  readonly 'Subplan Name'?: string
  readonly 'Shared Hit Blocks'?: number
  readonly 'Shared Read Blocks'?: number
  readonly Plans?: readonly PlanNode[]
}

// Partitions are one table to us: their names differ by their day only.
const ofPartition = (name: string, partitions: ReadonlyMap<string, string>): string => partitions.get(name) ?? name

function planText(node: PlanNode, partitions: ReadonlyMap<string, string>, depth = 0): readonly string[] {
  const names = (name: string | undefined) => (name === undefined ? '' : ofPartition(name, partitions))
  const [table, index] = [names(node['Relation Name']), names(node['Index Name'])]
  const label = [
    node.Operation ?? node['Node Type'],
    index === '' ? '' : `${node['Index Cond'] === undefined ? 'all of' : 'using'} ${index}`,
    table === '' ? '' : `on ${table}`,
    node['CTE Name'] ?? '',
  ]
  const line = `${'  '.repeat(depth)}${label.filter((part) => part !== '').join(' ')}`
  const children = (node.Plans ?? []).map((child) => planText(child, partitions, depth + 1).join('\n'))
  return [line, ...new Set(children)]
}

const flat = (node: PlanNode): readonly PlanNode[] => [node, ...(node.Plans ?? []).flatMap(flat)]

const entry = /^(\S+) LOG: {2}duration: \S+ ms {2}plan:$/

/**
 * Reads a server's log. `database`: whose statements count; those of the bench itself run in others. `partitions`: the
 * name that stands for each partition and its indexes.
 */
export function explainedIn(
  log: string,
  database: string,
  partitions: ReadonlyMap<string, string>,
): readonly Explained[] {
  const found = new Map<string, { executions: number; plans: Set<string>; pages: number; wholeTables: Set<string> }>()
  const lines = log.split('\n')
  for (let at = 0; at < lines.length; at += 1) {
    if (entry.exec(lines[at] ?? '')?.[1] !== database) continue
    const text: string[] = []
    // What belongs to an entry is indented by a tab.
    while (lines[at + 1]?.startsWith('\t')) text.push(lines[++at] ?? '')
    const { 'Query Text': query, Plan: plan } = JSON.parse(text.join('\n').replaceAll('\n\t', '\n')) as {
      readonly 'Query Text': string
      readonly Plan: PlanNode
    }
    const sql = query.replaceAll(/\s+/g, ' ').trim()
    const one = found.get(sql) ?? { executions: 0, plans: new Set(), pages: 0, wholeTables: new Set() }
    found.set(sql, one)
    one.executions += 1
    one.plans.add(planText(plan, partitions).join('\n'))
    one.pages = Math.max(one.pages, (plan['Shared Hit Blocks'] ?? 0) + (plan['Shared Read Blocks'] ?? 0))
    for (const node of flat(plan))
      if (node['Node Type'] === 'Seq Scan') one.wholeTables.add(ofPartition(node['Relation Name'] ?? '?', partitions))
  }
  return [...found].map(([sql, one]) => ({
    ...{ sql, executions: one.executions, pages: one.pages },
    plans: [...one.plans],
    wholeTables: [...one.wholeTables],
  }))
}
