import assert from 'node:assert/strict'
import { test } from 'node:test'
import { brotliCompressSync, constants, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib'
import fc from 'fast-check'
import { decodedOf } from './decoded.ts'

const bytes = (text: string): Buffer => Buffer.from(text, 'utf8')
const decoded = (body: Uint8Array | string, headers: Readonly<Record<string, string>> = {}) =>
  decodedOf({ headers: Object.entries(headers).flat(), body: typeof body === 'string' ? bytes(body) : body })
const typed = (type: string, body: Uint8Array | string) => decoded(body, { 'Content-Type': type })
const coded = (coding: string, body: Uint8Array) => decoded(body, { 'CONTENT-ENCODING': coding })

test('content codings are undone, also several over one another', () => {
  const text = '{"n":12345678901234567890}'
  const plain = bytes(text)
  for (const [coding, body] of [
    ['gzip', gzipSync(plain)],
    ['X-Gzip', gzipSync(plain)],
    ['br', brotliCompressSync(plain)],
    ['zstd', zstdCompressSync(plain)],
    ['deflate', deflateSync(plain)],
    ['deflate', deflateRawSync(plain)],
    ['identity', plain],
    ['gzip, br', brotliCompressSync(gzipSync(plain))],
    ['br,,identity, gzip', gzipSync(brotliCompressSync(plain))],
  ] as const) {
    const { content, bytes, faults } = coded(coding, body)
    assert.deepEqual(
      { content, bytes, faults },
      { content: { kind: 'json', text }, bytes: text.length, faults: [] },
      coding,
    )
  }
  assert.deepEqual(coded('gzip, br', brotliCompressSync(gzipSync(plain))).undone, ['br', 'gzip'])
})

test('a bomb is called one, at any depth, and is not unpacked', () => {
  const zeros = Buffer.alloc(20 << 20)
  const once = gzipSync(zeros)
  for (const [coding, body] of [
    ['gzip', once],
    ['deflate', deflateSync(zeros)],
    ['br', brotliCompressSync(zeros, { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } })],
    ['gzip, gzip', gzipSync(once)],
  ] as const) {
    const before = process.memoryUsage().arrayBuffers
    const { content, faults, bytes } = coded(coding, body)
    assert.equal(content.kind, 'binary')
    assert.match(faults[0] ?? '', /unpacks to more than (200 times|8 MiB)/, coding)
    assert.ok(bytes <= 1 << 20)
    assert.ok(process.memoryUsage().arrayBuffers - before < 12 << 20)
  }
})

test('a body that becomes two hundred times as large is a bomb, however little that is', () => {
  const { faults } = coded('gzip', gzipSync(Buffer.alloc(2 << 20)))
  assert.match(faults[0] ?? '', /unpacks to more than 200 times/)
})

test('little may grow to a little, whatever the ratio, and what shrinks well is no bomb', () => {
  assert.equal(coded('gzip', gzipSync(Buffer.alloc(60_000, ' '))).bytes, 60_000)
  const rows = bytes(
    JSON.stringify(Array.from({ length: 50_000 }, (_, id) => ({ id, state: 'paid', currency: 'EUR' }))),
  )
  assert.equal(coded('gzip', gzipSync(rows)).bytes, rows.length)
})

test('what is not packed as it says, or as nobody knows, is told and not guessed at', () => {
  assert.match(coded('gzip', bytes('{"a":1}')).faults[0] ?? '', /says that it is gzip, but is not/)
  assert.match(coded('gzip', gzipSync(bytes('x'.repeat(100))).subarray(0, 20)).faults[0] ?? '', /cut off/)
  assert.match(coded('compress', bytes('x')).faults[0] ?? '', /compress is not one that is known/)
  assert.match(coded('gzip,gzip,gzip,gzip,gzip,gzip', bytes('x')).faults[0] ?? '', /6 times over/)
  const half = coded('br, gzip', gzipSync(bytes('no brotli')))
  assert.deepEqual([half.undone, half.content.kind], [['gzip'], 'binary'])
})

