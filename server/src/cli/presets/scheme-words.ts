import { formatDuration } from '../../domain/duration.ts'
import type { Algorithm, Challenge, Condition, KeySource, Part, Ref, Scheme, UrlForm } from '../../domain/preset.ts'

const code = (text: string): string => (text.includes('`') ? `\`\` ${text} \`\`` : `\`${text}\``)

/** Where a value stands, as a noun for a sentence. Markdown. */
export function refInWords(ref: Ref): string {
  if ('header' in ref) {
    const name =
      typeof ref.header === 'string' ? code(ref.header) : `the header named by the setting ${code(ref.header.setting)}`
    return ref.parameter === undefined ? `header ${name}` : `${code(ref.parameter)} of header ${name}`
  }
  if ('query' in ref) return `query parameter ${code(ref.query)}`
  if ('form' in ref)
    return ref.pointer === undefined
      ? `form field ${code(ref.form)}`
      : `${code(ref.pointer)} of form field ${code(ref.form)}`
  if ('body' in ref)
    return `${[ref.body === '' ? '/' : ref.body, ...(ref.inner ?? [])].map(code).join(' → ')} of the body`
  if ('setting' in ref) return `the setting ${code(ref.setting)}`
  return requestWords[ref.request]
}

const requestWords = {
  method: 'the method',
  url: 'the public URL',
  path: 'path and query of the public URL',
  body: 'the body, byte for byte',
} as const

/** What is signed, read from left to right. Markdown. */
function partsInWords(parts: readonly Part[]): string {
  return parts.map(partInWords).join(' + ')
}

function partInWords(part: Part): string {
  if (typeof part === 'string') return code(JSON.stringify(part))
  if ('optional' in part) return `${refInWords(part.optional)}, if there is one`
  if ('hash' in part) return `${part.encoding} of ${part.hash.toUpperCase()}(${partsInWords(part.of)})`
  if ('hmac' in part)
    return `${part.encoding} of HMAC-${part.hmac.toUpperCase()}(${partsInWords(part.of)}) under the secret`
  if ('crc32' in part) return 'CRC-32 of the body, decimal'
  if ('secret' in part) return 'the secret'
  if ('sortedForm' in part) return 'each form field, name and value, sorted by name'
  if ('fields' in part)
    return `${part.fields.map(code).join(', ')} of the body, as far as they are there, each with its name and on lines of their own`
  if ('headersNamedBy' in part)
    return `the headers that ${code(part.headersNamedBy)} names, each as ${code('name:value')}`
  return refInWords(part)
}

const algorithmWords: Readonly<Record<Algorithm, string>> = {
  'hmac-sha1': 'HMAC-SHA1',
  'hmac-sha256': 'HMAC-SHA256',
  'hmac-sha512': 'HMAC-SHA512',
  'hash-sha1': 'a plain SHA-1',
  'hash-sha256': 'a plain SHA-256',
  ed25519: 'an Ed25519 signature',
  'ecdsa-p256-sha256': 'an ECDSA signature (P-256, SHA-256)',
  'rsa-sha1': 'an RSA signature (SHA-1)',
  'rsa-sha256': 'an RSA signature (SHA-256)',
  jwt: 'a JWT',
  equality: 'the secret itself',
  basic: 'HTTP Basic, with `user:password` as the secret',
}

const urlWords: Readonly<Record<UrlForm, string>> = {
  exact: 'as it is registered',
  'with-port': 'with its port',
  'without-port': 'without its port',
  'percent-decoded': 'with percent escapes decoded',
  'legacy-query': 'with its query in the older spelling',
  'without-query': 'without its query',
}

/** What one scheme checks, as sentences for a list. Markdown. */
export function schemeInWords(scheme: Scheme): readonly string[] {
  const { when = [], template, timestamp, url = [], each, jwt, agree = [] } = scheme
  return [
    ...(when.length > 0 ? [`Where ${conditionsInWords(when)}.`] : []),
    `${capital(algorithmWords[scheme.algorithm])} in ${orOf(scheme.signature.map(refInWords))}${formInWords(scheme)}.`,
    ...(template === undefined ? [] : [`Over: ${partsInWords(template)}.`]),
    ...(each === undefined ? [] : [`Each item of ${code(each)} is checked by itself, and must pass.`]),
    ...(url.length > 1 ? [`The URL is tried ${orOf(url.map((form) => urlWords[form]))}.`] : []),
    ...(jwt === undefined ? [] : jwtInWords(jwt)),
    ...keyInWords(scheme.key),
    ...agree.map(({ at, is }) => `Besides, ${refInWords(at)} must be ${partsInWords(is)}.`),
    ...(timestamp === undefined
      ? []
      : [
          timestamp.tolerance === null
            ? `The time stands in ${orOf(timestamp.at.map(refInWords))}; any age passes, unless the source sets \`toleranceSeconds\`.`
            : `The time in ${orOf(timestamp.at.map(refInWords))} may be ${formatDuration(timestamp.tolerance * 1_000)} old${timestamp.sides === 'both' ? ', and as far in the future' : ''}, measured when the request arrives.`,
        ]),
  ]
}

