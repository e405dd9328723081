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
  /** Tables that grow, and their indexes, that were read from end to end. */
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

/** What the names in a plan stand for. */
export interface Names {
  /** For each partition and its indexes, those of their parents: to us they are one, their names differ by their day only. */
  readonly parents: ReadonlyMap<string, string>
  /** Tables that grow with traffic. All others are a few rows each, however they are read. */
  readonly growing: ReadonlySet<string>
  /** For each index of those, the column that has to be known for it to lead anywhere. */
  readonly firstColumns: ReadonlyMap<string, string>
}

function planText(node: PlanNode, names: Names, depth = 0): readonly string[] {
  const nameOf = (name = '') => names.parents.get(name) ?? name
  const indent = '  '.repeat(depth)
  const tables = flat(node)
    .map((one) => nameOf(one['Relation Name']))
    .filter((name) => name !== '')
  if (tables.length > 0 && !tables.some((name) => names.growing.has(name)))
    return [`${indent}Look into ${[...new Set(tables)].toSorted().join(', ')}`]
  const [table, index] = [nameOf(node['Relation Name']), nameOf(node['Index Name'])]
  const first = names.firstColumns.get(index)
  const keyed = first === undefined || new RegExp(`[(.]${first}\\b`).test(node['Index Cond'] ?? '')
  const label = [
    node.Operation ?? node['Node Type'],
    index === '' ? '' : `${keyed ? 'using' : 'all of'} ${index}`,
    table === '' ? '' : `on ${table}`,
    node['CTE Name'] ?? '',
  ]
  const children = (node.Plans ?? []).map((child) => planText(child, names, depth + 1).join('\n'))
  return [`${indent}${label.filter((part) => part !== '').join(' ')}`, ...new Set(children)]
}

const flat = (node: PlanNode): readonly PlanNode[] => [node, ...(node.Plans ?? []).flatMap(flat)]

/** The tables that a plan reads from end to end, itself or by an index. */
const wholeTablesOf = (plan: string): readonly string[] =>
  [...plan.matchAll(/(?:Seq Scan on|all of) (\w+)/g)].flatMap(([, name]) => name ?? [])

const entry = /^(\S+) LOG: {2}duration: \S+ ms {2}plan:$/

/**
 * Reads a server's log. `database`: whose statements count; those of the bench itself run in others.
 */
export function explainedIn(log: string, database: string, names: Names): readonly Explained[] {
  const found = new Map<string, { executions: number; plans: Set<string>; pages: number; wholeTables: Set<string> }>()
  const lines = log.split('\n')
  for (let at = 0; at < lines.length; at += 1) {
    if (entry.exec(lines[at] ?? '')?.[1] !== database) continue
    const json: string[] = []
    // What belongs to an entry is indented by a tab.
    while (lines[at + 1]?.startsWith('\t')) json.push(lines[++at] ?? '')
    const { 'Query Text': query, Plan: plan } = JSON.parse(json.join('\n').replaceAll('\n\t', '\n')) as {
      readonly 'Query Text': string
      readonly Plan: PlanNode
    }
    const sql = query.replaceAll(/\s+/g, ' ').trim()
    const one = found.get(sql) ?? { executions: 0, plans: new Set(), pages: 0, wholeTables: new Set() }
    found.set(sql, one)
    one.executions += 1
    const text = planText(plan, names).join('\n')
    one.plans.add(text)
    one.pages = Math.max(one.pages, (plan['Shared Hit Blocks'] ?? 0) + (plan['Shared Read Blocks'] ?? 0))
    for (const name of wholeTablesOf(text)) one.wholeTables.add(name)
  }
  return [...found].map(([sql, one]) => ({
    ...{ sql, executions: one.executions, pages: one.pages },
    plans: [...one.plans],
    wholeTables: [...one.wholeTables],
  }))
}
