import { isUtf8 } from 'node:buffer'
import { parse } from 'node:querystring'
import { decodedOf } from '../../src/inbound/decoded/decoded.ts'
import { formFields } from '../../src/inbound/reading/form.ts'
import { mediaTypeOf } from '../../src/inbound/reading/media-type.ts'
import { partsOf } from '../../src/inbound/reading/multipart.ts'
import type { Chance } from '../faults/chance.ts'
import { type Fuzzer, fieldsOf, hold, inputOf } from './fuzzer.ts'

const urlForm = 'application/x-www-form-urlencoded'
const types = [
  urlForm,
  `${urlForm}; charset=latin1`,
  'multipart/form-data; boundary=xx',
  'multipart/form-data; boundary="x x"',
]
const others = [
  'multipart/mixed',
  'application/json',
  'text/xml; charset=utf-16',
  '',
  'text/plain; charset=nonsense',
  'application/cloudevents+json',
]
const names = ['a', 'b', 'a b', '_charset_', 'charset', '__proto__', '', 'é', 'a[0]']
const values = [
  '',
  '1',
  'x&y',
  'a=b',
  'caf\u00e9',
  '%',
  '\r\n',
  '--xx',
  '{"a":"eyJhbGciOiJIUzI1NiJ9.e30.x"}',
  '\u0000',
  '<?xml encoding="x"?>',
]
const bits = [
  '\r\n--xx\r\n',
  '\r\n--xx--',
  '--xx',
  'content-disposition: form-data; name="a"',
  'filename="f"',
  "filename*=UTF-8''%C3%A9",
  '\r\n\r\n',
  '&',
  '=',
  '+',
  '%41',
  '%',
  '?',
]

/** Bodies that are forms, in either of the two encodings; and what people are shown of any body. */
export const forms: Fuzzer = {
  name: 'forms',
  about: 'form and multipart bodies, decoded views: by the form reader of fetch, node:querystring, and encoding again',
  words: [...types, ...names, ...values, ...bits, 'content-type: text/plain', 'charset=', '\u241e'],
  make: (chance) => {
    const type = chance.comesTrue(0.8) ? pick(types, chance) : pick(others, chance)
    const fields = Array.from(
      { length: chance.between(0, 4) },
      () => [pick(names, chance), pick(values, chance)] as const,
    )
    return inputOf(
      type,
      type.startsWith('multipart') ? multipart(fields, chance) : (chance.comesTrue(0.1) ? '?' : '') + encoded(fields),
    )
  },
  judge: async (input) => {
    const [type = '', latin1 = ''] = fieldsOf(input)
    const body = Buffer.from(latin1, 'latin1')
    const fields = formFields(type, body)
    const shown = decodedOf({ headers: ['Content-Type', type], body }).content.kind
    const told = mediaTypeOf(type).type
    if (told === urlForm) judgeEncoded(body, fields ?? [])
    else hold(fields === null || told === 'multipart/form-data', () => `"${type}" is taken for a form`)
    const compared = told === 'multipart/form-data' ? await judgeMultipart(type, body, fields ?? []) : 'not compared'
    return `${fields === null ? 'no form' : Math.min(2, fields.length)} ${shown} ${compared}`
  },
  longest: 1 << 17,
  read: (input) => {
    const [type = '', latin1 = ''] = fieldsOf(input)
    const body = Buffer.from(latin1, 'latin1')
    return [formFields(type, body), decodedOf({ headers: ['Content-Type', type], body })]
  },
  growths: [
    { before: inputOf(urlForm, ''), unit: '&', behind: '' },
    { before: inputOf(urlForm, ''), unit: 'a=1&', behind: '' },
    { before: inputOf(urlForm, ''), unit: '%', behind: '' },
    { before: inputOf(urlForm, ''), unit: '?', behind: '' },
    { before: inputOf(types[2] ?? '', ''), unit: '\r\n--xx', behind: '' },
    { before: inputOf(types[2] ?? '', ''), unit: '\r\n--xx\r\n', behind: '' },
    { before: inputOf(types[2] ?? '', '--xx\r\ncontent-disposition: a'), unit: '\r\n ', behind: '\r\n\r\nx\r\n--xx--' },
    { before: inputOf(types[2] ?? '', '--xx\r\n'), unit: '\r\ncontent-disposition:', behind: '\r\n\r\nx\r\n--xx--' },
    {
      before: inputOf(types[2] ?? '', '--xx\r\ncontent-disposition: form-data'),
      unit: ';a="',
      behind: '\r\n\r\nx\r\n--xx--',
    },
    { before: inputOf('', '<?xml '), unit: ' ', behind: '' },
    { before: inputOf('', ''), unit: ' ', behind: '<?xml' },
    { before: inputOf('application/json', '["'), unit: 'eyJ.', behind: '"]' },
    { before: inputOf('application/json', '['), unit: '"eyJhIjoxfQ.a.a",', behind: '1]' },
    { before: inputOf('text/plain', ''), unit: 'a', behind: '.a.a' },
  ],
}

