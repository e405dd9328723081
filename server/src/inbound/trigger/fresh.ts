import { pointerTo } from '../../domain/json-pointer.ts'
import type { Preset } from '../../domain/preset.ts'
import type { SettingValues } from '../reading/view.ts'
import { type OutgoingRequest, place } from './place.ts'
import { viewOf } from './sign.ts'

/** Bytes of chance, as `World.randomBytes`. */
export type RandomBytes = (length: number) => Uint8Array

/**
 * The request with an id that was not seen before, wherever the preset finds one; nothing else of it changes. Where it finds
 * none and the body counts instead, something in the body that looks like an id.
 */
export function freshened(
  preset: Pick<Preset, 'id' | 'schemes'>,
  request: OutgoingRequest,
  settings: SettingValues,
  randomBytes: RandomBytes,
): OutgoingRequest {
  const view = viewOf(request)
  const times = preset.schemes.flatMap(({ timestamp }) => (timestamp?.at ?? []).map((ref) => JSON.stringify(ref)))
  const refs = (
    preset.id.alternatives.find((alternative) => alternative.every((ref) => view.valuesAt(ref, settings).length > 0)) ??
    []
  ).filter((ref) => !('request' in ref) && !times.includes(JSON.stringify(ref)))
  const ids = refs.filter((ref) => view.valuesAt(ref, settings).some(looksLikeId))
  const renewed = (ids.length > 0 ? ids : refs.slice(-1)).reduce(
    (changed, ref) => place(changed, ref, (id) => freshLike(id, randomBytes), settings) ?? changed,
    request,
  )
  if (renewed !== request || preset.id.otherwise === 'none') return renewed
  const leaf = idLeaf(request)
  if (leaf !== null) return place(request, leaf, (id) => freshLike(id, randomBytes)) ?? request
  const text = Buffer.from(request.body).toString('latin1')
  return {
    ...request,
    body: Buffer.from(
      text.replace(chance, (id) => freshLike(id, randomBytes)),
      'latin1',
    ),
  }
}

// In XML and the like; and where there is no id at all, the fraction of a second in a time.
const chance = /\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b|(?<=T\d\d:\d\d:\d\d\.)\d+/i

const lower = 'abcdefghijklmnopqrstuvwxyz'
const uuid = /^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/i
const date = /^\d{4}-\d\d-\d\d/

/** Whether it is made up of chance, and not the name of something or a time. */
const looksLikeId = (text: string): boolean => text.length >= 4 && /\d/.test(text) && !date.test(text)

const leastChance = 8 // characters: of two digits every hundredth event would be taken for a repetition

/**
 * Another id of the same look: `evt_1NG8Du2eZvKYlo2C` becomes `evt_7Ru0Ma5kTqWXsd9P`, a UUID another UUID, a number one of
 * as many digits. What stands before the first `_` or `-` is taken for a prefix and stays; of a URL, all but its last step.
 * One that is too short to be another each time gets longer: `evt_42`, as in many a documentation.
 */
function freshLike(id: string, randomBytes: RandomBytes): string {
  const isUuid = uuid.test(id)
  const isHex = isUuid || /^(?=.*\d)[0-9a-f]{16,}$/i.test(id)
  const isNumber = /^\d+$/.test(id)
  const prefix = isUuid ? 0 : (/^(?:https?:\/\/.*\/|[A-Za-z]+[_-])/.exec(id)?.[0].length ?? 0)
  const short = prefix > 0 && /\d/.test(id.slice(prefix)) ? Math.max(0, leastChance - (id.length - prefix)) : 0
  const dice = randomBytes(id.length + short)
  let fresh = id.slice(0, prefix)
  for (let at = prefix; at < id.length; at++) {
    const char = id[at] ?? ''
    const die = dice[at] ?? 0
    // Version and variant of a UUID stay (RFC 9562 §4). A number has no leading zero.
    if (isUuid && (at === 14 || at === 19)) fresh += char
    else if (isNumber && at === 0) fresh += (die % 9) + 1
    else if (isHex && /[0-9a-f]/i.test(char)) fresh += sameCase((die % 16).toString(16), id)
    else if (/\d/.test(char)) fresh += die % 10
    else if (/[a-z]/i.test(char)) fresh += sameCase(lower[die % 26] ?? '', char)
    else fresh += char
  }
  for (let at = id.length; at < dice.length; at++) fresh += (dice[at] ?? 0) % 10
  return fresh
}

const sameCase = (char: string, like: string): string => (/[A-Z]/.test(like) ? char.toUpperCase() : char)

/** The first member or field that looks like an id and is no signature; null: there is none. */
function idLeaf(request: OutgoingRequest): { readonly body: string } | { readonly form: string } | null {
  const view = viewOf(request)
  const field = view.form()?.find(([name, value]) => looksLikeId(value) && !/sign|hash|hmac/i.test(name))
  if (field !== undefined) return { form: field[0] }
  const pointer = leafOf(view.json().parsed()?.value, '')
  return pointer === null ? null : { body: pointer }
}

function leafOf(value: unknown, pointer: string): string | null {
  if (/sign|hash|hmac/i.test(pointer)) return null
  if (typeof value === 'string') {
    const id = /^https?:\/\/[^?#]*\/([^/?#]+)$/.exec(value)?.[1] ?? value
    return looksLikeId(id) && !/[\s/@]/.test(id) ? pointer : null
  }
  if (typeof value === 'number') return Number.isSafeInteger(value) && value > 999 ? pointer : null
  if (typeof value !== 'object' || value === null) return null
  for (const [name, inner] of Object.entries(value)) {
    const found = leafOf(inner, pointerTo(pointer, name))
    if (found !== null) return found
  }
  return null
}