test('JSON is found whatever the content type says, and kept as it is spelled', () => {
  const text = ' {"total":1.0,"total":2}\n'
  for (const type of ['application/json', 'text/plain', 'application/cloudevents+json', 'application/octet-stream']) {
    assert.deepEqual(typed(type, text).content, { kind: 'json', text })
  }
  assert.deepEqual(typed('application/json', '\ufeff{"a":1}').content, { kind: 'json', text: '{"a":1}' })
  assert.match(typed('application/json', '{"a":').faults[0] ?? '', /says that it is JSON/)
})

test('forms are read as pairs in their order, with repeats, in the charset they name', () => {
  const fields = (type: string, body: string) => {
    const { content } = typed(type, body)
    return content.kind === 'form' ? content.fields : content.kind
  }
  const form = 'application/x-www-form-urlencoded'
  assert.deepEqual(fields(form, 'b=2&a=1+%2B&a=&flag&=x&&c=%zz&d=a%3Db=c'), [
    ...[
      ['b', '2'],
      ['a', '1 +'],
      ['a', ''],
      ['flag', ''],
      ['', 'x'],
      ['c', '%zz'],
      ['d', 'a=b=c'],
    ],
  ])
  assert.deepEqual(fields(`${form}; charset=UTF-8`, 'n=Zo%C3%AB'), [['n', 'Zoë']])
  assert.deepEqual(fields(form, 'n=Zo%EB&charset=windows-1252'), [
    ['n', 'Zoë'],
    ['charset', 'windows-1252'],
  ])
  assert.deepEqual(fields(form, 'n=Zoë'), [['n', 'Zoë']])
})

test('text and XML are read in the charset they say, a byte order mark before all', () => {
  const text = (type: string, body: Uint8Array) => {
    const { content } = typed(type, body)
    return 'text' in content ? [content.kind, content.text] : content.kind
  }
  const latin = (value: string) => Buffer.from(value, 'latin1')
  assert.deepEqual(text('text/plain; charset="ISO-8859-1"', latin('Zoë')), ['text', 'Zoë'])
  const xml = "<?xml version='1.0' encoding='iso-8859-1'?><a>Zoë</a>"
  assert.deepEqual(text('text/xml', latin(xml)), ['xml', xml])
  assert.deepEqual(text('application/octet-stream', latin(xml)), ['xml', xml])
  assert.deepEqual(text('text/plain; charset=utf-8', Buffer.from('\ufeffZoë', 'utf16le')), ['text', 'Zoë'])
  assert.deepEqual(text('', bytes('Zoë')), ['text', 'Zoë'])
  assert.deepEqual(text('', Uint8Array.of(0xff, 0x00, 0x80)), 'binary')
  assert.deepEqual(text('', bytes('a\0b')), 'binary')
  assert.deepEqual(text('text/plain', bytes('')), 'empty')
  const lost = typed('text/plain', Uint8Array.of(0x61, 0xff))
  assert.deepEqual([lost.content, lost.faults.length], [{ kind: 'text', text: 'a\ufffd' }, 1])
  assert.match(typed('text/plain; charset=klingon', 'a').faults[0] ?? '', /klingon is not one that is known/)
})

const multipart = (...lines: string[]) => lines.join('\r\n')

test('the parts of a multipart body are told with name, file, type and size; small texts are shown', () => {
  const body = multipart(
    ...[
      'preamble',
      '--b',
      'Content-Disposition: form-data; name="json"',
      'Content-Type: application/json',
      '',
      '{"a":1}',
    ],
    ...[
      '--b  ',
      'content-disposition: form-data; name="f"; filename="a \\"b\\".txt"; filename*=UTF-8\'\'na%C3%AFve.txt',
      '',
    ],
    ...['--bc is no boundary', '--b', 'Content-Type: image/png', '', 'abc', '--b', '', '', '--b--', 'epilogue'],
  )
  const { content, faults } = typed('multipart/form-data; boundary=b', body)
  assert.deepEqual(faults, [])
  assert.deepEqual(content.kind === 'multipart' && content.parts, [
    { name: 'json', filename: null, contentType: 'application/json', bytes: 7, text: '{"a":1}' },
    { name: 'f', filename: 'naïve.txt', contentType: null, bytes: 19, text: '--bc is no boundary' },
    { name: null, filename: null, contentType: 'image/png', bytes: 3, text: null },
    { name: null, filename: null, contentType: null, bytes: 0, text: '' },
  ])
})

