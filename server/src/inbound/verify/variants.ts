import type { Algorithm, KeyEncoding, Scheme } from '../../domain/preset.ts'
import type { SourceSecret } from '../../domain/source.ts'
import { RequestView } from '../reading/view.ts'

/** Something that may have been meant. `says`: what it would be if it passes, as an `if` would go on. */
export interface Variant {
  readonly says: string
  readonly scheme?: Scheme
  readonly secret?: SourceSecret
  readonly view?: RequestView
}

const sharedEncodings = ['utf8', 'base64', 'hex'] as const
const encodingNames: Partial<Record<KeyEncoding, string>> = {
  utf8: 'taken as its text',
  base64: 'decoded from base64',
  hex: 'decoded from hex',
}

/** Other spellings of a secret, as they come of copying it. */
export function* secretVariants(scheme: Scheme, secret: SourceSecret): Generator<Variant> {
  const { key } = scheme
  const { value } = secret
  if (key.from !== 'secret') return
  const withKey = (changes: Partial<typeof key>): Scheme => ({ ...scheme, key: { ...key, ...changes } })
  const plain = value.trim().replace(/^(["'])(.*)\1$/s, '$2')
  if (plain !== value) {
    yield { says: 'the secret had no spaces, line ends or quotes around it', secret: { ...secret, value: plain } }
  }
  const others = sharedEncodings.filter((encoding) => encoding !== key.encoding)
  if (others.length === sharedEncodings.length) return
  const prefix = /^[A-Za-z]{2,12}_/.exec(plain)?.[0]
  const stripped = prefix !== undefined && prefix === key.strip
  const meant = { ...secret, value: plain }
  for (const encoding of others) {
    const what = stripped ? `the secret behind ${prefix}` : 'the secret'
    yield { says: `${what} were ${encodingNames[encoding]}`, scheme: withKey({ encoding }), secret: meant }
  }
  if (stripped) {
    const { strip: _, ...whole } = key
    const asText = { ...scheme, key: { ...whole, encoding: 'utf8' as const } }
    yield { says: `the ${prefix} were part of the secret`, scheme: asText, secret: meant }
  } else if (prefix === undefined) {
    yield { says: 'the secret had whsec_ before it', secret: { ...secret, value: `whsec_${plain}` } }
  } else {
    const bare = { ...secret, value: plain.slice(prefix.length) }
    for (const encoding of sharedEncodings) {
      const how = encoding === key.encoding ? '' : ` and were ${encodingNames[encoding]}`
      yield { says: `the secret had no ${prefix} before it${how}`, scheme: withKey({ encoding }), secret: bare }
    }
  }
}

// Writing a body anew costs more than a MAC over it.
const mostRewritten = 256 * 1024

/** What may have happened to the body on its way. */
export function* bodyVariants(scheme: Scheme, view: RequestView): Generator<Variant> {
  if (!mentions(scheme, 'body')) return
  const { request } = view
  const body = Buffer.from(request.body)
  const as = (says: string, changed: Uint8Array): Variant => ({
    says,
    view: new RequestView({ ...request, body: changed }, view.door),
  })
  const ending = /[\r\n]*$/.exec(body.subarray(-4).toString('latin1'))?.[0] ?? ''
  if (ending !== '') {
    yield as('the body had no line end at its end', body.subarray(0, body.length - ending.length))
  } else {
    yield as('the body had a line feed at its end', Buffer.concat([body, Buffer.from('\n')]))
    yield as('the body had a line end (CR LF) at its end', Buffer.concat([body, Buffer.from('\r\n')]))
  }
  if (body.length > mostRewritten) return
  const text = body.toString('latin1')
  if (text.includes('\r\n'))
    yield as('the lines of the body ended in LF', Buffer.from(text.replaceAll('\r\n', '\n'), 'latin1'))
  else if (/\n./s.test(text)) {
    yield as('the lines of the body ended in CR LF', Buffer.from(text.replaceAll('\n', '\r\n'), 'latin1'))
  }
  const parsed = view.json().parsed()
  if (parsed === null || scheme.each !== undefined) return
  const compact = JSON.stringify(parsed.value)
  if (!body.equals(Buffer.from(compact))) yield as('the JSON of the body were written compactly', Buffer.from(compact))
  const escaped = compact.replace(
    /[\u0080-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
  if (escaped !== compact) {
    yield as('the JSON of the body were written compactly, with \\u for what is not ASCII', Buffer.from(escaped))
  }
  const indented = JSON.stringify(parsed.value, null, 2)
  if (indented !== compact) yield as('the JSON of the body were indented by two spaces', Buffer.from(indented))
}

/** What the provider may have taken for the URL. */
export function* urlVariants(scheme: Scheme, view: RequestView): Generator<Variant> {
  if (!mentions(scheme, 'url') && !mentions(scheme, 'path')) return
  const { request, door } = view
  const parts = /^(https?):\/\/([^/?#]*)([^?#]*)(.*)$/i.exec(door.url)
  if (!parts) return
  const [, protocol = '', host = '', path = '', rest = ''] = parts
  const at = (says: string, url: string, pathLength = door.pathLength): Variant => ({
    says,
    view: new RequestView(request, { url, pathLength }),
  })
  const other = protocol.toLowerCase() === 'https' ? 'http' : 'https'
  yield at(`the public URL began with ${other}://`, `${other}://${host}${path}${rest}`)
  yield path.endsWith('/')
    ? at('the public URL had no slash at its end', `${protocol}://${host}${path.slice(0, -1)}${rest}`)
    : at('the public URL had a slash at its end', `${protocol}://${host}${path}/${rest}`)
  for (const form of ['without-port', 'with-port', 'without-query', 'percent-decoded'] as const) {
    yield { says: formNames[form], scheme: { ...scheme, url: [form] } }
  }
  const named = [...view.header('x-forwarded-host'), ...view.header('host')].filter(
    (name) => /^[\w.-]{1,253}(?::\d{1,5})?$/.test(name) && name.toLowerCase() !== host.toLowerCase(),
  )
  for (const name of new Set(named)) {
    for (const start of [protocol, other]) {
      yield at(`the public URL began with ${start}://${name}`, `${start}://${name}${path}${rest}`)
      yield at(`the public URL were the one it came to, at ${start}://${name}`, `${start}://${name}`, 0)
    }
  }
}

const formNames = {
  'without-port': 'the public URL had no port',
  'with-port': 'the public URL had its usual port in it',
  'without-query': 'the query were no part of the URL',
  'percent-decoded': 'percent escapes of the URL were decoded',
}

const families: readonly (readonly Algorithm[])[] = [
  ['hmac-sha256', 'hmac-sha1', 'hmac-sha512'],
  ['hash-sha256', 'hash-sha1'],
  ['rsa-sha256', 'rsa-sha1'],
]

/** Other ways of signing that look alike. */
export function* algorithmVariants(scheme: Scheme): Generator<Variant> {
  const others = families.find((family) => family.includes(scheme.algorithm)) ?? []
  const encodings = scheme.encoding ? (['hex', 'base64', 'base64url'] as const) : [undefined]
  for (const algorithm of [scheme.algorithm, ...others.filter((one) => one !== scheme.algorithm)]) {
    for (const encoding of encodings) {
      if (algorithm === scheme.algorithm && encoding === scheme.encoding) continue
      const as = algorithm === scheme.algorithm ? '' : `${algorithm} were expected instead of ${scheme.algorithm}`
      const spelled = encoding === scheme.encoding ? '' : `the signature were expected in ${encoding}`
      yield {
        says: [as, spelled].filter((text) => text !== '').join(', and '),
        scheme: { ...scheme, algorithm, ...(encoding === undefined ? {} : { encoding }) },
      }
    }
  }
}

/** Whether the signature depends on this of the request. */
export function mentions({ template, jwt, agree }: Scheme, what: 'url' | 'path' | 'body'): boolean {
  const look = (part: unknown): boolean => {
    if (Array.isArray(part)) return part.some(look)
    if (typeof part !== 'object' || part === null) return false
    return Object.entries(part).some(([key, value]) => {
      if (key === 'request') return value === what
      return (what === 'body' && (key === 'crc32' || key === 'sortedForm')) || look(value)
    })
  }
  return look([template, jwt?.claims, agree])
}
