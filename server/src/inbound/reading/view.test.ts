import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { InboundRequest } from '../../domain/inbound.ts'
import { payloadOf } from '../../domain/payload-text.ts'
import type { Ref } from '../../domain/preset.ts'
import { type Door, RequestView } from './view.ts'

const door: Door = { url: 'https://hooks.example.test/in/t0ken', pathLength: '/in/t0ken'.length }

const viewOf = (request: Partial<Omit<InboundRequest, 'body'>> & { readonly body?: string | Uint8Array }, at = door) =>
  new RequestView(
    {
      method: 'POST',
      target: '/in/t0ken',
      headers: [],
      peer: '192.0.2.1',
      client: '192.0.2.1',
      receivedAt: 0,
      ...request,
      body: typeof request.body === 'string' ? Buffer.from(request.body) : (request.body ?? Buffer.alloc(0)),
    },
    at,
  )

const json = (body: string) => {
  const view = viewOf({ body, headers: ['content-type', 'text/plain'] })
  return (ref: Ref) => view.valuesAt(ref, {})
}

test('what a message keeps of a body does not depend on what was read out of it before', () => {
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const token = `${part({ alg: 'RS256' })}.${part({ a: 1 })}.c2ln`
  const texts = ['{"a":[1]}', '\u{feff}{"a":1}', token, `"${token}"`, 'a=1', '', '{"a":1', '7', '{"a":"\0"}', 'null']
  for (const body of [...texts.map((text) => Buffer.from(text)), Buffer.from([0x7b, 0xff, 0x7d])]) {
    const [fresh, read] = [viewOf({ body }), viewOf({ body })]
    read.valuesAt({ body: '/a' }, {})
    const [item] = read.items('/a') ?? []
    for (const view of [fresh, read, read, item ?? fresh]) assert.deepEqual(view.payload(), payloadOf(body))
    assert.equal(fresh.text(), viewOf({ body }).text())
  }
})

test('a header is found in any case, with all its values in their order and without spaces around', () => {
  const view = viewOf({ headers: ['X-Key', 'a', 'x-kEY', ' b\t', 'X-Keys', 'c', 'X-KEY', ''] })
  assert.deepEqual(view.valuesAt({ header: 'x-key' }, {}), ['a', 'b', ''])
  assert.deepEqual(view.valuesAt({ header: 'x-ke' }, {}), [])
  assert.deepEqual(view.valuesAt({ header: { setting: 'name' } }, { name: 'X-KEYS' }), ['c'])
  assert.deepEqual(view.valuesAt({ header: { setting: 'name' } }, {}), [])
  assert.deepEqual(view.valuesAt({ header: { setting: 'constructor' } }, {}), [])
})

test('parameters of a header are found in lists of any separator, and only by their whole name', () => {
  const view = viewOf({ headers: ['s', 't=1, v1=a,v10=no,v1=b=', 'S', 'v1=c', 'p', 'ts=5;h1=x ; h1=y'] })
  assert.deepEqual(view.valuesAt({ header: 's', parameter: 'v1' }, {}), ['a', 'b=', 'c'])
  assert.deepEqual(view.valuesAt({ header: 's', parameter: 't' }, {}), ['1'])
  assert.deepEqual(view.valuesAt({ header: 'p', parameter: 'h1', separator: ';' }, {}), ['x', 'y'])
})

test('JSON is read whatever its content type says, behind a byte order mark too', () => {
  assert.deepEqual(json('\ufeff{"a":{"b":"c"}}')({ body: '/a/b' }), ['c'])
  assert.deepEqual(json('no json')({ body: '/a' }), [])
  assert.deepEqual(json('')({ body: '' }), [])
})

test('a body that is itself a token is read as its claims, and texts that are JSON can be gone into', () => {
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const claims = { data: JSON.stringify({ type: 'paid', data: JSON.stringify({ id: 7.0, lines: ['a', 'b'] }) }), n: 1 }
  const token = `${part({ alg: 'RS256' })}.${part(claims)}.c2ln`
  const at = json(token)
  assert.deepEqual(at({ body: '/n' }), ['1'])
  assert.deepEqual(at({ body: '/data', inner: ['/type'] }), ['paid'])
  assert.deepEqual(at({ body: '/data', inner: ['/data', '/lines/*'] }), ['a', 'b'])
  assert.deepEqual(at({ body: '/data', inner: ['/data', '/none'] }), [])
  assert.deepEqual(at({ body: '/n', inner: ['/type'] }), [])
  assert.deepEqual(json(`${token} and more`)({ body: '/n' }), [])
  assert.deepEqual(json('eyJ')({ body: '/n' }), [])
})

