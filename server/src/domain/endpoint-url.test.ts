import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type EgressAllow, parseEgressAllow } from './egress.ts'
import { checkEndpointUrl } from './endpoint-url.ts'
import { Problem } from './problem.ts'

const nothing = parseEgressAllow('')

function refusal(url: string, allow: EgressAllow = nothing): Problem {
  try {
    checkEndpointUrl(url, allow, '/url')
  } catch (error) {
    assert.ok(error instanceof Problem)
    assert.deepEqual(
      error.faults.map((fault) => fault.pointer),
      ['/url'],
    )
    return error
  }
  assert.fail(`${JSON.stringify(url)} was taken`)
}

describe('every spelling of an address that leads inside is refused', () => {
  const hosts = [
    '0.0.0.0',
    '10.0.0.7',
    '100.64.0.1',
    '127.0.0.1',
    '169.254.1.1',
    '169.254.169.254',
    '172.16.0.1',
    '192.0.0.1',
    '192.0.2.1',
    '192.88.99.1',
    '192.168.0.1',
    '198.18.0.1',
    '198.51.100.1',
    '203.0.113.1',
    '224.0.0.1',
    '240.0.0.1',
    '255.255.255.255',
    '168.63.129.16',
    '100.100.100.200',
    '192.31.196.1',
    '192.52.193.1',
    '192.175.48.1',
    // the same by other spellings
    '2130706433',
    '017700000001',
    '0x7f000001',
    '0X7F000001',
    '127.1',
    '127.0.1',
    '0177.0.0.1',
    '0x7f.0.0.1',
    '0x7f.1',
    '127.0.0.1.',
    '0',
    '0x0',
    '0x',
    '00',
    '0.0.0.0.',
    '167772167',
    '0xa.7',
    '012.0.0.07',
    '3232235521',
    '0xa9fea9fe',
    '2852039166',
    '169.254.43518',
    '127%2e0.0.1',
    '%31%32%37.0.0.1',
    '１２７.０.０.１',
    '127。0。0。1',
    '①②⑦.0.0.1',
    // IPv6
    '[::]',
    '[::1]',
    '[0:0:0:0:0:0:0:1]',
    '[0000::0001]',
    '[::127.0.0.1]',
    '[::ffff:127.0.0.1]',
    '[::ffff:7f00:1]',
    '[::FFFF:10.0.0.7]',
    '[0:0:0:0:0:ffff:a00:7]',
    '[::ffff:0:10.0.0.7]',
    '[64:ff9b::10.0.0.7]',
    '[64:ff9b::a00:7]',
    '[64:ff9b:1::8.8.8.8]',
    '[100::1]',
    '[2001::1]',
    '[2001:0:4136:e378:8000:63bf:3fff:fdd2]',
    '[2001:2::1]',
    '[2001:10::1]',
    '[2001:20::1]',
    '[2001:db8::1]',
    '[2002:a00:7::1]',
    '[2002:7f00:1::]',
    '[3fff::1]',
    '[5f00::1]',
    '[fc00::1]',
    '[fd00:ec2::254]',
    '[fe80::1]',
    '[fec0::1]',
    '[ff02::1]',
    '[2606:4700::5efe:10.0.0.7]',
    // names that are an address by definition
    'localhost',
    'LOCALHOST',
    'localhost.',
    'app.localhost',
    'a.b.localhost.',
    'ｌocalhost',
  ]
  for (const host of hosts) {
    test(host, () => {
      assert.equal(refusal(`http://${host}/hook`).code, 'endpoint-url-private')
      assert.equal(refusal(`https://${host}:8443?a=b`).code, 'endpoint-url-private')
    })
  }

  test('the detail names the address and the setting', () => {
    assert.equal(
      refusal('https://0xa.7/').message,
      '10.0.0.7 is a private address; allow it with POSTHORN_EGRESS_ALLOW',
    )
    assert.equal(refusal('https://0xa.7/').faults[0]?.message, 'leads to 10.0.0.7')
  })
})

