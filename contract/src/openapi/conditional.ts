import type { Operation } from '../operation.ts'
import { operations } from '../operations.ts'
import type { Json } from './schema.ts'

const all: readonly Operation[] = Object.values(operations)

/** Whether an operation answers a page of a list. */
export const isList = ({ success }: Operation): boolean =>
  success.some(
    ({ schema }) => schema !== undefined && 'properties' in schema && 'prevIterator' in Object(schema.properties),
  )

/** Whether it shows one thing, which then has an entity tag. */
export const showsOne = (operation: Operation): boolean =>
  operation.method === 'GET' && operation.success[0]?.schema !== undefined && !isList(operation)

/** Whether it changes what a GET of its path shows: then it can be asked to do so only as long as nobody else has. */
export const changesShown = ({ method, path }: Operation): boolean =>
  method !== 'GET' && method !== 'POST' && all.some((other) => other.path === path && showsOne(other))

const tags = { type: 'string', minLength: 1, maxLength: 4_096, pattern: '^[\\x20-\\x7e\\x80-\\xff]+$' }
const ifMatch: Json = {
  name: 'If-Match',
  in: 'header',
  description: 'Only if the resource still has one of these entity tags (`*`: if it is there). Otherwise 412.',
  schema: tags,
}
const ifNoneMatch: Json = {
  name: 'If-None-Match',
  in: 'header',
  description: 'Only if the resource has none of these entity tags (`*`: if it is not there).',
  schema: tags,
}

/** The headers by which a request is made to depend on what there is. */
export const conditionsOf = (operation: Operation): readonly Json[] =>
  showsOne(operation) || changesShown(operation) ? [ifMatch, ifNoneMatch] : []
