import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { addressRefusal, allowedAddresses, clientAddress } from './addresses.ts'

const xff = (...values: string[]): string[] => values.flatMap((value) => ['X-Forwarded-For', value])
const forwarded = (...values: string[]): string[] => values.flatMap((value) => ['Forwarded', value])

test('without trusted proxies the peer is the client, whatever the request says of itself', () => {
  assert.equal(clientAddress('198.51.100.7', xff('1.2.3.4'), 0), '198.51.100.7')
  assert.equal(clientAddress('::ffff:198.51.100.7', [], 0), '198.51.100.7')
  assert.equal(clientAddress('2001:DB8:0::7', [], 1), '2001:db8::7')
})

test('each trusted proxy counts one from the right, over repeated headers', () => {
  const headers = xff('6.6.6.6, 1.2.3.4', '10.0.0.2')
  assert.equal(clientAddress('10.0.0.1', headers, 1), '10.0.0.2')
  assert.equal(clientAddress('10.0.0.1', headers, 2), '1.2.3.4')
  assert.equal(clientAddress('10.0.0.1', headers, 3), '6.6.6.6')
  assert.equal(clientAddress('10.0.0.1', headers, 9), '6.6.6.6')
  assert.equal(clientAddress('10.0.0.1', [], 2), '10.0.0.1')
})

test('addresses are read with ports, in brackets, in quotes and in mapped form', () => {
  const read = (headers: readonly string[]) => clientAddress('10.0.0.1', headers, 1)
  assert.equal(read(xff('1.2.3.4:5678')), '1.2.3.4')
  assert.equal(read(xff('[2001:db8::1]:443')), '2001:db8::1')
  assert.equal(read(xff('::ffff:1.2.3.4')), '1.2.3.4')
  assert.equal(read(forwarded('for=192.0.2.43, For="[2001:db8:cafe::17]:4711";proto=https')), '2001:db8:cafe::17')
  assert.equal(read(forwarded('proto=https;by=10.0.0.9;for=192.0.2.60')), '192.0.2.60')
  assert.equal(read(['FORWARDED', 'for="192.0.2.60:80"']), '192.0.2.60')
})

test('behind what cannot be read nobody is known, not even the proxy that wrote it', () => {
  assert.equal(clientAddress('10.0.0.1', xff('1.2.3.4, unknown'), 2), 'unknown')
  assert.equal(clientAddress('10.0.0.1', xff('1.2.3.4, unknown, 10.0.0.2'), 3), 'unknown')
  assert.equal(clientAddress('10.0.0.1', forwarded('for=1.2.3.4, for=_hidden'), 2), 'unknown')
  assert.equal(clientAddress('10.0.0.1', forwarded('for=1.2.3.4, by=10.0.0.3'), 1), 'unknown')
})

test('a proxy that passes on the header it does not write itself lets nobody choose an address', () => {
  assert.equal(clientAddress('10.0.0.1', [...xff('1.2.3.4'), ...forwarded('for=66.6.6.6')], 1), 'unknown')
  assert.equal(clientAddress('10.0.0.1', [...xff('1.2.3.4'), ...forwarded('for=1.2.3.4')], 1), '1.2.3.4')
})

test('whatever a caller sends, behind one proxy that appends it is known by what that proxy saw, or not at all', () => {
  const real = '203.0.113.9'
  const sent = fc.oneof(
    fc.string(),
    fc.constantFrom('1.2.3.4', 'for="1.2.3.4', 'for="1.2.3.4", for="', '"', '\\"', ','),
  )
  fc.assert(
    fc.property(sent, (text) => {
      const client = clientAddress('10.0.0.1', xff(`${text}, ${real}`), 1)
      assert.ok(client === real)
      for (const appended of [`for=${real}`, `for="${real}"`, `for="${real}:99";proto=https`]) {
        const client = clientAddress('10.0.0.1', forwarded(`${text}, ${appended}`), 1)
        assert.ok(client === real || client === 'unknown', client)
      }
    }),
  )
})

const refusal = (said: readonly string[] | null, client: string, headers: readonly string[] = [], proxies = 0) =>
  addressRefusal(allowedAddresses(said, ['3.18.12.63', '2a0d::/32']), { client, peer: '10.0.0.1', headers }, proxies)

test('without a list anybody may call, with an empty one nobody', () => {
  assert.equal(refusal(null, '66.6.6.6'), null)
  assert.equal(refusal([], '3.18.12.63')?.reason, 'address-not-allowed')
})

test('a list holds networks of both kinds, and what the provider publishes', () => {
  for (const [said, client, may] of [
    [['192.0.2.0/24'], '192.0.2.200', true],
    [['192.0.2.0/24'], '::ffff:192.0.2.200', true],
    [['::ffff:192.0.2.0/120'], '192.0.2.200', true],
    [['192.0.2.0/24'], '192.0.3.1', false],
    [['192.0.2.7'], '192.0.2.7', true],
    [['192.0.2.7'], '192.0.2.8', false],
    [['2001:db8::/32'], '2001:db8:1::2', true],
    [['0.0.0.0/0'], '2001:db8:1::2', false],
    [['provider'], '3.18.12.63', true],
    [['provider'], '2a0d:0:1::', true],
    [['provider'], '3.18.12.64', false],
    [['192.0.2.0/24', 'provider'], '3.18.12.63', true],
    [['provider'], 'no address', false],
    [['no network'], '192.0.2.7', false],
  ] as const) {
    assert.equal(refusal(said, client) === null, may, `${said} ${client}`)
  }
  assert.notEqual(
    addressRefusal(allowedAddresses(['provider'], undefined), { client: '3.18.12.63', peer: '', headers: [] }, 0),
    null,
  )
})

test('a refusal says when a proxy that nobody told of is the likely reason', () => {
  const [first = ''] = refusal(['provider'], '10.0.0.1', xff('3.18.12.63'))?.explanation ?? []
  assert.match(first, /3\.18\.12\.63.*POSTHORN_TRUSTED_PROXIES/)
  const [second = ''] = refusal(['provider'], '10.0.0.2', xff('3.18.12.63, 10.0.0.2'), 1)?.explanation ?? []
  assert.match(second, /behind 1 trusted proxy .*10\.0\.0\.2/)
  assert.equal(refusal(['provider'], '10.0.0.1')?.explanation.length, 1)
})