function formInWords({ algorithm, encoding, prefix, list }: Scheme): string {
  const said = [
    ...(encoding === undefined || algorithm === 'jwt' || algorithm === 'equality' || algorithm === 'basic'
      ? []
      : [`in ${encoding}`]),
    ...(prefix === undefined ? [] : [`after ${code(prefix)}`]),
    ...(list === undefined
      ? []
      : [list === ' ' ? 'any of several, separated by spaces' : `any of several, separated by ${code(list)}`]),
  ]
  return said.length === 0 ? '' : `, ${said.join(', ')}`
}

function jwtInWords({ algorithms, claims, withBody = [] }: NonNullable<Scheme['jwt']>): readonly string[] {
  const named = Object.entries(claims).map(
    ([name, parts]) =>
      `${code(name)} must be ${partsInWords(parts)}${withBody.includes(name) ? ', where there is a body' : ''}`,
  )
  return [
    `Signed with ${orOf(algorithms.map(code))}; ${code('exp')} and ${code('nbf')} are held to.`,
    ...(named.length > 0 ? [`Of its claims, ${named.join('; ')}.`] : []),
  ]
}

function keyInWords(key: KeySource): readonly string[] {
  if (key.from === 'certificate') {
    const { pathEnds, issuedTo } = key
    const end = pathEnds === undefined ? '' : `, with a path that ends with ${code(pathEnds)}`
    const issued = issuedTo === undefined ? '' : `; it must be issued to ${orOf(issuedTo.map(code))}`
    return [
      `The key is that of the certificate in ${refInWords(key.url)}, fetched only from ${orOf(key.hosts.map(code))}${end}${issued}.`,
    ]
  }
  if (key.from === 'jwks') {
    const at = key.hosts.length === 0 ? '' : `, at ${orOf(key.hosts.map(code))} only`
    return [`The keys are fetched from ${partsInWords(key.url)}${at}.`]
  }
  const { encoding, strip, chosenBy } = key
  return [
    ...(encoding === 'utf8' && strip === undefined
      ? []
      : [
          `The key is the secret ${keyWords[encoding]}${strip === undefined ? '' : `, without ${code(strip)} before it`}.`,
        ]),
    ...(chosenBy === undefined
      ? []
      : [`Which secret it is, ${refInWords(chosenBy)} says: the secret of that \`name\`.`]),
  ]
}

const keyWords = {
  utf8: 'as it is spelled',
  hex: 'decoded from hex',
  base64: 'decoded from base64',
  pem: 'as a public key in PEM',
  'spki-base64': 'as a public key in base64 (SubjectPublicKeyInfo)',
  'raw-hex': 'as a public key of 32 bytes in hex',
  'raw-base64': 'as a public key of 32 bytes in base64',
} as const

/** What must be so, for the middle of a sentence. Markdown. */
const conditionsInWords = (conditions: readonly Condition[]): string => conditions.map(conditionInWords).join(' and ')

function conditionInWords({ at, equals, like, absent }: Condition): string {
  if (absent) return `there is no ${refInWords(at)}`
  if (equals !== undefined) return `${refInWords(at)} is ${code(String(equals))}`
  if (like !== undefined) return `${refInWords(at)} looks like ${code(like)}`
  return `there is ${refInWords(at)}`
}

const hostsInWords = (hosts: readonly string[] | { readonly setting: string }): string =>
  'setting' in hosts ? `the hosts in the setting ${code(hosts.setting)}` : orOf(hosts.map(code))

/** One challenge and what is answered to it, as a sentence. Markdown. */
export function challengeInWords({ match, verified, check, capture, answer, fetch }: Challenge): string {
  const said = [
    ...(verified ? ['only with a right signature'] : []),
    ...(check
      ? [`${refInWords(check.at)} must be the setting ${code(check.setting)}, else the answer is ${check.refusal}`]
      : []),
    ...(capture ? [`${refInWords(capture)} becomes the secret of the source, where it has none`] : []),
    ...(fetch ? [`the URL in ${refInWords(fetch.url)} is fetched, at ${hostsInWords(fetch.hosts)} only`] : []),
  ]
  const after = said.length === 0 ? '' : ` (${said.join('; ')})`
  return `Where ${conditionsInWords(match)}: ${answer === null ? 'answered as any message' : answerInWords(answer)}${after}.`
}

type Answer = NonNullable<Challenge['answer']>

/** Markdown. */
export function answerInWords({ status, headers = {}, contentType, text, json }: Answer): string {
  const members = Object.entries(json ?? {}).map(
    ([name, value]) => `${code(name)}: ${typeof value === 'object' ? partsInWords(value) : String(value)}`,
  )
  const body = json !== undefined ? `JSON with ${members.join(', ')}` : text === undefined ? null : partsInWords(text)
  const type = contentType === undefined ? '' : ` as ${code(contentType)}`
  const named = Object.entries(headers).map(([name, parts]) => `header ${code(name)}: ${partsInWords(parts)}`)
  return [status, body === null ? 'without a body' : body + type, ...named].join(', ')
}

export const orOf = (words: readonly string[]): string => joined(words, 'or')
const joined = (words: readonly string[], last: string): string =>
  words.length < 2 ? (words[0] ?? '') : `${words.slice(0, -1).join(', ')} ${last} ${words.at(-1)}`
const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1)
