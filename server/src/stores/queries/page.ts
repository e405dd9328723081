import { firstIdAt, type IdKind, type Millis } from '../../domain/ids.ts'
import type { PageSearch } from '../../domain/page.ts'

/** The two texts of one list. */
export interface PageTexts {
  readonly ascending: string
  readonly descending: string
}

/** Ends a select that is bound to `key > :above and key < :below` as a page in either direction. */
export const pagesBy = (key: string, select: string): PageTexts => ({
  ascending: `${select} order by ${key} limit :limit`,
  descending: `${select} order by ${key} desc limit :limit`,
})

export const pageText = (texts: PageTexts, search: PageSearch): string =>
  search.descending ? texts.descending : texts.ascending

// Every key that is paged by (ids, names of event types) is of visible ASCII below `~`, compared byte by byte.
const belowAll = ''
const aboveAll = '~'

/** What a page's text takes: both ends are exclusive, and an open end lies outside every key, so that no text has an `or`. */
export type PageParameters = { readonly above: string; readonly below: string; readonly limit: number }

export const pageParameters = ({ beyond, descending, limit }: PageSearch): PageParameters => ({
  above: descending ? belowAll : (beyond ?? belowAll),
  below: descending ? (beyond ?? aboveAll) : aboveAll,
  limit,
})

/**
 * The same with a span of time, both moments excluded: ids sort by the time they were made, so a time is one more bound
 * on the id and no index over times is needed.
 */
export function timedPageParameters(
  kind: IdKind,
  span: { readonly before: Millis | null; readonly after: Millis | null },
  search: PageSearch,
): PageParameters {
  const page = pageParameters(search)
  const since = span.after === null ? belowAll : firstIdAt(kind, Math.floor(span.after) + 1)
  const until = span.before === null ? aboveAll : firstIdAt(kind, span.before)
  return { ...page, ...(since > page.above && { above: since }), ...(until < page.below && { below: until }) }
}
