import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { checkOutsideUrl, hostMatches, hostPatternFault } from './outside-url.ts'

const sns = { hosts: ['sns.<region>.amazonaws.com', 'sns.<region>.amazonaws.com.cn'], pathEnds: '.pem' }
const paypal = { hosts: ['api.paypal.com', 'api.sandbox.paypal.com'] }

test('the URLs of real providers pass, in any case, with 443 said or not', () => {
  for (const url of [
    'https://sns.us-east-1.amazonaws.com/SimpleNotificationService-01d088a6f77103d0fe307c0069e40ed6.pem',
    'https://sns.us-gov-west-1.amazonaws.com/a.pem',
    'https://sns.eusc-de-east-1.amazonaws.com/a.pem',
    'https://sns.cn-north-1.amazonaws.com.cn/a.pem',
    'HTTPS://SNS.US-EAST-1.AMAZONAWS.COM:443/a.pem',
  ]) {
    assert.deepEqual(checkOutsideUrl(url, sns), { ok: true }, url)
  }
  assert.deepEqual(checkOutsideUrl('https://api.paypal.com/v1/notifications/certs/CERT-360caa42-fca2a594', paypal), {
    ok: true,
  })
  assert.deepEqual(checkOutsideUrl('https://api.paypal.com', paypal), { ok: true })
  assert.deepEqual(checkOutsideUrl('https://api.paypal.com?x', paypal), { ok: true })
})

describe('a URL that only looks right is refused:', () => {
  for (const [url, why] of [
    ['http://sns.us-east-1.amazonaws.com/a.pem', /does not begin with https/],
    ['ftp://sns.us-east-1.amazonaws.com/a.pem', /does not begin with https/],
    ['//sns.us-east-1.amazonaws.com/a.pem', /does not begin with https/],
    ['https:sns.us-east-1.amazonaws.com/a.pem', /does not begin with https/],
    ['https:///sns.us-east-1.amazonaws.com/a.pem', /not a plain name/],
    ['https://sns.us-east-1.amazonaws.com.evil.example/a.pem', /sns\.us-east-1\.amazonaws\.com\.evil\.example is not/],
    ['https://evil.example/sns.us-east-1.amazonaws.com/a.pem', /evil\.example is not/],
    ['https://evil-sns.us-east-1.amazonaws.com/a.pem', /is not sns/],
    ['https://x.sns.us-east-1.amazonaws.com/a.pem', /is not sns/],
    ['https://snsxus-east-1.amazonaws.com/a.pem', /is not sns/],
    ['https://sns.us-east-1.amazonaws.comx/a.pem', /is not sns/],
    ['https://sns.us-east-1.amazonaws.com@evil.example/a.pem', /not a plain name/],
    ['https://user:password@sns.us-east-1.amazonaws.com/a.pem', /not a plain name|port/],
    ['https://evil.example:443@sns.us-east-1.amazonaws.com/a.pem', /not a plain name/],
    ['https://sns.us-east-1.amazonaws.com:443@evil.example/a.pem', /not a plain name/],
    ['https://sns.us-east-1.amazonaws.com:8443/a.pem', /port other than 443/],
    ['https://sns.us-east-1.amazonaws.com:/a.pem', /port other than 443/],
    ['https://sns.us-east-1.amazonaws.com:0443/a.pem', /port other than 443/],
    ['https://sns.us-east-1.amazonaws.com./a.pem', /not a plain name/],
    ['https://sns..us-east-1.amazonaws.com/a.pem', /not a plain name/],
    ['https://sns.us-east-1.amazonaws.com\\@evil.example/a.pem', /backslash/],
    ['https://evil.example\\.sns.us-east-1.amazonaws.com/a.pem', /backslash/],
    ['https://evil.example#sns.us-east-1.amazonaws.com/a.pem', /fragment/],
    ['https://sns.us-east-1.amazonaws.com%2eevil.example/a.pem', /not a plain name/],
    ['https://sns.us-east-1.amazonaws.com%00.evil.example/a.pem', /not a plain name/],
    ['https://sns.us-east-1.amazonaws。com/a.pem', /outside of ASCII/],
    ['https://sns.us-east-1.аmazonaws.com/a.pem', /outside of ASCII/],
    ['https://sns.us-east-1.xn--mazonaws-2fg.com/a.pem', /is not sns/],
    [' https://sns.us-east-1.amazonaws.com/a.pem', /white space/],
    ['https://sns.us-east-1.amazonaws.com/a.pem\r\nx: y', /white space/],
    ['https://sns.us-east-\t1.amazonaws.com/a.pem', /white space/],
    ['https://sns.s3.amazonaws.com/a.pem', /is not sns/],
    ['https://sns.s3-us-west-2.amazonaws.com/a.pem', /is not sns/],
    ['https://sns.s3.us-west-2.amazonaws.com/a.pem', /is not sns/],
    ['https://127.0.0.1/a.pem', /127\.0\.0\.1 is not/],
    ['https://2130706433/a.pem', /not a plain name/],
    ['https://0x7f.1/a.pem', /not a plain name/],
    ['https://[::1]/a.pem', /not a plain name/],
    ['https://localhost/a.pem', /not a plain name/],
    ['https:///', /not a plain name/],
    ['https://', /not a plain name/],
    ['', /does not begin with https/],
    ['https://sns.us-east-1.amazonaws.com/a.pem/../../x', /does not end with \.pem/],
    ['https://sns.us-east-1.amazonaws.com/?a.pem', /does not end with \.pem/],
    ['https://sns.us-east-1.amazonaws.com/a.pem?Action=GetTopicAttributes', /has a query/],
    ['https://sns.us-east-1.amazonaws.com/a.PEM', /does not end with \.pem/],
    [`https://sns.us-east-1.amazonaws.com/${'a'.repeat(2048)}.pem`, /characters long/],
  ] as const) {
    test(JSON.stringify(url).slice(0, 90), () => {
      const verdict = checkOutsideUrl(url, sns)
      assert.ok(!verdict.ok)
      assert.match(verdict.detail, why)
    })
  }
})

test('where no host is expected, none is right', () => {
  assert.deepEqual(checkOutsideUrl('https://a.example/', { hosts: [] }), {
    ok: false,
    detail: 'a.example is not an expected host',
  })
})

test('a star stands for one or more labels at the beginning, and never for none', () => {
  assert.ok(hostMatches('*.example.com', 'a.example.com'))
  assert.ok(hostMatches('*.example.com', 'b.a.example.com'))
  assert.ok(!hostMatches('*.example.com', 'example.com'))
  assert.ok(!hostMatches('*.example.com', 'aexample.com'))
  assert.ok(!hostMatches('*.example.com', 'a.example.com.evil.example'))
  assert.ok(!hostMatches('a.*.com', 'a.b.com'))
  assert.ok(hostMatches('API.Example.com', 'api.example.com'))
})

test('a pattern that would leave everything open, or names an address, is a fault; those of the presets are none', () => {
  for (const pattern of [...sns.hosts, ...paypal.hosts, '*.example.com', '*.example.co.uk']) {
    assert.equal(hostPatternFault(pattern), null, pattern)
  }
  for (const pattern of [
    '*',
    '*.com',
    '',
    '.',
    'a',
    'a..b',
    'a.*.com',
    'x.<region>',
    '<region>.com',
    '10.0.0.1',
    'a.0x7f',
    'a.com.',
    'a com.de',
    'ü.de',
    'a.com:80',
  ]) {
    assert.notEqual(hostPatternFault(pattern), null, pattern)
  }
})
