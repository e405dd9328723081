import type { ReceivedRequest } from '../../domain/inbound.ts'
import { allows } from '../../domain/key.ts'
import { bodyOf, type PayloadText } from '../../domain/payload-text.ts'
import { type Content, type Decoded, decodedOf } from '../../inbound/decoded/decoded.ts'
import { isSensitiveHeader } from '../../manage/sensitive-header.ts'
import type { Principal } from '../principal.ts'

/** What every list shows of a request; null: its content is gone. */
export const cameShown = (request: ReceivedRequest | null, bytes: number | null) => ({
  ...{ method: request?.method ?? null, target: request?.target ?? null },
  ...{ peer: request?.peer ?? null, client: request?.client ?? null, bytes },
})

/** Whether a caller may see what providers prove themselves with. */
export const seesCredentials = (principal: Principal): boolean =>
  principal.kind === 'key' && allows(principal.scopes, 'manage')

const masked = '***'
// A signature is of one request only, and is what people come to look at.
const carriesCredential = (name: string): boolean => isSensitiveHeader(name) && !/signature/i.test(name)

/** The members that tell all of a request, as JSON text: JSON in it stands as it was spelled. */
export function contentMembers(
  request: ReceivedRequest | null,
  kept: PayloadText | null,
  credentials: boolean,
): string {
  if (request === null || kept === null) return '"headers":[],"body":null,"bodyBase64":null,"decoded":null'
  const headers = request.headers.map((text, at) =>
    at % 2 === 1 && !credentials && carriesCredential(request.headers[at - 1] ?? '') ? masked : text,
  )
  const pairs = headers.flatMap((name, at) => (at % 2 === 0 ? [[name, headers[at + 1] ?? '']] : []))
  const text = kept.encoding === 'base64' ? null : kept.payload
  const base64 = kept.encoding === 'base64' ? kept.payload : null
  const decoded = decodedOf({ headers, body: bodyOf(kept) })
  return (
    `"headers":${JSON.stringify(pairs)},"body":${JSON.stringify(text)},"bodyBase64":${JSON.stringify(base64)},` +
    `"decoded":{${decodedMembers(decoded, text)}}`
  )
}

function decodedMembers({ undone, bytes, content, tokens, faults }: Decoded, body: string | null): string {
  const shown = tokens.map(
    ({ at, header, payload }) => `{"at":${JSON.stringify(at)},"header":${header},"payload":${payload}}`,
  )
  return (
    `"kind":"${content.kind}","unpacked":${JSON.stringify(undone)},"bytes":${bytes},${viewOf(content, body)}` +
    `"tokens":[${shown.join(',')}],"faults":${JSON.stringify(faults)}`
  )
}

function viewOf(content: Content, body: string | null): string {
  switch (content.kind) {
    case 'json':
      return `"json":${content.text},`
    case 'xml':
    case 'text':
      return content.text === body ? '' : `"text":${JSON.stringify(content.text)},`
    case 'form':
      return `"fields":${JSON.stringify(content.fields)},`
    case 'multipart':
      return `"parts":${JSON.stringify(content.parts)},`
    default:
      return ''
  }
}
