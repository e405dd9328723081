// What a request tells, read from where its preset says: what makes it the same as another, its type, its order.

import { hash } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import type { Verification } from '../domain/inbound.ts'
import { isKeepable } from '../domain/kept-text.ts'
import type { Part, Preset, Ref } from '../domain/preset.ts'
import type { RequestView, SettingValues } from './reading/view.ts'

const longestKey = 256
const longestType = 256

/** A request with what its source's owner has set, which says where some values stand. */
export interface Told {
  readonly view: RequestView
  readonly values: SettingValues
}

interface Found {
  /** Which alternative it is, from 0. */
  readonly at: number
  readonly parts: readonly (readonly string[])[]
}

// Whoever says the same again in a header, a query or a form says nothing new with it.
const distinct = (ref: Ref, values: readonly string[]): readonly string[] =>
  'body' in ref ? values : [...new Set(values)]

/** The values of the first alternative of which every part is there; null: of none. */
function firstOf(alternatives: readonly (readonly Ref[])[], { view, values }: Told): Found | null {
  for (const refs of alternatives) {
    const parts = refs.map((ref) => distinct(ref, view.valuesAt(ref, values)))
    if (parts.every(({ length }) => length > 0)) return { at: alternatives.indexOf(refs), parts }
  }
  return null
}

// A key that is one plain text is kept as it is, since people look for it; any other is spelled so that no two are alike:
// ("ab", "c") is not ("a", "bc"), and an id out of one place is not the same text out of another.
const isPlain = /^(?!\[|sha256:|unverified:)[\x21-\x7e]{1,256}$/

/**
 * What another request must have as well to be the same event; null: nothing makes it the same. Requests that were not
 * verified, challenges among them, have keys of their own, so that nobody can take the id of an event that is still to come.
 */
export function duplicateKeyOf(
  preset: Pick<Preset, 'id' | 'schemes'>,
  told: Told,
  verification: Verification,
): string | null {
  const key = spelledKey(preset.id, told, idOf(preset, told, verification))
  // That there is no scheme to check with is said of a challenge, too.
  const unsigned = preset.schemes.length === 0
  const trusted =
    verification.kind === 'verified' ||
    (verification.kind === 'unverified' && verification.because === 'no-scheme' && unsigned)
  return key === null || trusted ? key : shortened(`unverified:${key}`)
}

/** Where ids stand in several places, one that was signed counts before all others: those anybody can add. */
function idOf({ id, schemes }: Pick<Preset, 'id' | 'schemes'>, told: Told, verification: Verification): Found | null {
  const { alternatives } = id
  if (alternatives.length > 1 && verification.kind === 'verified') {
    const template = schemes.find(({ name }) => name === verification.scheme)?.template ?? []
    const signed = alternatives.filter((refs) => refs.every((ref) => isSigned(ref, template)))
    const found = firstOf(signed, told)
    if (found) return { ...found, at: alternatives.indexOf(signed[found.at] ?? []) }
  }
  return firstOf(alternatives, told)
}

const isSigned = (ref: Ref, template: readonly Part[]): boolean =>
  template.some((part) => isDeepStrictEqual(part, ref)) ||
  (('body' in ref || 'form' in ref) && template.some((part) => isDeepStrictEqual(part, { request: 'body' })))

function spelledKey(id: Preset['id'], told: Told, found: Found | null): string | null {
  if (found !== null) {
    const at = id.oneId ? 0 : found.at
    const [only] = found.parts.length === 1 ? (found.parts[0] ?? []) : []
    const alone = at === 0 && found.parts[0]?.length === 1 ? only : undefined
    return alone !== undefined && isPlain.test(alone) ? alone : shortened(JSON.stringify([at, ...found.parts]))
  }
  if (id.otherwise === 'none') return null
  const { method, target, body } = told.view.request
  return `sha256:${hash('sha256', Buffer.concat([Buffer.from(`${method}\n${queryOf(target)}\n`), body]))}`
}

const queryOf = (target: string): string => target.slice(target.indexOf('?') + 1 || target.length)

const shortened = (key: string): string => (key.length <= longestKey ? key : `sha256:${hash('sha256', key)}`)

/** A provider's word for an event in the characters that event types have here. */
export const asEventType = (text: string): string => text.replaceAll(/[^a-zA-Z0-9\-_./]/g, '_').slice(0, longestType)

/** The event type as endpoints filter by it. Of several values in one place the first counts. */
export function eventTypeOf({ type = [], name }: Pick<Preset, 'type' | 'name'>, told: Told): string {
  const parts = firstOf(type, told)?.parts.map(([first = '']) => first) ?? []
  const text = asEventType(parts.join('.'))
  return text === '' || text === '.' || text === '..' ? name : text
}

/** Deliveries with the same key reach an endpoint that wants an order one after the other. */
export function orderingKeyOf({ orderingKey = [] }: Pick<Preset, 'orderingKey'>, told: Told): string | null {
  const parts = firstOf(orderingKey, told)?.parts
  if (!parts) return null
  const alone = parts.length === 1 && parts[0]?.length === 1 ? parts[0][0] : undefined
  // A field that is there and empty says nothing: what has it must not wait for all else that has.
  if (alone === '') return null
  return shortened(alone !== undefined && isKeepable(alone) ? alone : JSON.stringify(parts))
}
