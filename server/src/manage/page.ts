import { type IdKind, isId } from '../domain/ids.ts'
import { type Page, type PageAsk, type PageSearch, pageOf, searchOf } from '../domain/page.ts'
import { Problem } from '../domain/problem.ts'

export interface PageRead<Row> {
  /** What the keys of this list look like: an iterator of another list is refused. */
  readonly keys: IdKind | RegExp
  readonly keyOf: (row: Row) => string
  readonly fetch: (search: PageSearch) => Promise<readonly Row[]>
  /** For what the store cannot filter by: rows that do not pass are read over. */
  readonly keep?: (row: Row) => boolean | Promise<boolean>
  /** Characters a row brings along; a page ends before it brings more than `mostCharacters`. */
  readonly weigh?: (row: Row) => number
}

// A page of 250 payloads of a megabyte each would be 250 MB, several times over, for one caller.
const mostCharacters = 8 * 1024 * 1024
const weighedAtOnce = 16

/** Reads one page of a list; it may be shorter than asked for and not the last. Throws Problem `iterator-invalid`. */
export async function readPage<Row>(ask: PageAsk, read: PageRead<Row>): Promise<Page<Row>> {
  const { keys, keyOf, fetch, keep, weigh } = read
  const { beyond: start, descending, limit } = searchOf(ask)
  if (start !== null && !(keys instanceof RegExp ? keys.test(start) : isId(keys, start))) {
    throw new Problem('iterator-invalid', 'The iterator was given out by another list.', [
      { pointer: '/query/iterator', message: 'pass an iterator of this list' },
    ])
  }
  const atOnce = weigh ? Math.min(limit, weighedAtOnce) : limit
  const kept: Row[] = []
  let characters = 0
  for (let beyond = start; ; ) {
    const rows = await fetch({ beyond, descending, limit: atOnce })
    for (const row of rows) {
      if (kept.length === limit) break
      if (keep && !(await keep(row))) continue
      kept.push(row)
      characters += weigh?.(row) ?? 0
      // The row that is too much says that there is more, as the one beyond the limit does.
      if (characters > mostCharacters && kept.length > 1) return pageOf({ ...ask, limit: kept.length - 1 }, kept, keyOf)
    }
    const last = rows.at(-1)
    if (kept.length === limit || rows.length < atOnce || last === undefined) return pageOf(ask, kept, keyOf)
    beyond = keyOf(last)
  }
}

const rowsAtOnce = 250

/** Reads a list to its end, in its own order. */
export async function readAll<Row>(
  fetch: (search: PageSearch) => Promise<readonly Row[]>,
  keyOf: (row: Row) => string,
): Promise<Row[]> {
  const rows: Row[] = []
  for (let beyond: string | null = null; ; ) {
    const page = await fetch({ beyond, descending: false, limit: rowsAtOnce })
    rows.push(...page)
    const last = page.at(-1)
    if (page.length < rowsAtOnce || last === undefined) return rows
    beyond = keyOf(last)
  }
}
