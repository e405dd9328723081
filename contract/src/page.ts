import Type, { type TSchema } from 'typebox'
import { nullable } from './nullable.ts'

/** The query parameters every list takes. */
export const pageQuery = {
  limit: Type.Optional(
    Type.Integer({ minimum: 1, maximum: 250, default: 50, description: 'How many a page shows at the most.' }),
  ),
  iterator: Type.Optional(
    Type.String({ description: 'From the answer before; go on with `iterator`, back with `prevIterator`.' }),
  ),
  order: Type.Optional(Type.Enum(['ascending', 'descending'], { description: 'Which end of the list comes first.' })),
}

/** A page of a list. */
export const listOf = (item: TSchema) =>
  Type.Object({
    data: Type.Array(item, { maxItems: 250 }),
    iterator: nullable(Type.String()),
    prevIterator: nullable(Type.String()),
    done: Type.Boolean(),
  })
