// What is wrong with a descriptor although it has the right form: what would never pass, or would let pass what it should
// not. For those that users write; those that come with the gateway are held to it by a test.

import { isDeepStrictEqual } from 'node:util'
import { pointerTo } from './json-pointer.ts'
import { hostPatternFault } from './outside-url.ts'
import type { Algorithm, Answer, KeyEncoding, Part, Preset, Ref, Scheme } from './preset.ts'
import type { Fault } from './problem.ts'

/** Every fault, with JSON Pointers that begin with `at`. */
export function presetFaults(preset: Preset, at: string): readonly Fault[] {
  const { schemes, challenges = [], settings = [], ack } = preset
  return [
    ...repeated(schemes, `${at}/schemes`),
    ...repeated(challenges, `${at}/challenges`),
    ...repeated(settings, `${at}/settings`),
    ...settings.flatMap(({ name }, index) =>
      reserved.has(name)
        ? [{ pointer: `${at}/settings/${index}/name`, message: 'has a meaning of its own in config' }]
        : [],
    ),
    ...schemes.flatMap((scheme, index) => schemeFaults(scheme, `${at}/schemes/${index}`)),
    ...challenges.flatMap(({ answer }, index) => answerFaults(answer, `${at}/challenges/${index}/answer`)),
    ...answerFaults(ack ?? null, `${at}/ack`),
    ...unknownSettings(preset, at),
  ]
}

/** Members of `config` of a source that are not settings of its preset. */
const reserved: ReadonlySet<string> = new Set(['secret', 'secrets', 'publicKey', 'preset', 'timestampGraceSeconds'])

const repeated = (named: readonly { readonly name: string }[], at: string): readonly Fault[] =>
  named.flatMap(({ name }, index) =>
    named.findIndex((other) => other.name === name) < index
      ? [{ pointer: `${at}/${index}/name`, message: `is there twice: ${name}` }]
      : [],
  )

type Family = 'mac' | 'hash' | 'public' | 'token' | 'shared'

const families: Readonly<Record<Algorithm, Family>> = {
  'hmac-sha1': 'mac',
  'hmac-sha256': 'mac',
  'hmac-sha512': 'mac',
  'hash-sha1': 'hash',
  'hash-sha256': 'hash',
  ed25519: 'public',
  'ecdsa-p256-sha256': 'public',
  'rsa-sha1': 'public',
  'rsa-sha256': 'public',
  jwt: 'token',
  equality: 'shared',
  basic: 'shared',
}

const sharedEncodings: ReadonlySet<KeyEncoding> = new Set(['utf8', 'hex', 'base64'])

function schemeFaults(scheme: Scheme, at: string): readonly Fault[] {
  const { algorithm, key, template, jwt, agree = [] } = scheme
  const family = families[algorithm]
  const faults: Fault[] = []
  const refuse = (pointer: string, message: string): void => void faults.push({ pointer: at + pointer, message })
  const signs = family === 'mac' || family === 'hash' || family === 'public'

  if (signs && template === undefined) refuse('/template', 'is required: what is signed')
  if (!signs && template !== undefined) refuse('/template', `cannot be: ${algorithm} signs nothing`)
  if (template?.every((part) => typeof part === 'string')) refuse('/template', 'must have something of the request')
  const [time] = scheme.timestamp?.at ?? []
  if (signs && time && scheme.timestamp?.tolerance !== null && !template?.some((part) => covers(part, time))) {
    refuse('/timestamp/at/0', 'must be signed: whoever repeats a request could say any other time')
  }
  if (family === 'token' && jwt === undefined) refuse('/jwt', 'is required')
  if (family !== 'token' && jwt !== undefined) refuse('/jwt', 'is only for the algorithm jwt')
  for (const [index, name] of (jwt?.withBody ?? []).entries()) {
    if (!Object.hasOwn(jwt?.claims ?? {}, name)) refuse(`/jwt/withBody/${index}`, 'must be one of claims')
  }
  if (key.from === 'secret') {
    if (key.required && key.strip === undefined) refuse('/key/required', 'says nothing without strip')
    const isShared = sharedEncodings.has(key.encoding)
    if (family === 'public' ? isShared : family !== 'token' && !isShared) {
      refuse(
        '/key/encoding',
        `cannot be ${key.encoding}: ${algorithm} needs a ${isShared ? 'public key' : 'shared secret'}`,
      )
    }
    for (const [index, name] of (jwt?.algorithms ?? []).entries()) {
      if (name.startsWith('HS') !== isShared) {
        refuse(`/jwt/algorithms/${index}`, `cannot be ${name} with keys in ${key.encoding}`)
      }
    }
  } else {
    if (family !== 'public' && family !== 'token')
      refuse('/key/from', `cannot be ${key.from}: ${algorithm} needs a secret`)
    if (key.from === 'certificate' && key.hosts.length === 0) refuse('/key/hosts', 'must name a host')
    const names = [...key.hosts.entries(), ...(key.from === 'certificate' ? (key.issuedTo ?? []).entries() : [])]
    for (const [index, host] of names) {
      const fault = hostPatternFault(host)
      if (fault !== null) refuse(`/key/hosts/${index}`, fault)
    }
  }
  // Without the secret in it, anybody could work out a bare hash; and in anything else it has no place.
  const withSecret = template?.some(hasSecret) ?? false
  if (family === 'hash' && !withSecret)
    refuse('/template', 'must have the secret in it, or anybody could make the hash')
  if (family !== 'hash' && withSecret)
    refuse('/template', `must not have the secret in it: it is the key of ${algorithm}`)
  for (const [index, { is }] of agree.entries()) {
    if (is.some(hasSecret)) refuse(`/agree/${index}/is`, 'must not have the secret in it')
  }
  return faults
}

