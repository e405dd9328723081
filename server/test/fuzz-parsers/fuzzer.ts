// FUZZ-PARSERS: what reads the bytes of strangers, each parser apart, fed with made and mutated inputs and judged by another
// reading of the same. Pure functions only: whole requests to a whole server are somebody else's.

import type { Chance } from '../faults/chance.ts'

/** One parser, or a few that read the same kind of text. An input is always a text; of bytes, their Latin-1. */
export interface Fuzzer {
  readonly name: string
  /** What is read, and by what it is judged: a line. */
  readonly about: string
  /** What is worth being set into any input. */
  readonly words: readonly string[]
  /** An input by the rules of what is read, or nearly so. */
  make(chance: Chance): string
  /**
   * Resolves to the outcome's class: inputs are kept for having a new one, and replayed to have the same. Throws where
   * a promise is broken: whatever is thrown here is a finding.
   */
  judge(input: string): string | Promise<string>
  /** How long a text can come to this parser, in characters. */
  readonly longest: number
  /** Where the usual limits do not count, as something else bounds the work. */
  readonly limits?: Limits
  /** What is timed and weighed. It may throw what callers of the parser expect. */
  read(input: string): unknown
  /** Texts that grow in their middle, beside those that are put together of what was seen. */
  readonly growths: readonly Growth[]
}

export interface Limits {
  /** Of a processor, for the longest text. */
  readonly mostMs: number
  /** What may be made while a text is read, beside what is made whatever is read. */
  readonly mostBytesPerCharacter: number
  /** Whether twice the text may take four times as long. */
  readonly mayBeSquare: boolean
}

export interface Growth {
  readonly before: string
  readonly unit: string
  readonly behind: string
}

/** The fields of an input that has several. Mutations do not know of it: there may be more or fewer. */
export const fieldsOf = (input: string): readonly string[] => input.split(fieldEnd)
export const inputOf = (...fields: readonly string[]): string => fields.join(fieldEnd)
export const fieldEnd = '\u241e' // SYMBOL FOR RECORD SEPARATOR: no parser's own sign

/** A promise that was not kept. */
export class Broken extends Error {
  override readonly name = 'Broken'
}

export function hold(kept: boolean, otherwise: () => string): asserts kept {
  if (!kept) throw new Broken(otherwise())
}

/** What a call that may only fail in the expected way came to. Anything else that is thrown rises. */
export function attempt<Value>(
  call: () => Value,
  expected: (error: unknown) => string | null,
): { readonly value: Value } | { readonly refused: string } {
  try {
    return { value: call() }
  } catch (error) {
    const refused = expected(error)
    if (refused === null) throw error
    return { refused }
  }
}
