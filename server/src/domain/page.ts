import { Problem } from './problem.ts'

/** What a caller asked for of a list. `order` is the order of the answer, not of the search. */
export interface PageAsk {
  readonly limit: number
  readonly iterator: string | null
  readonly order: 'ascending' | 'descending'
}

/** What the store is to fetch: up to `limit` rows beyond `beyond` (null: from the end), going up or down by id. */
export interface PageSearch {
  readonly beyond: string | null
  readonly descending: boolean
  /** One more than the page holds: it says whether there is more. */
  readonly limit: number
}

export interface Page<Row> {
  readonly rows: readonly Row[]
  /** To continue after the last row; null where that is the start of the list: an empty page without a starting point, or before the first row. */
  readonly iterator: string | null
  readonly prevIterator: string | null
  readonly done: boolean
}

type Bearing = 'after' | 'before'

// Version 1: the bearing and the key of the row it starts from. Opaque to callers, so that it may change.
const encode = (bearing: Bearing, key: string): string => Buffer.from(`1:${bearing}:${key}`).toString('base64url')

function decode(iterator: string): { bearing: Bearing; key: string } {
  const match = /^1:(after|before):([\x21-\x7e]{1,300})$/.exec(Buffer.from(iterator, 'base64url').toString('utf8'))
  if (!match || encode(match[1] as Bearing, match[2] as string) !== iterator) {
    throw new Problem('iterator-invalid', 'The iterator is not one that this list gave out.', [
      { pointer: '/query/iterator', message: 'pass the iterator or prevIterator of an earlier answer, unchanged' },
    ])
  }
  return { bearing: match[1] as Bearing, key: match[2] as string }
}

/** Turns a caller's wish into a search. Throws Problem `iterator-invalid`. */
export function searchOf(ask: PageAsk): PageSearch & { readonly bearing: Bearing } {
  const start = ask.iterator === null ? null : decode(ask.iterator)
  const bearing = start?.bearing ?? 'after'
  const descending = (ask.order === 'descending') === (bearing === 'after')
  return { beyond: start?.key ?? null, descending, limit: ask.limit + 1, bearing }
}

/** Turns what the store found into the page: in the order asked for, with the ways on and back. */
export function pageOf<Row>(ask: PageAsk, found: readonly Row[], keyOf: (row: Row) => string): Page<Row> {
  const { bearing, beyond } = searchOf(ask)
  const more = found.length > ask.limit
  const rows = found.slice(0, ask.limit)
  if (bearing === 'before') rows.reverse()
  const first = rows[0]
  const last = rows.at(-1)
  return {
    rows,
    // Where nothing comes before, going on means from the start: handing back the way back would lead in a circle.
    iterator: last !== undefined ? encode('after', keyOf(last)) : bearing === 'after' ? ask.iterator : null,
    prevIterator:
      first !== undefined ? encode('before', keyOf(first)) : beyond === null ? null : encode('before', beyond),
    // Walking back, there is always something after: the page one came from.
    done: bearing === 'after' ? !more : false,
  }
}
