// FUZZ: hostile input for every operation, made from the document that a running gateway serves. Knows nothing of the
// server but that document; what is wrong with an answer is said in verdict.ts.

/** A schema as the document spells it, references not followed. */
export type Schema = Readonly<Record<string, unknown>>

export interface Parameter {
  readonly name: string
  readonly in: 'path' | 'query' | 'header'
  readonly required?: boolean
  readonly schema: Schema
}

export interface Described {
  readonly operationId: string
  readonly method: string
  /** With `{names}` of the parameters. */
  readonly path: string
  readonly parameters: readonly Parameter[]
  readonly body: Schema | null
}

export interface Document {
  readonly operations: readonly [Described, ...Described[]]
  /** The schema itself, where this is a reference to one. */
  resolve(schema: Schema): Schema
}

interface Printed {
  readonly paths: Readonly<Record<string, Readonly<Record<string, PrintedOperation>>>>
}

interface PrintedOperation {
  readonly operationId: string
  readonly parameters: readonly Parameter[]
  readonly requestBody?: { readonly content: { readonly 'application/json': { readonly schema: Schema } } }
}

/** Throws where the document has no operation. */
export async function readDocument(url: string): Promise<Document> {
  const printed = (await (await fetch(`${url}/openapi.json`)).json()) as Printed
  const [first, ...rest] = Object.entries(printed.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(
      ([method, { operationId, parameters, requestBody }]): Described => ({
        ...{ operationId, path, parameters, method: method.toUpperCase() },
        body: requestBody?.content['application/json'].schema ?? null,
      }),
    ),
  )
  if (first === undefined) throw new Error('the document describes no operation')
  return {
    operations: [first, ...rest],
    resolve(schema) {
      if (typeof schema.$ref !== 'string') return schema
      const found = schema.$ref
        .slice('#/'.length)
        .split('/')
        .reduce<unknown>((at, step) => Object(at)[step], printed)
      return { ...Object(found), ...without$ref(schema) }
    },
  }
}

function without$ref({ $ref: _, ...rest }: Schema): Schema {
  return rest
}
