import Type, { type Static, type TSchema, type TUnsafe } from 'typebox'

/** The same value or null, said as `type: [x, 'null']`: a fault then names one rule, not every branch of an `anyOf`. */
export function nullable<Schema extends TSchema & { readonly type: string }>(
  schema: Schema,
): TUnsafe<Static<Schema> | null> {
  return Type.Unsafe<Static<Schema> | null>({ ...schema, type: [schema.type, 'null'] })
}
