import type { FilterFault } from '../domain/filter.ts'
import type { PayloadEncoding } from '../domain/inbound.ts'
import type { Message } from '../domain/message.ts'
import type { Fault } from '../domain/problem.ts'

/** What is said about a message to those who decide by it. */
export interface Facts extends Pick<Message, 'eventType' | 'channels' | 'tags' | 'contentType'> {
  readonly payload: string
  /** Left out: null, as of whatever is published. What is not JSON counts as a string. */
  readonly encoding?: PayloadEncoding
}

/** It could not be worked out: an error in it for this message, or more time or memory than it is given. */
export type Undecided =
  | { readonly kind: 'failed'; readonly reason: string }
  | { readonly kind: 'too-costly'; readonly reason: string }

export type FilterVerdict = { readonly kind: 'yes' } | { readonly kind: 'no' } | Undecided

/** `misfits`: pointers go into the payload, '' is all of it. */
export type SchemaVerdict =
  | { readonly kind: 'fits' }
  | { readonly kind: 'misfits'; readonly faults: readonly Fault[] }
  | Undecided

/**
 * Works out what tenants wrote — CEL filters, JSON Schemas — where it cannot hang, exhaust or reach this process.
 * Everything it is asked may throw Problem `unavailable`: more is waiting than is good. `asker`: on whose behalf, such as the id of
 * an application or an environment. They have their turns one after the other, however much one of them asks.
 */
export interface Judge {
  /** One verdict for each filter, in their order. */
  filter(asker: string, filters: readonly string[], facts: Facts): Promise<readonly FilterVerdict[]>
  /** Whether a payload fits a schema, given as JSON text. */
  schema(
    asker: string,
    schema: string,
    facts: Pick<Facts, 'payload' | 'contentType' | 'encoding'>,
  ): Promise<SchemaVerdict>
  /** What is wrong with a filter before any message has come; null: nothing. */
  filterFault(asker: string, filter: string): Promise<FilterFault | null>
  /** What is wrong with a schema, given as JSON text; pointers go into it. */
  schemaFaults(asker: string, schema: string): Promise<readonly Fault[]>
  close(): Promise<void>
}
