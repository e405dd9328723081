import type { Metadata } from './application.ts'
import type { Fault } from './problem.ts'

const mostBytes = 4096 // read with every application and endpoint, also on the fast road

/** What is wrong with the metadata as a whole, null if nothing. */
export function metadataFault(metadata: Metadata, pointer: string): Fault | null {
  const bytes = Buffer.byteLength(JSON.stringify(metadata))
  return bytes > mostBytes
    ? { pointer, message: `must not be larger than ${mostBytes} bytes of JSON; it is ${bytes}` }
    : null
}