const pick = (list: readonly string[], chance: Chance): string => list[chance.between(0, list.length - 1)] ?? ''

const encoded = (fields: readonly (readonly [string, string])[]): string =>
  fields.map(([name, value]) => `${escaped(name)}=${escaped(value)}`).join('&')
const escaped = (text: string): string => encodeURIComponent(text).replaceAll('%20', '+')

function multipart(fields: readonly (readonly [string, string])[], chance: Chance): string {
  const parts = fields.map(([name, value]) => {
    const file = chance.comesTrue(0.2) ? '; filename="f.txt"' : ''
    return `--xx\r\nContent-Disposition: form-data; name="${name}"${file}\r\n\r\n${value}\r\n`
  })
  return Buffer.from(`${parts.join('')}--xx--\r\n`).toString('latin1')
}

/** Node has two readers of these: by one of them it is read, by the other judged. */
function judgeEncoded(body: Buffer, fields: readonly (readonly [string, string])[]): void {
  const text = body.toString('utf8')
  // Where percent signs stand for no UTF-8 the other reader keeps them as they are, and it knows no byte order mark.
  if (/%(?![0-9a-f]{2})/i.test(text) || !isUtf8Escaped(text)) return
  const right = Object.entries(parse(text, '&', '=', { maxKeys: 0 })).flatMap(([name, values]) =>
    [values ?? []].flat().map((value) => `${name}=${value}`),
  )
  const own = fields.map(([name, value]) => `${name}=${value}`)
  const pairs = text.split('&').filter((pair) => pair !== '')
  hold(own.length === pairs.length, () => `${pairs.length} pairs are read as ${own.length}`)
  hold(own.toSorted().join('\n') === right.toSorted().join('\n'), () => `it is read as "${own}", and means "${right}"`)
}

function isUtf8Escaped(text: string): boolean {
  try {
    decodeURIComponent(text)
    return text.isWellFormed() && !text.includes('\ufffd')
  } catch {
    return false
  }
}

const regular = /^content-disposition: *form-data *; *name="[^"\\%]*"(?:; *filename="[^"\\%]*")? *$/i

/** What fetch's own reader takes, receivers take: the same text fields must be seen here. */
async function judgeMultipart(
  type: string,
  body: Buffer,
  fields: readonly (readonly [string, string])[],
): Promise<string> {
  const boundary = mediaTypeOf(type).parameters.get('boundary') ?? ''
  if (boundary !== '') {
    const parts = partsOf(body, boundary, [])
    hold(parts.length <= 100, () => `${parts.length} parts`)
    hold(parts.reduce((sum, { bytes }) => sum + bytes, 0) <= body.length, () => 'the parts are more than the body')
  }
  // Of a part that names itself twice, or by no rule, readers make what they like.
  const named = body.toString('latin1').match(/content-disposition[^\r\n]*/gi) ?? []
  if (named.length > Math.max(1, fields.length) || !named.every((line) => regular.test(line))) {
    return 'irregular'
  }
  // RFC 2046 §5.1.1 has a boundary begin its line; readers that skip what stands before the first one take it anywhere.
  const first = body.indexOf(`--${boundary}`)
  if (first > 0 && body.toString('latin1', Math.max(0, first - 2), first) !== '\r\n') return 'begins in a line'
  // Here a part that is no text is no field; there its bytes are replaced.
  if (!isUtf8(body)) return 'no UTF-8'
  let right: FormData
  try {
    right = await new Response(body, { headers: { 'content-type': type } }).formData()
  } catch {
    return 'not taken elsewhere'
  }
  const meant = [...right].flatMap(([name, value]) =>
    typeof value === 'string' && !value.includes('\0') ? [`${name}=${value}`] : [],
  )
  const own = fields.filter(([, value]) => !value.includes('\0')).map(([name, value]) => `${name}=${value}`)
  hold(
    JSON.stringify(own) === JSON.stringify(meant),
    () => `it is read as ${JSON.stringify(own)}, and means ${JSON.stringify(meant)}`,
  )
  return 'same elsewhere'
}