/** Whether what stands there cannot change without what is signed. */
function covers(part: Part, ref: Ref): boolean {
  if (typeof part === 'string') return false
  if ('hash' in part || 'hmac' in part) return part.of.some((inner) => covers(inner, ref))
  if ('optional' in part) return covers(part.optional, ref)
  if ('headersNamedBy' in part) return 'header' in ref
  if ('sortedForm' in part) return 'form' in ref
  if ('fields' in part) return 'body' in ref && part.fields.some((name) => ref.body === `/${name}`)
  if ('request' in part && part.request === 'body') return 'body' in ref || 'form' in ref
  if ('request' in part && part.request !== 'method') return 'query' in ref
  return isDeepStrictEqual(part, ref)
}

const hasSecret = (part: Part): boolean =>
  typeof part !== 'string' && ('secret' in part || (('hash' in part || 'hmac' in part) && part.of.some(hasSecret)))

const headerName = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/ // RFC 9110 §5.1
// What the server itself says of its answer and connection: RFC 9110 §7.6.1, RFC 9112 §6.
const ownHeaders: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'content-type',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

/** The same of an answer by itself; null: there is none. */
export function answerFaults(answer: Answer | null, at: string): readonly Fault[] {
  if (answer === null) return []
  const faults: Fault[] = []
  const refuse = (pointer: string, message: string): void => void faults.push({ pointer: at + pointer, message })
  const { headers = {}, contentType, text = [], json = {} } = answer
  for (const [name, parts] of Object.entries(headers)) {
    const pointer = pointerTo('/headers', name)
    if (!headerName.test(name)) refuse(pointer, 'is not the name of a header')
    if (ownHeaders.has(name.toLowerCase())) refuse(pointer, 'cannot be said: the server does, and contentType')
    if (parts.some(hasSecret)) refuse(pointer, leaks)
  }
  if (contentType !== undefined && !/^[\x20-\x7e]+$/.test(contentType)) refuse('/contentType', 'must be plain ASCII')
  if (text.some(hasSecret)) refuse('/text', leaks)
  for (const [name, parts] of Object.entries(json)) {
    if (Array.isArray(parts) && parts.some(hasSecret)) {
      refuse(pointerTo('/json', name), leaks)
    }
  }
  return faults
}

const leaks = 'must not have the secret in it: whoever asks would get it'

/** Settings that are spoken of but that nobody could ever make. */
function unknownSettings({ settings = [], ...said }: Preset, at: string): readonly Fault[] {
  const names = new Set(settings.map(({ name }) => name))
  const faults: Fault[] = []
  const look = (value: unknown, pointer: string): void => {
    if (typeof value !== 'object' || value === null) return
    for (const [key, inner] of Object.entries(value)) {
      const place = pointerTo(pointer, key)
      if (key === 'setting' && typeof inner === 'string') {
        if (!names.has(inner))
          faults.push({ pointer: place, message: `must be the name of one of settings; ${inner} is none` })
      } else look(inner, place)
    }
  }
  look(said, at)
  return faults
}