test('an address the operator allows is taken, in every spelling of it', () => {
  const allow = parseEgressAllow('127.0.0.0/8,fd00::/8')
  for (const host of ['127.0.0.1', '127.1', '0x7f000001', '[::ffff:127.0.0.1]', 'localhost', '[fd00::7]']) {
    assert.equal(checkEndpointUrl(`http://${host}:3000/`, allow, '/url'), `http://${host}:3000/`)
  }
  for (const host of ['10.0.0.7', '[::1]', '[64:ff9b::127.0.0.1]']) {
    assert.equal(refusal(`http://${host}:3000/`, allow).code, 'endpoint-url-private')
  }
})

test('public addresses and names are taken and kept as they were spelled', () => {
  for (const url of [
    'https://example.com',
    'HTTPS://Example.COM:443/Path/../x?q=%7e&a=b+c',
    'http://example.com./',
    'https://example.com:/',
    'https://example.com:1/',
    'https://example.com:65535/',
    'https://93.184.215.14/',
    'https://[2606:4700::1111]:8443/x',
    'https://[64:ff9b::5db8:d70e]/',
    'https://under_score.example.com/',
    'https://bücher.example/straße?ü=ö',
    'http://intranet/hook',
    'https://127.0.0.1.nip.io/',
    'https://example.com/a@b:c',
    'https://example.com?to=a@b',
  ]) {
    assert.equal(checkEndpointUrl(url, nothing, '/url'), url)
  }
})

describe('what is no URL deliveries can go to is refused', () => {
  const urls: Record<string, string> = {
    empty: '',
    relative: '/hook',
    'without scheme': 'example.com/hook',
    'scheme-relative': '//example.com/',
    'of another scheme': 'ftp://example.com/',
    'of scheme file': 'file:///etc/passwd',
    'of scheme javascript': 'javascript:alert(1)',
    'with one slash': 'http:/example.com/',
    'with no slash': 'https:example.com',
    'with three slashes': 'https:///example.com/',
    'without host': 'https://',
    'with a port only': 'https://:443/',
    'with credentials': 'https://user:pass@example.com/',
    'with a user': 'https://user@example.com/',
    'with empty credentials': 'https://@example.com/',
    'with escaped credentials': 'https://user%40x@example.com/',
    'with port 0': 'https://example.com:0/',
    'with port 00000': 'https://example.com:00000/',
    'with port 65536': 'https://example.com:65536/',
    'with port -1': 'https://example.com:-1/',
    'with a port of letters': 'https://example.com:http/',
    'with a fragment': 'https://example.com/#top',
    'with an empty fragment': 'https://example.com/#',
    'with a space before': ' https://example.com/',
    'with a space after': 'https://example.com/ ',
    'with a space inside': 'https://example.com/a b',
    'with a tab': 'https://exam\tple.com/',
    'with a line break': 'https://example.com/\r\nX-Evil: 1',
    'with a NUL': 'https://example.com/\0',
    'with DEL': 'https://example.com/\x7f',
    'with a bidirectional override': 'https://example.com/\u202egnp.exe',
    'with a lone surrogate': 'https://example.com/\ud800',
    'with backslashes': 'https:\\\\example.com\\',
    'with a backslash before @': 'https://example.com\\@10.0.0.7/',
    'with an unclosed bracket': 'https://[::1/',
    'with a zone': 'https://[fe80::1%25eth0]/',
    'with an address out of range': 'https://256.0.0.1/',
    'with an empty label': 'https://example..com/',
    'with two final dots': 'https://127.0.0.1../',
    'with a label of 64 characters': `https://${'a'.repeat(64)}.com/`,
    'with a name of 254 characters': `https://${`${'a'.repeat(50)}.`.repeat(5)}com/`,
    'with signs in the host': "https://a'b.com/",
  }
  for (const [name, url] of Object.entries(urls)) {
    test(name, () => assert.equal(refusal(url).code, 'endpoint-url-invalid'))
  }

  test('2,048 characters are taken, 2,049 are not', () => {
    const url = (length: number) => 'https://example.com/'.padEnd(length, 'a')
    assert.equal(checkEndpointUrl(url(2048), nothing, '/url').length, 2048)
    assert.match(refusal(url(2049)).message, /2049 characters/)
  })
})