test('numbers keep their spelling, and so do arrays and objects', () => {
  const at = json('{"a": 12345678901234567890, "b":1.0,"c":[1e3, {"x" : 1.50}], "d":-0, "e":"1.0","f":true,"g":null}')
  assert.deepEqual(at({ body: '/a' }), ['12345678901234567890'])
  assert.deepEqual(at({ body: '/b' }), ['1.0'])
  assert.deepEqual(at({ body: '/c/0' }), ['1e3'])
  assert.deepEqual(at({ body: '/c/1' }), ['{"x" : 1.50}'])
  assert.deepEqual(at({ body: '/c/*' }), ['1e3', '{"x" : 1.50}'])
  assert.deepEqual(at({ body: '/d' }), ['-0'])
  assert.deepEqual(at({ body: '/e' }), ['1.0'])
  assert.deepEqual(at({ body: '/f' }), ['true'])
  assert.deepEqual(at({ body: '/g' }), [], 'null is not there')
})

test('pointers follow RFC 6901, and a star stands for every item of an array', () => {
  const at = json(
    '{"a/b":1,"m~n":"2","":{"":"3"},"l":[{"id":"x"},{"id":7},{}],"__proto__":{"x":"p"},"01":"z","o":{"*":"star"}}',
  )
  assert.deepEqual(at({ body: '/a~1b' }), ['1'])
  assert.deepEqual(at({ body: '/m~0n' }), ['2'])
  assert.deepEqual(at({ body: '//' }), ['3'])
  assert.deepEqual(at({ body: '/l/*/id' }), ['x', '7'])
  assert.deepEqual(at({ body: '/l/1/id' }), ['7'])
  assert.deepEqual(at({ body: '/l/01/id' }), [])
  assert.deepEqual(at({ body: '/l/length' }), [])
  assert.deepEqual(at({ body: '/l/-1' }), [])
  assert.deepEqual(at({ body: '/__proto__/x' }), ['p'])
  assert.deepEqual(at({ body: '/constructor' }), [])
  assert.deepEqual(at({ body: '/o/*' }), ['star'])
  assert.deepEqual(at({ body: 'l' }), [], 'a pointer begins with a slash')
})

test('of a key that stands there twice the last counts, for numbers as for texts', () => {
  assert.deepEqual(json('{"a":"1","a":"2"}')({ body: '/a' }), ['2'])
  assert.deepEqual(json('{"a":1.0,"a":2.0}')({ body: '/a' }), ['2.0'])
  assert.deepEqual(json('{"a":1.0,"\\u0061":3.0}')({ body: '/a' }), ['3.0'])
})

test('the items of an array are views of their own, whose pointers begin there', () => {
  const view = viewOf({ body: '{"l":[ {"n":1.0,"s":"a"} , {"n":2.00} ]}', headers: ['x', 'y'] })
  const items = view.items('/l') ?? []
  assert.deepEqual(
    items.map((item) => [...item.valuesAt({ body: '/n' }, {}), ...item.valuesAt({ body: '/s' }, {})]),
    [['1.0', 'a'], ['2.00']],
  )
  assert.deepEqual(items[1]?.valuesAt({ header: 'x' }, {}), ['y'])
  assert.equal(view.items('/l/0'), null)
  assert.equal(view.items('/nowhere'), null)
  for (const body of ['{"longer\\than', '{"\\u0061\0bcdef":[]}', '{"events'])
    assert.equal(viewOf({ body }).items('/events'), null)
})

test('a hundred thousand numbers behind a star are read in one go', () => {
  const body = `[${Array.from({ length: 100_000 }, (_, at) => `{"n":${at}.0}`).join(',')}]`
  const before = performance.now()
  assert.equal(json(body)({ body: '/*/n' }).length, 100_000)
  // One look at the whole body for each item would take minutes.
  assert.ok(performance.now() - before < 5_000)
})

