import { stepsOf } from '../../domain/json-pointer.ts'
import { arrayIndex, sliceItems, slicePath } from '../../domain/payload.ts'
import { readJson } from '../../domain/read-json.ts'

/** JSON text that is parsed when somebody first asks, and whose numbers keep their spelling. */
export class JsonText {
  readonly #text: string
  #parsed: { readonly value: unknown } | null | undefined

  constructor(text: string, parsed?: { readonly value: unknown }) {
    this.#text = text
    this.#parsed = parsed
  }

  /** Null: it is not JSON. */
  parsed(): { readonly value: unknown } | null {
    if (this.#parsed === undefined) {
      try {
        this.#parsed = { value: readJson(this.#text) }
      } catch {
        this.#parsed = null
      }
    }
    return this.#parsed
  }

  /** What stands at a JSON Pointer, `*` being every item of an array; none where it leads nowhere. */
  at(pointer: string): readonly unknown[] {
    const parsed = this.parsed()
    const steps = knownSteps(pointer)
    return parsed && steps ? walk(parsed.value, steps) : []
  }

  /** The same as text: numbers, arrays and objects as they are spelled; nothing for null. */
  textsAt(pointer: string): readonly string[] {
    const values = this.at(pointer)
    if (values.every(isWord)) return values.flatMap((value) => (value === null ? [] : [String(value)]))
    return slicePath(this.#text, knownSteps(pointer) ?? []).flatMap(({ start, end }) => {
      const spelled = this.#text.slice(start, end)
      if (spelled === 'null') return []
      return [spelled.startsWith('"') ? String(JSON.parse(spelled)) : spelled]
    })
  }

  /** The items of the array there, each a text of its own; null: there is no array. */
  items(pointer: string): readonly JsonText[] | null {
    const array = this.at(pointer)[0]
    // Before anything is cut: what is no JSON must not be.
    if (!Array.isArray(array)) return null
    const [span] = slicePath(this.#text, knownSteps(pointer) ?? [])
    if (!span) return null
    const text = this.#text.slice(span.start, span.end)
    return (sliceItems(text) ?? []).map((item, index) => {
      return new JsonText(text.slice(item.start, item.end), { value: array[index] })
    })
  }
}

/** What has only one spelling, as far as its value goes. */
const isWord = (value: unknown): boolean => typeof value === 'string' || typeof value === 'boolean' || value === null

const known = new Map<string, readonly string[] | null>()

/** Pointers of a descriptor are the same for every request. */
function knownSteps(pointer: string): readonly string[] | null {
  let steps = known.get(pointer)
  if (steps === undefined) {
    steps = stepsOf(pointer)
    // Pointers come from descriptors, of which users may write some: the memory of them is bounded.
    if (known.size < 10_000) known.set(pointer, steps)
  }
  return steps
}

function walk(value: unknown, steps: readonly string[]): readonly unknown[] {
  let found: unknown[] = [value]
  for (const step of steps) {
    const next: unknown[] = []
    for (const inner of found) {
      if (Array.isArray(inner)) {
        if (step === '*') {
          for (const item of inner) next.push(item)
          continue
        }
        const index = arrayIndex(step)
        if (index !== null && index < inner.length) next.push(inner[index])
      } else if (typeof inner === 'object' && inner !== null && Object.hasOwn(inner, step)) {
        next.push((inner as Record<string, unknown>)[step])
      }
    }
    found = next
  }
  return found
}
