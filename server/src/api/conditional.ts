// Conditional requests, RFC 9110 section 13: an entity tag is a hash of the JSON that a GET answers.

import { hash } from 'node:crypto'
import { Problem } from '../domain/problem.ts'

/**
 * Strong: it changes whenever a byte of the representation does. `steady`: the representation without what moves by
 * itself; the part of the tag before the dot is of that alone.
 */
export const etagOf = (json: string, steady?: string): string =>
  `"${steady === undefined ? '' : `${digest(steady)}.`}${digest(json)}"`

const digest = (text: string): string => hash('sha256', text, 'base64url').slice(0, 22)

/** Whether two tags are of the same, but for what moves by itself. */
const isOfSame = (text: string, current: string): boolean =>
  text === current || (current.includes('.') && text.split('.', 1)[0] === current.split('.', 1)[0])

interface Tag {
  readonly weak: boolean
  readonly text: string
}

/** What `If-Match` or `If-None-Match` names: any representation, or one of these. */
export type TagList = '*' | readonly Tag[]

// RFC 9110, 8.8.3. Bytes above ASCII arrive as their Latin-1 characters.
const tagShape = /^[ \t]*(W\/)?("[\x21\x23-\x7e\x80-\xff]*")[ \t]*(?:,|$)/

/** Throws Problem `request-malformed`. */
export function readTagList(name: string, header: string): TagList {
  if (header.trim() === '*') return '*'
  const tags: Tag[] = []
  for (let left = skipEmpty(header); left !== ''; ) {
    const tag = tagShape.exec(left)
    if (!tag) throw new Problem('request-malformed', `${name} must be * or entity tags in double quotes: "…", "…".`)
    tags.push({ weak: tag[1] !== undefined, text: tag[2] ?? '' })
    left = skipEmpty(left.slice(tag[0].length))
  }
  if (tags.length === 0) throw new Problem('request-malformed', `${name} names nothing.`)
  return tags
}

// RFC 9110, 5.6.1.2: elements without anything in them are passed over.
const skipEmpty = (list: string): string => list.replace(/^[ \t,]+/, '')

/** Strong comparison, for what is to be changed. `current` null: there is nothing. */
export const matchesStrongly = (list: TagList, current: string | null): boolean =>
  current !== null && (list === '*' || list.some(({ weak, text }) => !weak && isOfSame(text, current)))

/** Weak comparison, for what is read. */
export const matchesWeakly = (list: TagList, current: string | null): boolean =>
  current !== null && (list === '*' || list.some(({ text }) => text === current))

interface ConditionalHeaders {
  readonly 'if-match'?: string | undefined
  readonly 'if-none-match'?: string | undefined
}

/** Whether a reader has this representation already. Throws Problem `precondition-failed` or `request-malformed`. */
export function isKnown(
  { 'if-match': ifMatch, 'if-none-match': ifNoneMatch }: ConditionalHeaders,
  etag: string,
): boolean {
  if (ifMatch !== undefined && !matchesStrongly(readTagList('If-Match', ifMatch), etag)) {
    throw new Problem('precondition-failed', `If-Match does not hold: ${standing(etag)}.`)
  }
  return ifNoneMatch !== undefined && matchesWeakly(readTagList('If-None-Match', ifNoneMatch), etag)
}

/** What a caller expects of a resource before it is changed; null: he names nothing. Throws Problem `request-malformed`. */
export function expectedOf(headers: ConditionalHeaders): ((current: string | null) => void) | null {
  const { 'if-match': ifMatch, 'if-none-match': ifNoneMatch } = headers
  if (ifMatch === undefined && ifNoneMatch === undefined) return null
  const wanted = ifMatch === undefined ? null : readTagList('If-Match', ifMatch)
  const unwanted = ifNoneMatch === undefined ? null : readTagList('If-None-Match', ifNoneMatch)
  return (current) => {
    if (wanted && !matchesStrongly(wanted, current)) {
      throw new Problem('precondition-failed', `If-Match does not hold: ${standing(current)}.`)
    }
    if (unwanted && matchesWeakly(unwanted, current)) {
      throw new Problem('precondition-failed', `If-None-Match does not hold: ${standing(current)}.`)
    }
  }
}

const standing = (current: string | null): string =>
  current === null ? 'there is nothing here' : `the resource is ${current}`
