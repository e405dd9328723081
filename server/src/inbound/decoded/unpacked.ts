import { brotliDecompressSync, gunzipSync, inflateRawSync, inflateSync, zstdDecompressSync } from 'node:zlib'

/** A body with its content codings undone, as far as that could be done. */
export interface Unpacked {
  readonly body: Buffer
  /** The codings that were undone, the last applied first. */
  readonly undone: readonly string[]
  /** Why it went no further: a sentence. */
  readonly fault: string | null
}

// Real payloads of JSON and XML shrink to a tenth, very even ones to a fiftieth; deflate can do a thousandth, brotli far more.
const mostTimes = 200
const largest = 8 * 1024 * 1024
// So little may be of any ratio.
const harmless = 64 * 1024
// As curl does: what is packed more often was packed to be unpacked.
const mostCodings = 5

type Unpack = (body: Buffer, options: { readonly maxOutputLength: number }) => Buffer

const unpack: ReadonlyMap<string, Unpack> = new Map<string, Unpack>([
  ['gzip', gunzipSync],
  ['x-gzip', gunzipSync],
  ['br', brotliDecompressSync],
  ['zstd', zstdDecompressSync],
  [
    'deflate',
    (body, options) => {
      try {
        return inflateSync(body, options)
      } catch (error) {
        // RFC 9110 §8.4.1.2: some send it without the zlib format around it.
        if (codeOf(error) === 'Z_DATA_ERROR') return inflateRawSync(body, options)
        throw error
      }
    },
  ],
])

const codeOf = (error: unknown): unknown => (error instanceof Error && 'code' in error ? error.code : null)

/** Undoes `codings`, which are in the order in which they were applied (RFC 9110 §8.4), but never into more than is good. */
export function unpacked(packed: Buffer, codings: readonly string[]): Unpacked {
  const wanted = codings.map((coding) => coding.toLowerCase()).filter((coding) => coding !== 'identity')
  const undone: string[] = []
  let body = packed
  const stop = (fault: string): Unpacked => ({ body, undone, fault })
  if (wanted.length > mostCodings) return stop(`It is packed ${wanted.length} times over, and is not unpacked.`)
  const byRatio = Math.max(packed.length * mostTimes, harmless)
  for (const coding of wanted.toReversed()) {
    const undo = unpack.get(coding)
    if (undo === undefined) return stop(`Its content encoding ${coding} is not one that is known here.`)
    try {
      body = undo(body, { maxOutputLength: Math.min(byRatio, largest) })
    } catch (error) {
      if (codeOf(error) !== 'ERR_BUFFER_TOO_LARGE')
        return stop(`It says that it is ${coding}, but is not, or is cut off.`)
      return stop(
        byRatio < largest
          ? `Its ${coding} unpacks to more than ${mostTimes} times the size of the body, as a bomb does; it was not unpacked.`
          : `Its ${coding} unpacks to more than ${largest / 1024 / 1024} MiB, which is more than is shown here.`,
      )
    }
    undone.push(coding)
  }
  return { body, undone, fault: null }
}
