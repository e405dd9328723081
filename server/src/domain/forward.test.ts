import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Added, forwardedHeaders } from './forward.ts'

const added: Added = {
  own: ['posthorn-source', 'src_1'],
  signature: () => ['webhook-id', 'msg_1', 'webhook-timestamp', '1', 'webhook-signature', 'v1,ours'],
  trace: () => ['traceparent', '00-ours'],
  extra: [],
}
const plain = { ...added, own: [], signature: () => [], trace: () => [] }

test('headers go on in their order, with repeats, spelled as they came', () => {
  const headers = ['X-Sig', 'a', 'stripe-signature', 't=1', 'X-SIG', 'b', 'Content-Type', 'text/plain']
  assert.deepEqual(forwardedHeaders({ headers }, 'none', plain), headers)
})

test('what is between two neighbours only stays behind, and what Connection names as that', () => {
  const ofThisHop = [
    ...['Host', 'Connection', 'X-Hop', 'Keep-Alive', 'Content-Length', 'Transfer-Encoding', 'TE', 'Trailer', 'Expect'],
    ...['Upgrade', 'HTTP2-Settings', 'Proxy-Authenticate', 'Proxy-Authorization', 'Proxy-Connection'],
  ]
  const headers = ofThisHop.flatMap((name) => [name, name === 'Connection' ? 'Keep-Alive, X-Hop' : '1'])
  assert.deepEqual(forwardedHeaders({ headers: [...headers, 'X', 'y'] }, 'none', plain), ['X', 'y'])
})

test('a request that carries Standard Webhooks headers keeps them, unless ours are to be in their place', () => {
  const headers = ['Webhook-Id', 'theirs', 'webhook-signature', 'v1,theirs']
  const sent = (wanted: 'add' | 'replace' | 'none') =>
    forwardedHeaders({ headers }, wanted, { ...added, own: [], trace: () => [] })
  assert.deepEqual(sent('add'), headers)
  assert.deepEqual(sent('none'), headers)
  assert.deepEqual(sent('replace'), added.signature())
  assert.deepEqual(forwardedHeaders({ headers: [] }, 'add', { ...added, own: [], trace: () => [] }), added.signature())
})

test('nobody else speaks in the name of Posthorn, and the trace of the sender is kept', () => {
  const headers = ['Posthorn-Verification', 'verified', 'traceparent', '00-theirs']
  assert.deepEqual(forwardedHeaders({ headers }, 'none', added), [
    'traceparent',
    '00-theirs',
    'posthorn-source',
    'src_1',
  ])
})

test('what the owner of the endpoint wants sent takes the place of what came under that name', () => {
  const headers = ['Authorization', 'Basic theirs', 'X', 'y']
  assert.deepEqual(forwardedHeaders({ headers }, 'none', { ...plain, extra: ['authorization', 'Bearer own'] }), [
    'X',
    'y',
    'authorization',
    'Bearer own',
  ])
})

test('nobody else says what Posthorn says, however servers spell the dash when they pass it on', () => {
  const headers = [
    'Posthorn_Verification',
    'verified',
    'POSTHORN-source',
    'x',
    'posthorn.message',
    'x',
    'posthorns',
    'y',
  ]
  assert.deepEqual(forwardedHeaders({ headers }, 'none', plain), ['posthorns', 'y'])
})
