import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { addressesWithoutDns, chooseAddresses, egressVerdict, isNamed, parseEgressAllow } from './egress.ts'

const nothing = parseEgressAllow('')

describe('the allow list', () => {
  test('takes networks, addresses, names and all names below one, in any case and with spaces', () => {
    const allow = parseEgressAllow(' 10.0.0.0/8, ::1 ,Receiver.Internal., *.svc.cluster.local,')
    assert.equal(allow.networks.length, 2)
    assert.deepEqual(allow.hosts, ['receiver.internal'])
    assert.deepEqual(allow.suffixes, ['.svc.cluster.local'])
  })

  for (const bad of [
    '10.0.0.0/33',
    '10.0.0',
    '256.0.0.1',
    'http://a.test',
    'a.test:80',
    '*',
    '*.',
    'a..b',
    '-a',
    'a b',
    '0x7f',
    '[::1]',
    '*.*.a',
  ]) {
    test(`does not take ${bad}, and says so with an example`, () => {
      assert.throws(
        () => parseEgressAllow(`127.0.0.1,${bad}`),
        (error: Error) => {
          assert.ok(error.message.includes(`"${bad}"`), error.message)
          assert.match(error.message, /an example: 127\.0\.0\.0\/8/)
          return true
        },
      )
    })
  }
})

describe('the verdict on one address', () => {
  test('refuses what is not public, and says which address, what it is, and what the operator can do', () => {
    assert.deepEqual(egressVerdict(nothing, '10.0.0.7', '10.0.0.7'), {
      ok: false,
      kind: 'private',
      detail: '10.0.0.7 is a private address; allow it with POSTHORN_EGRESS_ALLOW',
    })
    assert.deepEqual(egressVerdict(nothing, 'a.test', '10.0.0.7'), {
      ok: false,
      kind: 'private',
      detail: 'a.test is 10.0.0.7, a private address; allow it with POSTHORN_EGRESS_ALLOW',
    })
  })

  test('lets public addresses pass, also behind the well-known NAT64 prefix and in mapped form', () => {
    for (const address of ['93.184.215.14', '2606:4700::1', '::ffff:93.184.215.14', '64:ff9b::93.184.215.14']) {
      assert.ok(egressVerdict(nothing, 'a.test', address).ok, address)
    }
  })

  test('an allowed IPv4 network covers the mapped form of its addresses, but no translated or tunnelled form', () => {
    const allow = parseEgressAllow('10.0.0.0/8')
    assert.ok(egressVerdict(allow, 'a.test', '::ffff:10.0.0.7').ok)
    assert.ok(!egressVerdict(allow, 'a.test', '64:ff9b::10.0.0.7').ok)
    assert.ok(!egressVerdict(allow, 'a.test', '2002:a00:7::1').ok)
    assert.ok(!egressVerdict(allow, 'a.test', '::10.0.0.7').ok)
  })

  test('an allowed name vouches for where it points, for itself alone', () => {
    const allow = parseEgressAllow('receiver.internal,*.svc.local')
    assert.ok(egressVerdict(allow, 'RECEIVER.internal.', '10.0.0.7').ok)
    assert.ok(egressVerdict(allow, 'a.b.svc.local', 'fd00::7').ok)
    for (const other of ['x.receiver.internal', 'svc.local', 'evilsvc.local', 'receiver.internal.evil.test']) {
      assert.ok(!egressVerdict(allow, other, '10.0.0.7').ok, other)
    }
  })

  test('a name does not vouch for a metadata service, its address does', () => {
    assert.ok(!egressVerdict(parseEgressAllow('a.test'), 'a.test', '169.254.169.254').ok)
    assert.ok(!egressVerdict(parseEgressAllow('a.test'), 'a.test', '::ffff:169.254.169.254').ok)
    assert.ok(egressVerdict(parseEgressAllow('169.254.169.254'), 'a.test', '169.254.169.254').ok)
  })

  test('what is no address is refused, also when the name is allowed', () => {
    assert.ok(!egressVerdict(parseEgressAllow('a.test'), 'a.test', '127.1').ok)
  })
})

describe('the choice among the addresses of a name', () => {
  test('one private address spoils the public ones beside it, wherever it stands', () => {
    for (const addresses of [
      ['93.184.215.14', '10.0.0.7'],
      ['10.0.0.7', '93.184.215.14'],
      ['2606:4700::1', '::1'],
    ]) {
      assert.equal(chooseAddresses(nothing, 'a.test', addresses).ok, false, addresses.join())
    }
  })

  test('all good addresses are kept in the order given', () => {
    const addresses = ['2606:4700::1', '93.184.215.14']
    assert.deepEqual(chooseAddresses(nothing, 'a.test', addresses), { ok: true, addresses })
  })

  test('localhost is taken as far as it is allowed', () => {
    const addresses = ['127.0.0.1', '::1']
    assert.deepEqual(chooseAddresses(parseEgressAllow('127.0.0.0/8'), 'localhost', addresses), {
      ok: true,
      addresses: ['127.0.0.1'],
    })
    assert.equal(chooseAddresses(nothing, 'localhost', addresses).ok, false)
    assert.equal(chooseAddresses(parseEgressAllow('127.0.0.0/8'), 'a.test', addresses).ok, false)
  })
})

test('literals and localhost need no resolver, names do', () => {
  assert.deepEqual(addressesWithoutDns('[::1]'), ['::1'])
  assert.deepEqual(addressesWithoutDns('127.0.0.1.'), ['127.0.0.1'])
  assert.deepEqual(addressesWithoutDns('LOCALHOST.'), ['127.0.0.1', '::1'])
  assert.deepEqual(addressesWithoutDns('a.b.localhost'), ['127.0.0.1', '::1'])
  for (const name of ['notlocalhost', 'localhost.test', 'a.test', '127.0.0.1.nip.io'])
    assert.equal(addressesWithoutDns(name), null, name)
})

test('a host is named by its name, by one above it or by the address that it is, not by where it may resolve to', () => {
  const allow = parseEgressAllow('10.0.0.0/8,127.0.0.1,keys.internal,*.svc.local')
  for (const host of ['keys.internal', 'KEYS.internal.', 'a.svc.local', '10.1.2.3', '127.0.0.1', 'localhost']) {
    assert.ok(isNamed(allow, host), host)
  }
  for (const host of ['svc.local', 'a.keys.internal', 'other.example', '11.0.0.1', '[::1]']) {
    assert.ok(!isNamed(allow, host), host)
  }
})
