import type { Condition } from '../../domain/preset.ts'
import type { RequestView, SettingValues } from './view.ts'

/** Whether every condition is so; several values at one place: whether one of them is. */
export const allHold = (conditions: readonly Condition[], view: RequestView, settings: SettingValues): boolean =>
  conditions.every((condition) => holds(condition, view, settings))

function holds(condition: Condition, view: RequestView, settings: SettingValues): boolean {
  const { at, equals, like } = condition
  if ('body' in at && at.inner === undefined && equals !== undefined && typeof equals !== 'string') {
    return view.json().at(at.body).includes(equals)
  }
  const values = view.valuesAt(at, settings)
  if (condition.absent) return values.length === 0
  if (equals !== undefined) return values.includes(String(equals))
  if (like !== undefined) return values.some((value) => isLike(value, like))
  return values.length > 0 || ('body' in at && at.inner === undefined && view.json().at(at.body).length > 0)
}

/**
 * Whether the whole text looks like the pattern, in which `*` stands for any characters or none. There is nothing else in
 * patterns, since they come from users as well and must take no longer than the text is long, times the pieces they have.
 */
function isLike(text: string, pattern: string): boolean {
  const [first = '', ...rest] = pattern.split('*')
  const last = rest.pop()
  if (last === undefined) return text === first
  if (!text.startsWith(first) || text.length < first.length + last.length || !text.endsWith(last)) return false
  let at = first.length
  const end = text.length - last.length
  for (const piece of rest) {
    const found = text.indexOf(piece, at)
    if (found === -1 || found + piece.length > end) return false
    at = found + piece.length
  }
  return true
}
