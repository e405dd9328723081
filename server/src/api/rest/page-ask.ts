import type { PageAsk } from '../../domain/page.ts'

interface PageQuery {
  readonly limit?: number
  readonly iterator?: string
  readonly order?: string
}

const usualLimit = 50

/** What a query asks of a list; `order` is what the list does when not told. */
export const pageAskOf = (query: PageQuery, order: PageAsk['order']): PageAsk => ({
  limit: query.limit ?? usualLimit,
  iterator: query.iterator ?? null,
  order: query.order === 'ascending' || query.order === 'descending' ? query.order : order,
})
