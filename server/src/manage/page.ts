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
}

/** Reads one page of a list. Throws Problem `iterator-invalid`. */
export async function readPage<Row>(ask: PageAsk, { keys, keyOf, fetch, keep }: PageRead<Row>): Promise<Page<Row>> {
  const { beyond: start, descending, limit } = searchOf(ask)
  if (start !== null && !(keys instanceof RegExp ? keys.test(start) : isId(keys, start))) {
    throw new Problem('iterator-invalid', 'The iterator was given out by another list.', [
      { pointer: '/iterator', message: 'pass an iterator of this list' },
    ])
  }
  if (!keep) return pageOf(ask, await fetch({ beyond: start, descending, limit }), keyOf)
  const kept: Row[] = []
  for (let beyond = start; ; ) {
    const rows = await fetch({ beyond, descending, limit })
    for (const row of rows) if (kept.length < limit && (await keep(row))) kept.push(row)
    const last = rows.at(-1)
    if (kept.length === limit || rows.length < limit || last === undefined) return pageOf(ask, kept, keyOf)
    beyond = keyOf(last)
  }
}
