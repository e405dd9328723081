/** A `Content-Type` or the like: what stands first, and its parameters by lower-case name. */
export interface MediaType {
  /** Lower case; '' where there is none. */
  readonly type: string
  readonly parameters: ReadonlyMap<string, string>
}

const parameter = /;\s*([^=;\s"]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;]*))/g

/** Reads `type; name=value; name="value"` (RFC 9110 §5.6.6). Of a parameter that stands there twice, the first. */
export function mediaTypeOf(value: string): MediaType {
  const parameters = new Map<string, string>()
  for (const [, name = '', quoted, bare = ''] of value.matchAll(parameter)) {
    const key = name.toLowerCase()
    if (!parameters.has(key)) parameters.set(key, quoted?.replaceAll(/\\(["\\])/g, '$1') ?? bare.trim())
  }
  return { type: (value.split(';', 1)[0] ?? '').trim().toLowerCase(), parameters }
}

/** Bytes as text; `faults` gets a sentence where something is lost. `label`: of the WHATWG encoding standard, null: UTF-8. */
export function textOf(bytes: Uint8Array, label: string | null, faults: string[]): string {
  const decoder = decoderOf(label)
  if (decoder === null) faults.push(`Its charset ${label} is not one that is known here; it was read as UTF-8.`)
  const { encoding } = decoder ?? new TextDecoder()
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(bytes)
  } catch {
    faults.push(`It has bytes that are no ${encoding}; they stand as \ufffd.`)
    return new TextDecoder(encoding).decode(bytes)
  }
}

function decoderOf(label: string | null): TextDecoder | null {
  try {
    return new TextDecoder(label ?? 'utf-8')
  } catch {
    return null
  }
}