describe('forms', () => {
  test('urlencoded fields are decoded, with repeats', () => {
    const view = viewOf({
      body: 'a=1&b=%2B%C3%A4+x&a=2&payload=%7B%22n%22%3A1.0%7D&=e',
      headers: ['Content-Type', 'application/x-www-form-urlencoded; charset=utf-8'],
    })
    assert.deepEqual(view.valuesAt({ form: 'a' }, {}), ['1', '2'])
    assert.deepEqual(view.valuesAt({ form: 'b' }, {}), ['+ä x'])
    assert.deepEqual(view.valuesAt({ form: 'payload', pointer: '/n' }, {}), ['1.0'])
    assert.deepEqual(view.valuesAt({ form: '' }, {}), ['e'])
  })

  test('multipart fields are read, files are not', () => {
    const body = [
      '--b0',
      'Content-Disposition: form-data; name="token"',
      '',
      'abc\r\ndef',
      '--b0',
      'content-disposition: form-data; name="file"; filename="x.bin"',
      'Content-Type: application/octet-stream',
      '',
      'bytes',
      '--b0--',
      '',
    ].join('\r\n')
    const view = viewOf({ body, headers: ['content-type', 'multipart/form-data; boundary="b0"'] })
    assert.deepEqual(view.form(), [['token', 'abc\r\ndef']])
  })

  test('what does not say that it is a form is none', () => {
    assert.equal(viewOf({ body: 'a=1' }).form(), null)
    assert.equal(viewOf({ body: 'a=1', headers: ['content-type', 'multipart/form-data'] }).form(), null)
    assert.deepEqual(viewOf({ body: 'a=1', headers: ['content-type', 'text/plain'] }).valuesAt({ form: 'a' }, {}), [])
  })
})

describe('the URL as the provider knows it', () => {
  const url = (target: string, base = door.url) => viewOf({ target }, { ...door, url: base }).url()

  test('is the public one with what stood behind the door, spelled as it was', () => {
    assert.equal(url('/in/t0ken'), 'https://hooks.example.test/in/t0ken')
    assert.equal(url('/in/t0ken/a%2Fb//c?x=%7E&y'), 'https://hooks.example.test/in/t0ken/a%2Fb//c?x=%7E&y')
    assert.equal(url('/in/t0ken?'), 'https://hooks.example.test/in/t0ken?')
    assert.equal(url('/in/t0ken/x', 'https://a.example/'), 'https://a.example/x')
    assert.equal(url('/in/t0ken', 'https://a.example/'), 'https://a.example/')
    assert.equal(url('/in/t0ken', 'https://a.example/#rc=2'), 'https://a.example/')
  })

  test('has the query of the public URL only where the request has none', () => {
    assert.equal(url('/in/t0ken', 'https://a.example/h?k=v'), 'https://a.example/h?k=v')
    assert.equal(url('/in/t0ken?k=v', 'https://a.example/h?k=v'), 'https://a.example/h?k=v')
    assert.equal(url('/in/t0ken?k=w', 'https://a.example/h?k=v'), 'https://a.example/h?k=w')
  })

  test('its path keeps its spelling too', () => {
    const view = viewOf({ target: '/in/t0ken/a?b=%20' }, { ...door, url: 'https://u:p@a.example:8443/h' })
    assert.deepEqual(view.valuesAt({ request: 'path' }, {}), ['/h/a?b=%20'])
    assert.deepEqual(viewOf({}, { ...door, url: 'https://a.example' }).valuesAt({ request: 'path' }, {}), ['/'])
  })

  test('the query is decoded for reading, dots and repeats included', () => {
    const view = viewOf({ target: '/in/t0ken?hub.mode=subscribe&t=a+b%3A&t=%E2%98%83&?q=1' })
    assert.deepEqual(view.valuesAt({ query: 'hub.mode' }, {}), ['subscribe'])
    assert.deepEqual(view.valuesAt({ query: 't' }, {}), ['a b:', '☃'])
    assert.deepEqual(viewOf({ target: '/in/t0ken??q=1' }).valuesAt({ query: '?q' }, {}), ['1'])
  })
})

test('settings are there when they have been set, and method and body as they came', () => {
  const view = viewOf({ method: 'PuT', body: 'x' })
  assert.deepEqual(view.valuesAt({ setting: 'a' }, { a: '1', b: '' }), ['1'])
  assert.deepEqual(view.valuesAt({ setting: 'b' }, { a: '1', b: '' }), [])
  assert.deepEqual(view.valuesAt({ setting: 'toString' }, {}), [])
  assert.deepEqual(view.valuesAt({ request: 'method' }, {}), ['PuT'])
  assert.deepEqual(view.valuesAt({ request: 'body' }, {}), ['x'])
})
