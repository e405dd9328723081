import assert from 'node:assert/strict'
import { test } from 'node:test'
import { messageInRaw } from 'svix'
import { scene } from './scene.ts'

const spellings: readonly (readonly [what: string, payload: string])[] = [
  [
    'integers beyond 2^53',
    '{"id":9223372036854775807,"next":-9223372036854775808,"huge":123456789012345678901234567890}',
  ],
  ['numbers as they are spelled', '{"a":1.0,"b":1e3,"c":1E+03,"d":-0,"e":0.10,"f":1e400}'],
  ['duplicate keys in their order', '{"a":1,"a":2,"b":0,"a":3}'],
  ['keys in their order', '{"z":1,"10":2,"2":3,"a":4}'],
  ['escapes as they are spelled', '{"\\u0041":"\\u0041\\/\\n\\u00e9\\ud83d\\ude80\\u2028"}'],
  ['half a surrogate pair, escaped', '{"half":"\\ud800"}'],
  ['NUL, escaped', '{"nul":"\\u0000"}'],
  ['odd spacing', '{\r\n\t "a" :\n[ 1 ,2,  3 ] ,"b":{ } }'],
  ['characters of one to four bytes', '{"é":"日本 🚀 \u{10ffff}"}'],
  ['line separators that JavaScript once could not read', '{"a":"\u2028\u2029"}'],
  ['names that objects have of their own', '{"__proto__":{"a":1},"constructor":null,"toString":"x"}'],
  ['an empty object', '{}'],
  ['deep nesting', `{"a":${'['.repeat(900)}${']'.repeat(900)}}`],
]

test('the payload on the wire is the payload the caller gave, byte for byte, at once and when tried again', async (t) => {
  const { server, receiver, publish, arrived, recorded } = await scene(t)
  const refused = new Set<unknown>()
  receiver.answer = ({ headers }, response) => {
    const id = headers['webhook-id']
    response.writeHead(refused.has(id) ? 204 : 503).end()
    refused.add(id)
  }
  const texts = new Map<string, string>()
  for (const [, payload] of spellings) texts.set(await publish(payload), payload)
  await arrived(spellings.length)
  await recorded(spellings.length)
  // Tried again, it does not come from memory but from the store.
  await server.world.advance(7_000)
  await arrived(2 * spellings.length)
  assert.equal(refused.size, spellings.length)
  for (const { headers, body } of receiver.received) {
    const sent = texts.get(String(headers['webhook-id']))
    assert.equal(body.toString('utf8'), sent)
    assert.ok(body.equals(Buffer.from(sent ?? '')))
  }
})

test('a stored message is given back with the payload as it was spelled', async (t) => {
  const { server, publish } = await scene(t)
  for (const [what, payload] of spellings) {
    const id = await publish(payload)
    const one = await (await server.fetch(`/api/v1/app/shop/msg/${id}`)).text()
    assert.ok(one.includes(`"payload":${payload}`), what)
    const listed = await (await server.fetch('/api/v1/app/shop/msg?limit=1')).text()
    assert.ok(listed.includes(`"payload":${payload}`), what)
  }
})

test('a payload of 900 kB arrives whole', async (t) => {
  const { receiver, publish, arrived } = await scene(t)
  const payload = `{"rows":[${Array.from({ length: 45_000 }, (_, n) => `{"é":${n}.0,"k":${n % 7}}`).join(', ')}]}`
  assert.ok(Buffer.byteLength(payload) > 900_000)
  await publish(payload)
  await arrived(1)
  assert.ok(receiver.received[0]?.body.equals(Buffer.from(payload)))
  assert.equal(receiver.received[0]?.headers['content-length'], `${Buffer.byteLength(payload)}`)
})

test('raw content arrives as it is, under its own content type, at once and when tried again', async (t) => {
  const { server, receiver, arrived, recorded } = await scene(t)
  receiver.answer = (_, response) => response.writeHead(500).end()
  const raw = '<?xml version="1.0"?>\r\n<paid amount="1.0">\u2028 🚀</paid>\n'
  const { id } = await server.svix.message.create('shop', messageInRaw('invoice.paid', raw, 'application/xml'))
  await arrived(1)
  await recorded(1)
  await server.world.advance(7_000)
  await arrived(2)
  for (const { headers, body } of receiver.received) {
    assert.equal(body.toString('utf8'), raw)
    assert.equal(headers['content-type'], 'application/xml')
    assert.equal(headers['webhook-id'], id)
  }
})
