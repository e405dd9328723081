import { captured } from './captured.ts'
import { decoders } from './decoders.ts'
import { egress } from './egress.ts'
import { filter } from './filter.ts'
import { forms } from './forms.ts'
import type { Fuzzer } from './fuzzer.ts'
import { headers } from './headers.ts'
import { payloadSpan } from './payload-span.ts'
import { signatures } from './signatures.ts'
import { times } from './times.ts'

export const fuzzers: readonly Fuzzer[] = [
  payloadSpan,
  headers,
  egress,
  filter,
  decoders,
  forms,
  signatures,
  times,
  captured,
]
