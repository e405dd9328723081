import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type AddressKind, isWithin, kindOfAddress, parseAddress, parseNetwork } from './address.ts'

const kindOf = (text: string) => {
  const address = parseAddress(text)
  assert.ok(address, text)
  return kindOfAddress(address)
}

// First and last address of each range, and the neighbours outside.
const kinds: readonly (readonly [string, AddressKind])[] = [
  ['0.0.0.0', 'unspecified'],
  ['0.255.255.255', 'unspecified'],
  ['1.0.0.0', 'public'],
  ['9.255.255.255', 'public'],
  ['10.0.0.0', 'private'],
  ['10.255.255.255', 'private'],
  ['11.0.0.0', 'public'],
  ['100.63.255.255', 'public'],
  ['100.64.0.0', 'carrier-nat'],
  ['100.127.255.255', 'carrier-nat'],
  ['100.128.0.0', 'public'],
  ['100.100.100.200', 'metadata'],
  ['126.255.255.255', 'public'],
  ['127.0.0.0', 'loopback'],
  ['127.255.255.255', 'loopback'],
  ['128.0.0.0', 'public'],
  ['168.63.129.16', 'metadata'],
  ['168.63.129.17', 'public'],
  ['169.253.255.255', 'public'],
  ['169.254.0.0', 'link-local'],
  ['169.254.169.254', 'metadata'],
  ['169.254.170.2', 'metadata'],
  ['169.254.255.255', 'link-local'],
  ['169.255.0.0', 'public'],
  ['172.15.255.255', 'public'],
  ['172.16.0.0', 'private'],
  ['172.31.255.255', 'private'],
  ['172.32.0.0', 'public'],
  ['192.0.0.0', 'reserved'],
  ['192.0.0.8', 'reserved'],
  ['192.0.0.170', 'reserved'],
  ['192.0.0.192', 'metadata'],
  ['192.0.1.0', 'public'],
  ['192.0.2.0', 'documentation'],
  ['192.0.2.255', 'documentation'],
  ['192.31.196.1', 'reserved'],
  ['192.52.193.1', 'tunnel'],
  ['192.88.99.1', 'tunnel'],
  ['192.88.100.0', 'public'],
  ['192.167.255.255', 'public'],
  ['192.168.0.0', 'private'],
  ['192.168.255.255', 'private'],
  ['192.169.0.0', 'public'],
  ['192.175.48.6', 'reserved'],
  ['198.17.255.255', 'public'],
  ['198.18.0.0', 'benchmark'],
  ['198.19.255.255', 'benchmark'],
  ['198.20.0.0', 'public'],
  ['198.51.100.1', 'documentation'],
  ['203.0.113.255', 'documentation'],
  ['223.255.255.255', 'public'],
  ['224.0.0.0', 'multicast'],
  ['239.255.255.255', 'multicast'],
  ['240.0.0.0', 'reserved'],
  ['255.255.255.254', 'reserved'],
  ['255.255.255.255', 'broadcast'],
  ['8.8.8.8', 'public'],

  ['::', 'unspecified'],
  ['::1', 'loopback'],
  ['::2', 'translated'],
  ['::127.0.0.1', 'translated'],
  ['::8.8.8.8', 'translated'],
  ['::ffff:127.0.0.1', 'loopback'],
  ['::ffff:10.0.0.7', 'private'],
  ['::ffff:a00:7', 'private'],
  ['::ffff:169.254.169.254', 'metadata'],
  ['::ffff:8.8.8.8', 'public'],
  ['::ffff:0:10.0.0.7', 'translated'],
  ['::ffff:0:8.8.8.8', 'translated'],
  ['1::1', 'reserved'],
  ['64:ff9b::10.0.0.7', 'private'],
  ['64:ff9b::7f00:1', 'loopback'],
  ['64:ff9b::a9fe:a9fe', 'metadata'],
  ['64:ff9b::8.8.8.8', 'public'],
  ['64:ff9b:1::8.8.8.8', 'translated'],
  ['64:ff9b:1:ffff:ffff:ffff:ffff:ffff', 'translated'],
  ['64:ff9b:2::1', 'reserved'],
  ['100::1', 'discard'],
  ['100:0:0:1::1', 'reserved'],
  ['200::1', 'reserved'],
  ['2001::1', 'tunnel'],
  ['2001:0:4136:e378:8000:63bf:3fff:fdd2', 'tunnel'],
  ['2001:1::1', 'reserved'],
  ['2001:2::1', 'benchmark'],
  ['2001:3::1', 'tunnel'],
  ['2001:4:112::1', 'reserved'],
  ['2001:10::1', 'reserved'],
  ['2001:20::1', 'reserved'],
  ['2001:30::1', 'reserved'],
  ['2001:1ff:ffff::1', 'reserved'],
  ['2001:200::1', 'public'],
  ['2001:db8::1', 'documentation'],
  ['2001:db8:ffff:ffff::1', 'documentation'],
  ['2001:db9::1', 'public'],
  ['2002:a00:7::1', 'tunnel'],
  ['2002:808:808::1', 'tunnel'],
  ['2003::1', 'public'],
  ['2606:4700:4700::1111', 'public'],
  ['2606:4700::5efe:a00:7', 'tunnel'],
  ['2606:4700::200:5efe:a00:7', 'tunnel'],
  ['2620:4f:8000::1', 'reserved'],
  ['3fff::1', 'documentation'],
  ['3fff:fff:ffff::1', 'documentation'],
  ['3fff:1000::1', 'public'],
  ['4000::1', 'reserved'],
  ['5f00::1', 'reserved'],
  ['fc00::1', 'unique-local'],
  ['fdff:ffff::1', 'unique-local'],
  ['fd00:ec2::254', 'metadata'],
  ['fd20:ce::254', 'metadata'],
  ['fe00::1', 'reserved'],
  ['fe80::1', 'link-local'],
  ['fe80::1%eth0', 'link-local'],
  ['fe80::a9fe:a9fe%2', 'metadata'],
  ['febf::1', 'link-local'],
  ['fec0::1', 'site-local'],
  ['feff::1', 'site-local'],
  ['ff02::1', 'multicast'],
  ['ff0e::1', 'multicast'],
]