test('a multipart body that is cut off, has no boundary, or too many parts says so', () => {
  const fault = (type: string, body: string) => typed(type, body).faults[0] ?? ''
  assert.match(fault('multipart/mixed; boundary="x"', '--x\r\n\r\nhalf'), /without its closing boundary/)
  assert.match(fault('multipart/mixed; boundary=x', 'nothing'), /boundary x is nowhere/)
  assert.match(fault('multipart/mixed', 'nothing'), /not what its boundary is/)
  assert.match(fault('multipart/mixed; boundary=x', `${'--x\r\n\r\n\r\n'.repeat(200)}--x--`), /more than 100 parts/)
})

const segment = (value: unknown) =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')
const jwt = (payload: unknown, header: unknown = { alg: 'ES256' }) => `${segment(header)}.${segment(payload)}.c2ln`

test('tokens are taken apart wherever they stand, also those inside of others', () => {
  const inner = jwt({ id: 2 })
  const body = JSON.stringify({
    signedPayload: jwt({ data: { signedTransactionInfo: inner } }),
    'a/b': 'no.token.here',
  })
  const { tokens } = decoded(body, { Authorization: `Bearer ${jwt('{"iss":1.0}')}`, 'X-Version': '1.2.3' })
  assert.deepEqual(
    tokens.map(({ at, payload }) => [at, payload]),
    [
      ['header authorization', '{"iss":1.0}'],
      ['/signedPayload', JSON.stringify({ data: { signedTransactionInfo: inner } })],
      ['/signedPayload → /data/signedTransactionInfo', '{"id":2}'],
    ],
  )
  assert.equal(typed('application/jwt', `${jwt({ a: 1 })}\n`).tokens[0]?.at, 'body')
  assert.equal(typed('application/x-www-form-urlencoded', `id_token=${jwt({ a: 1 })}`).tokens[0]?.at, 'form id_token')
  const encrypted = `${segment({ alg: 'RSA-OAEP', enc: 'A256GCM' })}.a.b.c.d`
  assert.equal(decoded(encrypted).tokens[0]?.payload, null)
})

test('very many fields, elements and members are looked at up to a number', () => {
  const form = typed('application/x-www-form-urlencoded', 'a=1&'.repeat(200_000))
  assert.equal(form.content.kind === 'form' && form.content.fields.length, 1_000)
  assert.match(form.faults[0] ?? '', /more than 1000 fields/)
  const late = `,"${jwt({})}"]`
  assert.equal(decoded(`[${'1,'.repeat(9_000)}1${late}`).tokens.length, 1)
  assert.equal(decoded(`[${'1,'.repeat(1_000_000)}1${late}`).tokens.length, 0)
})

test('tokens in tokens come to an end, and so do many, and deep bodies', () => {
  let nested = jwt({ end: true })
  for (let depth = 0; depth < 6; depth++) nested = jwt({ in: nested })
  assert.equal(decoded(nested).tokens.length, 3)
  assert.equal(decoded(JSON.stringify(Array.from({ length: 50 }, () => jwt({ a: 1 })))).tokens.length, 20)
  assert.deepEqual(decoded(`${'['.repeat(200_000)}"${jwt({})}"${']'.repeat(200_000)}`).tokens, [])
})

test('whatever came, looking at it throws nothing', () => {
  const types = ['', 'text/xml', 'multipart/mixed; boundary=x', 'application/x-www-form-urlencoded', 'application/json']
  const codings = ['', 'gzip', 'br', 'deflate', 'zstd', 'gzip, br', ', ,']
  fc.assert(
    fc.property(
      fc.oneof(fc.uint8Array({ maxLength: 200 }), fc.string({ unit: 'binary' }).map(bytes)),
      fc.constantFrom(...types),
      fc.constantFrom(...codings),
      (body, type, coding) => void decoded(body, { 'content-type': type, 'content-encoding': coding }),
    ),
  )
})
