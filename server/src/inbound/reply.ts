import type { Answer } from '../domain/preset.ts'
import { currentSecrets } from '../domain/source-secret.ts'
import { bytesOf } from './reading/parts.ts'
import type { RequestView } from './reading/view.ts'
import type { PreparedSource } from './sources.ts'

/** An HTTP answer, ready to go. */
export interface Reply {
  readonly status: number
  /** Name, value, name, value … */
  readonly headers: readonly string[]
  readonly body: string | Uint8Array
}

export const emptyReply = (status: number): Reply => ({ status, headers: [], body: '' })

// What is sent back may be what a stranger has sent: nobody shall take it for a page.
const asItComes = ['x-content-type-options', 'nosniff', 'cache-control', 'no-store']

/** What a preset's answer is for this request; null: something that it is made of is not there. */
export function replyOf(
  answer: Answer,
  view: RequestView,
  { secrets, values }: Pick<PreparedSource, 'secrets' | 'values'>,
): Reply | null {
  const [secret] = currentSecrets(secrets, view.request.receivedAt)
  const around = { settings: values, ...(secret ? { secret: Buffer.from(secret.value) } : {}) }
  const headers: string[] = []
  for (const [name, parts] of Object.entries(answer.headers ?? {})) {
    const value = bytesOf(parts, view, around)
    // A header that cannot be one is none: what it is made of comes from outside.
    const text = value?.toString('latin1')
    if (text === undefined || /[^\t\x20-\x7e\x80-\xff]/.test(text)) return null
    headers.push(name, text)
  }
  if (answer.json !== undefined) {
    const members: [string, string | number | boolean][] = []
    for (const [name, value] of Object.entries(answer.json)) {
      const rendered = typeof value === 'object' ? bytesOf(value, view, around)?.toString('utf8') : value
      if (rendered === undefined) return null
      members.push([name, rendered])
    }
    const body = JSON.stringify(Object.fromEntries(members))
    return withBody(answer, headers, body, 'application/json')
  }
  if (answer.text !== undefined) {
    const body = bytesOf(answer.text, view, around)
    return body === null ? null : withBody(answer, headers, body, 'text/plain; charset=utf-8')
  }
  const type = answer.contentType === undefined ? [] : ['content-type', answer.contentType]
  return { status: answer.status, headers: [...headers, ...type], body: '' }
}

const withBody = (answer: Answer, headers: readonly string[], body: string | Uint8Array, usualType: string): Reply => ({
  status: answer.status,
  headers: [...headers, 'content-type', answer.contentType ?? usualType, ...asItComes],
  body,
})