for (const [text, kind] of kinds) {
  test(`${text} is ${kind}`, () => assert.equal(kindOf(text), kind))
}

test('only the spelling a resolver gives is an address: no short, octal, hexadecimal or bracketed form', () => {
  for (const text of [
    '',
    '127.1',
    '0177.0.0.1',
    '0x7f.0.0.1',
    '2130706433',
    '1.2.3.4.5',
    '256.0.0.1',
    '[::1]',
    'localhost',
    ':',
    '1.2.3.4 ',
  ]) {
    assert.equal(parseAddress(text), null, text)
  }
})

test('a network holds its addresses and no others, in IPv4, IPv6 and mapped form', () => {
  const within = (address: string, network: string) => {
    const [one, range] = [parseAddress(address), parseNetwork(network)]
    assert.ok(one && range, `${address} ${network}`)
    return isWithin(one, range)
  }
  assert.ok(within('10.1.2.3', '10.0.0.0/8'))
  assert.ok(within('10.1.2.3', '10.9.9.9/8'))
  assert.ok(!within('11.0.0.0', '10.0.0.0/8'))
  assert.ok(within('10.0.0.7', '10.0.0.7'))
  assert.ok(!within('10.0.0.8', '10.0.0.7'))
  assert.ok(within('::ffff:10.1.2.3', '10.0.0.0/8'))
  assert.ok(within('10.1.2.3', '::ffff:10.0.0.0/104'))
  assert.ok(!within('11.1.2.3', '::ffff:10.0.0.0/104'))
  assert.ok(within('fd00::1', 'fc00::/7'))
  assert.ok(!within('fd00::1', '0.0.0.0/0'))
  assert.ok(!within('10.0.0.1', '::/0'))
  assert.ok(within('203.0.113.9', '0.0.0.0/0'))
})

test('what is not a network is none', () => {
  for (const text of [
    '10.0.0.0/33',
    '10.0.0.0/-1',
    '10.0.0.0/8/8',
    '10.0.0.0/',
    '10.0.0/8',
    '::/129',
    '::ffff:10.0.0.0/8',
    'x/8',
    '',
  ]) {
    assert.equal(parseNetwork(text), null, text)
  }
})
