import assert from 'node:assert/strict'
import { createHash, createHmac, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import {
  check,
  now,
  presetOf,
  type Sent,
  said,
  scheme,
  seconds,
  secretOf,
} from '../../../test/support/checked-request.ts'
import type { Algorithm, Part, Scheme } from '../../domain/preset.ts'
import { presetBook } from '../presets.ts'
import type { VerifierSettings } from './verifier.ts'

const body = '{"id":"evt_1","ünï":1.0}'
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
const p256 = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const ed = generateKeyPairSync('ed25519')
const pem = (key: KeyObject) => key.export({ type: 'spki', format: 'pem' }).toString()
const spki = (key: KeyObject) => key.export({ type: 'spki', format: 'der' })

describe('what node:crypto has signed passes, by every algorithm and encoding:', () => {
  const hmac = (hash: string, key: string | Buffer) => createHmac(hash, key).update(body).digest()
  const hash = (name: string) => createHash(name).update(`${body}k3y`).digest()
  const hashed: readonly Part[] = [{ request: 'body' }, { secret: true }]
  const bytes = Buffer.from('00ff10feab', 'hex')
  const raw = spki(ed.publicKey).subarray(-32)
  const edSigned = sign(null, Buffer.from(body), ed.privateKey)
  const rsaSigned = (name: string) => sign(name, Buffer.from(body), rsa.privateKey)
  const secret = (
    encoding: 'utf8' | 'hex' | 'base64' | 'pem' | 'spki-base64' | 'raw-hex' | 'raw-base64',
    strip?: string,
  ) => ({
    key: { from: 'secret', encoding, ...(strip === undefined ? {} : { strip }) } as const,
  })
  const cases: readonly (readonly [Algorithm, Partial<Scheme>, string, Buffer])[] = [
    ['hmac-sha1', {}, 'k3y', hmac('sha1', 'k3y')],
    ['hmac-sha256', {}, 'schlüssel', hmac('sha256', 'schlüssel')],
    ['hmac-sha512', {}, 'k3y', hmac('sha512', 'k3y')],
    ['hmac-sha256', secret('hex'), '00FF10feab', hmac('sha256', bytes)],
    ['hmac-sha256', secret('base64'), bytes.toString('base64').replace(/=+$/, ''), hmac('sha256', bytes)],
    ['hmac-sha256', secret('base64', 'whsec_'), `whsec_${bytes.toString('base64')}`, hmac('sha256', bytes)],
    ['hmac-sha256', secret('base64', 'whsec_'), bytes.toString('base64'), hmac('sha256', bytes)],
    ['hash-sha1', { template: hashed }, 'k3y', hash('sha1')],
    ['hash-sha256', { template: hashed }, 'k3y', hash('sha256')],
    ['ed25519', secret('raw-hex'), raw.toString('hex'), edSigned],
    ['ed25519', secret('raw-base64', 'whpk_'), `whpk_${raw.toString('base64')}`, edSigned],
    ['ed25519', secret('pem'), pem(ed.publicKey), edSigned],
    [
      'ecdsa-p256-sha256',
      secret('spki-base64'),
      spki(p256.publicKey).toString('base64'),
      sign('sha256', Buffer.from(body), p256.privateKey),
    ],
    ['rsa-sha1', secret('pem'), pem(rsa.publicKey), rsaSigned('sha1')],
    ['rsa-sha256', secret('pem'), pem(rsa.publicKey), rsaSigned('sha256')],
  ]
  for (const [number, [algorithm, more, value, signature]] of cases.entries()) {
    test(`${number + 1}: ${algorithm}`, () => {
      for (const encoding of ['hex', 'base64', 'base64url'] as const) {
        const preset = presetOf(scheme({ algorithm, encoding, ...more }))
        const headers = ['S', signature.toString(encoding)]
        const setup = { preset, secrets: [secretOf(value)] }
        assert.deepEqual(check({ headers, body }, setup), { kind: 'verified', scheme: 'v1', secret: 'sec_1' })
        assert.equal(said(check({ headers, body: `${body} ` }, setup)), 'signature-wrong')
      }
    })
  }

  test('shared values and HTTP Basic', () => {
    const equality = {
      preset: presetOf(scheme({ algorithm: 'equality', prefix: 'Bearer ' })),
      secrets: [secretOf('tökén')],
    }
    const latin1 = Buffer.from('tökén').toString('latin1')
    assert.equal(
      said(check({ headers: ['S', `bearer ${latin1}`] }, equality)),
      'signature-malformed',
      'hex was expected',
    )
    const { encoding: _, ...plain } = scheme({ algorithm: 'equality', prefix: 'Bearer ' })
    const shared = { ...equality, preset: presetOf(plain) }
    assert.equal(said(check({ headers: ['S', `bearer ${latin1}`] }, shared)), 'verified')
    assert.equal(said(check({ headers: ['S', `Bearer ${latin1}n`] }, shared)), 'signature-wrong')
    assert.equal(said(check({ headers: ['S', latin1] }, shared)), 'signature-malformed')
    const basic = {
      preset: presetOf(scheme({ algorithm: 'basic', signature: [{ header: 'Authorization' }] })),
      secrets: [secretOf('u:p:w')],
    }
    const authorization = (text: string) => ({
      headers: ['authorization', `basic ${Buffer.from(text).toString('base64')}`],
    })
    assert.equal(said(check(authorization('u:p:w'), basic)), 'verified')
    assert.equal(said(check(authorization('u:p:'), basic)), 'signature-wrong')
  })
})

describe('a signed request with one byte changed is refused:', () => {
  const timed = scheme({
    signature: [{ header: 'S', parameter: 'v1' }],
    template: [{ header: 'S', parameter: 't' }, '.', { request: 'body' }],
    timestamp: { at: [{ header: 'S', parameter: 't' }], unit: 's', tolerance: 300, sides: 'both' },
  })
  const bytes = fc.uint8Array({ minLength: 1, maxLength: 60 })
  const setup = (encoding: 'hex' | 'base64' | 'base64url') => ({
    preset: presetOf({ ...timed, encoding }),
    secrets: [secretOf('other', { id: 'sec_0' }), secretOf('k3y')],
  })
  const signed = (content: Uint8Array, encoding: 'hex' | 'base64' | 'base64url', t = seconds) =>
    createHmac('sha256', 'k3y').update(`${t}.`).update(content).digest(encoding)
  const flipped = (text: string, at: number, bit: number): string => {
    const changed = Buffer.from(text, 'latin1')
    changed[at] = (changed[at] ?? 0) ^ (1 << bit)
    return changed.toString('latin1')
  }

  test('in the body', () => {
    fc.assert(
      fc.property(bytes, fc.nat(), fc.integer({ min: 0, max: 7 }), (content, place, bit) => {
        const headers = ['S', `t=${seconds},v1=${signed(content, 'hex')}`]
        assert.equal(said(check({ headers, body: content }, setup('hex'))), 'verified')
        const changed = Uint8Array.from(content)
        changed[place % content.length] = (content[place % content.length] ?? 0) ^ (1 << bit)
        assert.equal(said(check({ headers, body: changed }, setup('hex'))), 'signature-wrong')
      }),
    )
  })

  test('in the signature, however it is spelled', () => {
    const encodings = fc.constantFrom('hex' as const, 'base64' as const, 'base64url' as const)
    fc.assert(
      fc.property(bytes, encodings, fc.nat(), fc.integer({ min: 0, max: 7 }), (content, encoding, place, bit) => {
        const signature = signed(content, encoding)
        const at = place % signature.length
        const changed = flipped(signature, at, bit)
        // Letters of hex mean the same in both cases.
        fc.pre(encoding !== 'hex' || changed.toLowerCase() !== signature)
        const verdict = check({ headers: ['S', `t=${seconds},v1=${changed}`], body: content }, setup(encoding))
        assert.equal(verdict.kind, 'refused', changed)
      }),
      { numRuns: 500 },
    )
  })

  test('in the time', () => {
    fc.assert(
      fc.property(fc.nat({ max: seconds.length - 1 }), fc.integer({ min: 0, max: 6 }), (at, bit) => {
        const headers = ['S', `t=${flipped(seconds, at, bit)},v1=${signed(Buffer.from(body), 'hex')}`]
        assert.equal(check({ headers, body }, setup('hex')).kind, 'refused')
      }),
    )
  })
})

describe('secrets', () => {
  const preset = presetOf(scheme({}))
  const headers = ['S', createHmac('sha256', 'k3y').update(body).digest('hex')]
  const secrets = (from: number | null, until: number | null) => [
    ...['a', 'b', 'c'].map((value) => secretOf(value, { id: `sec_${value}` })),
    secretOf('k3y', { id: 'sec_right', from, until }),
  ]

  test('each counts from its first moment and up to, but not with, its last', () => {
    const at = (from: number | null, until: number | null, time: number) =>
      said(check({ headers, body }, { preset, secrets: secrets(from, until), at: time }))
    assert.equal(at(null, null, now), 'verified')
    assert.equal(at(now, null, now), 'verified')
    assert.equal(at(now + 1, null, now), 'signature-wrong')
    assert.equal(at(null, now, now), 'signature-wrong')
    assert.equal(at(null, now + 1, now), 'verified')
    assert.equal(at(now, now + 1, now), 'verified')
  })

  test('the one that passed is told', () => {
    assert.deepEqual(check({ headers, body }, { preset, secrets: secrets(null, null) }), {
      ...{ kind: 'verified', scheme: 'v1', secret: 'sec_right' },
    })
  })

  test('that have all ended let nothing pass, and do not leave the source unchecked', () => {
    const ended = [secretOf('k3y', { until: now })]
    assert.equal(said(check({ headers, body }, { preset, secrets: ended })), 'signature-wrong')
    assert.equal(said(check({ body }, { preset, secrets: ended })), 'signature-missing')
  })

  test('that cannot be read let nothing pass either', () => {
    const hex = presetOf(scheme({ key: { from: 'secret', encoding: 'hex' } }))
    assert.equal(said(check({ headers, body }, { preset: hex, secrets: [secretOf('no hex')] })), 'signature-wrong')
  })

  test('without any, and without schemes, there is nothing to check with, whatever the request says', () => {
    for (const sent of [{ headers, body }, {}, { headers: ['S', ''] }]) {
      assert.deepEqual(check(sent, { preset }), { kind: 'unverified', because: 'no-secret' })
      assert.deepEqual(check(sent, { preset: presetOf(), secrets: [secretOf('k3y')] }), {
        ...{ kind: 'unverified', because: 'no-scheme' },
      })
    }
  })

  test('a value of the request chooses among those that have names', () => {
    const chosen = presetOf(scheme({ key: { from: 'secret', encoding: 'utf8', chosenBy: { header: 'K' } } }))
    const by = (name: string | null, key: string) =>
      said(check({ headers: [...headers, 'K', key], body }, { preset: chosen, secrets: [secretOf('k3y', { name })] }))
    assert.equal(by('a', 'a'), 'verified')
    assert.equal(by('a', 'b'), 'signature-wrong')
    assert.equal(by(null, 'b'), 'verified', 'a secret without a name is for any')
  })

  test('a public key is no shared one, where the scheme says how they differ', () => {
    const standard = presetBook.get('standard-webhooks')
    assert.ok(standard)
    const publicKey = `whpk_${spki(ed.publicKey).subarray(-32).toString('base64')}`
    for (const key of [publicKey, spki(ed.publicKey).subarray(-32)]) {
      const mac = createHmac('sha256', key).update(`a.${seconds}.${body}`).digest('base64')
      const forged = ['webhook-id', 'a', 'webhook-timestamp', seconds, 'webhook-signature', `v1,${mac}`]
      assert.equal(
        check({ headers: forged, body }, { preset: standard, secrets: [secretOf(publicKey)] }).kind,
        'refused',
      )
    }
  })
})

describe('signatures', () => {
  const mac = createHmac('sha256', 'k3y').update(body).digest()
  const other = createHmac('sha256', 'other').update(body).digest()
  const secrets = [secretOf('k3y')]
  const by = (more: Partial<Scheme>, ...headers: readonly string[]) =>
    said(check({ headers, body }, { preset: presetOf(scheme(more)), secrets }))

  test('any of several may be the right one: repeated headers, lists, parameters, places', () => {
    assert.equal(by({}, 'S', other.toString('hex'), 's', mac.toString('hex')), 'verified')
    assert.equal(by({}, 'S', mac.toString('hex'), 's', other.toString('hex')), 'verified')
    assert.equal(
      by({ list: ' ', prefix: 'v1,' }, 'S', `v0,${mac.toString('hex')} v1,${other.toString('hex')}`),
      'signature-wrong',
    )
    assert.equal(
      by({ list: ' ', prefix: 'v1,' }, 'S', `v1,${other.toString('hex')}  v1,${mac.toString('hex')} x`),
      'verified',
    )
    const places = { signature: [{ header: 'A' }, { header: 'B' }] } as const
    assert.equal(by(places, 'A', other.toString('hex'), 'B', mac.toString('hex')), 'verified')
    assert.equal(by(places, 'B', mac.toString('hex')), 'verified')
  })

  test('hex is right in any case, base64 with or without its padding, and nothing else', () => {
    assert.equal(by({}, 'S', mac.toString('hex').toUpperCase()), 'verified')
    assert.equal(by({}, 'S', `${mac.toString('hex').slice(0, -1)}g`), 'signature-malformed')
    assert.equal(by({ encoding: 'base64' }, 'S', mac.toString('base64').replace('=', '')), 'verified')
    assert.equal(by({ encoding: 'base64' }, 'S', `${mac.toString('base64')}=`), 'verified')
    assert.equal(
      by({ encoding: 'base64' }, 'S', `${mac.toString('base64').slice(0, 20)} ${mac.toString('base64').slice(20)}`),
      'signature-malformed',
    )
    const unsafe = createHmac('sha256', 'k3y').update('>>>?').digest('base64url')
    assert.match(unsafe, /[-_]/)
    assert.equal(
      said(
        check({ headers: ['S', unsafe], body: '>>>?' }, { preset: presetOf(scheme({ encoding: 'base64' })), secrets }),
      ),
      'signature-malformed',
    )
  })

  test('missing, empty and malformed ones are told apart, and a flood of them is not tried', () => {
    assert.equal(by({}), 'signature-missing')
    assert.equal(by({}, 'S', ''), 'signature-missing')
    assert.equal(by({}, 'S', 'nonsense'), 'signature-malformed')
    assert.equal(by({ prefix: 'sha256=' }, 'S', mac.toString('hex')), 'signature-malformed')
    assert.equal(by({ list: ' ' }, 'S', `${'00 '.repeat(32)}${mac.toString('hex')}`), 'signature-malformed')
    assert.equal(by({ list: ' ' }, 'S', `${'00 '.repeat(31)}${mac.toString('hex')}`), 'verified')
  })

  test('what is signed must be there, and time is judged by when the request arrived', () => {
    const timed = (tolerance: number | null, sides: 'past' | 'both'): Partial<Scheme> => ({
      template: [{ header: 'T' }, { request: 'body' }],
      timestamp: { at: [{ header: 'T' }], unit: 's', tolerance, sides },
    })
    const at = (offset: number, more: Partial<Scheme>, settings: Partial<VerifierSettings> = {}) => {
      const time = String(now / 1000 + offset)
      const headers = [
        'T',
        time,
        'S',
        createHmac('sha256', 'k3y')
          .update(time + body)
          .digest('hex'),
      ]
      return said(check({ headers, body }, { preset: presetOf(scheme(more)), secrets, settings }))
    }
    assert.equal(at(-300, timed(300, 'past')), 'verified')
    assert.equal(at(-301, timed(300, 'past')), 'stale')
    assert.equal(at(301, timed(300, 'past')), 'verified')
    assert.equal(at(301, timed(300, 'both')), 'from-the-future')
    assert.equal(at(-1e6, timed(null, 'both')), 'verified')
    assert.equal(at(-10, timed(300, 'both'), { tolerance: 9_000 }), 'stale')
    assert.equal(at(-10, timed(null, 'both'), { tolerance: 9_000 }), 'stale')
    assert.equal(at(-1000, timed(300, 'both'), { tolerance: 1_000_000 }), 'verified')
    const signed = ['S', mac.toString('hex')]
    const missing = (headers: readonly string[], tolerance: number | null) =>
      said(check({ headers, body }, { preset: presetOf(scheme(timed(tolerance, 'both'))), secrets }))
    assert.equal(missing(signed, 300), 'timestamp-missing')
    assert.equal(missing(signed, null), 'timestamp-missing')
    for (const text of ['soon', '1e9', '-5', '0x5', ' ', '99999999999999999']) {
      assert.equal(missing([...signed, 'T', text], 300), 'timestamp-malformed', text)
    }
  })

  test('of several schemes one is enough, and of several failures the furthest is told', () => {
    const preset = presetOf(
      scheme({ name: 'new', signature: [{ header: 'New' }] }),
      scheme({ name: 'old', signature: [{ header: 'Old' }], algorithm: 'hmac-sha1' }),
    )
    const sha1 = createHmac('sha1', 'k3y').update(body).digest('hex')
    const verdict = check({ headers: ['New', '00', 'Old', sha1], body }, { preset, secrets })
    assert.deepEqual(verdict, { kind: 'verified', scheme: 'old', secret: 'sec_1' })
    const only = { schemes: ['new'] }
    assert.equal(
      said(check({ headers: ['Old', sha1], body }, { preset, secrets, settings: only })),
      'signature-missing',
    )
    assert.equal(said(check({ headers: ['New', 'zz', 'Old', '00'], body }, { preset, secrets })), 'signature-wrong')
    assert.equal(said(check({ headers: ['New', 'zz'], body }, { preset, secrets })), 'signature-malformed')
  })

  test('every item of an array passes, or nothing does; an empty array is nothing', () => {
    const each = scheme({
      each: '/l',
      signature: [{ body: '/s' }],
      template: [{ body: '/n' }, ':', { optional: { body: '/o' } }],
    })
    const item = (n: string, o = '') => {
      const s = createHmac('sha256', 'k3y').update(`${n}:${o}`).digest('hex')
      return `{"n":${n},"s":"${s}"${o === '' ? '' : `,"o":"${o}"`}}`
    }
    const of = (...items: readonly string[]) =>
      said(check({ body: `{"l":[${items.join(',')}]}` }, { preset: presetOf(each), secrets }))
    assert.equal(of(item('1.0'), item('12345678901234567890', 'x')), 'verified')
    assert.equal(of(item('1.0'), item('2').replace('2', '3')), 'signature-wrong')
    assert.equal(of(item('1'), '{"n":1}'), 'signature-missing')
    assert.equal(of(), 'signature-missing')
    assert.equal(said(check({ body: '{}' }, { preset: presetOf(each), secrets })), 'signature-missing')
  })

  test('what must agree, must', () => {
    const agreeing = presetOf(scheme({ agree: [{ at: { query: 'who' }, is: [{ setting: 'owner' }] }] }))
    const sent = { headers: ['S', mac.toString('hex')], body }
    const with_ = (target: string, values: Record<string, string>) =>
      said(check({ ...sent, target }, { preset: agreeing, secrets, settings: { values } }))
    assert.equal(with_('/in/token?who=me', { owner: 'me' }), 'verified')
    assert.equal(with_('/in/token?who=you', { owner: 'me' }), 'claim-wrong')
    assert.equal(with_('/in/token', { owner: 'me' }), 'claim-wrong')
    assert.equal(with_('/in/token?who=', {}), 'claim-wrong', 'what has not been set agrees with nothing')
  })
})

describe('parts of what is signed', () => {
  const secrets = [secretOf('k3y')]
  const passes = (template: readonly Part[], text: string, sent: Sent) => {
    const signature = createHmac('sha256', 'k3y').update(Buffer.from(text, 'latin1')).digest('hex')
    const headers = ['S', signature, ...(sent.headers ?? [])]
    return said(check({ ...sent, headers }, { preset: presetOf(scheme({ template })), secrets }))
  }

  test('bytes of headers and bodies that are no UTF-8 are taken as they came', () => {
    const sent = { headers: ['H', 'caf\xe9'], body: Buffer.from([0xff, 0, 0xfe]) }
    assert.equal(passes([{ header: 'H' }, '|', { request: 'body' }], 'caf\xe9|\xff\x00\xfe', sent), 'verified')
  })

  test('CRC-32, hashes, fields and named headers', () => {
    assert.equal(passes([{ crc32: 'body' }], '3421780262', { body: '123456789' }), 'verified')
    const hash = createHash('sha256').update('x').digest('hex')
    assert.equal(
      passes([{ hash: 'sha256', of: [{ request: 'body' }], encoding: 'hex' }], hash, { body: 'x' }),
      'verified',
    )
    const fields: readonly Part[] = [{ fields: ['B', 'A', 'C'] }]
    assert.equal(passes(fields, 'B\n2\nC\nc\n', { body: '{"C":"c","B":2,"D":1}' }), 'verified')
    const named: readonly Part[] = [{ headersNamedBy: 'N', join: ';' }]
    assert.equal(passes(named, 'b:2;a:1', { headers: ['A', '1', 'n', 'B, a', 'b', '2'] }), 'verified')
    assert.equal(passes(named, 'b:2;a:', { headers: ['n', 'B,a', 'b', '2'] }), 'signature-missing')
  })

  test('a form is sorted, an empty body is an empty form, and no other body is one', () => {
    const form: readonly Part[] = ['u', { sortedForm: true }]
    const type = ['content-type', 'application/x-www-form-urlencoded']
    assert.equal(passes(form, 'uA1Ba1b', { headers: type, body: 'Ba=b&A=1&Ba=1&Ba=b' }), 'signature-wrong')
    assert.equal(passes(form, 'uA1Ba1Bab', { headers: type, body: 'Ba=b&A=1&Ba=1&Ba=b' }), 'verified')
    assert.equal(passes(form, 'u', {}), 'verified')
    for (const headers of [
      [],
      ['content-type', 'application/json'],
      ['content-type', 'multipart/form-data; boundary=b'],
    ]) {
      assert.equal(passes(form, 'u', { headers, body: 'a=1' }), 'signature-missing', String(headers))
    }
  })
})
