import type { Refusal } from '../domain/inbound.ts'
import type { PayloadText } from '../domain/payload-text.ts'
import type { Fault } from '../domain/problem.ts'
import type { Source, SourceSettings } from '../domain/source.ts'
import type { Judge } from '../ports/judge.ts'

/** What the owner's schema says of a verified request. */
type SchemaOutcome =
  | { readonly kind: 'passes' }
  /** It becomes a message all the same; pointers go into its payload. */
  | { readonly kind: 'warned'; readonly faults: readonly Fault[] }
  /** To be kept apart, and answered as one that is stored: the provider could do nothing about it. */
  | { readonly kind: 'quarantine'; readonly verification: Refusal }

/** Checks payloads of one source. Throws Problem `unavailable` when more waits to be checked than is good. */
export type SchemaCheck = (eventType: string, payload: PayloadText) => Promise<SchemaOutcome>

const passes: SchemaOutcome = { kind: 'passes' }
const mostTold = 10

/**
 * Made once for a source's settings; null: it wants nothing checked. A source that only observes keeps nothing apart: there
 * `quarantine` warns.
 */
export function makeSchemaCheck(
  judge: Pick<Judge, 'schema'>,
  {
    id,
    settings: { schemaCheck, schemas, mode },
  }: { readonly id: Source['id']; readonly settings: Pick<SourceSettings, 'schemaCheck' | 'schemas' | 'mode'> },
): SchemaCheck | null {
  if (schemaCheck === 'off' || schemas === null) return null
  // As the text that the judge knows them again by.
  const texts = new Map(Object.entries(schemas).map(([eventType, schema]) => [eventType, JSON.stringify(schema)]))
  return async (eventType, { payload, encoding }) => {
    const schema = texts.get(eventType) ?? texts.get('*')
    if (schema === undefined) return passes
    const verdict = await judge.schema(id, schema, { payload, encoding, contentType: null })
    if (verdict.kind === 'fits') return passes
    const faults =
      verdict.kind === 'misfits'
        ? verdict.faults
        : [{ pointer: '', message: `could not be checked against its schema: ${verdict.reason}` }]
    if (schemaCheck === 'warn' || mode === 'observe') return { kind: 'warned', faults }
    const explanation = [
      `The payload is not what the schema of this source for ${eventType} wants.`,
      ...faults.slice(0, mostTold).map(({ pointer, message }) => `${pointer || 'The payload'} ${message}.`),
      ...(faults.length > mostTold ? [`And ${faults.length - mostTold} more.`] : []),
    ]
    return { kind: 'quarantine', verification: { kind: 'refused', reason: 'schema-violated', explanation } }
  }
}
