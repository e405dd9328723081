import assert from 'node:assert/strict'
import { createPublicKey, randomBytes, verify as verifyWith } from 'node:crypto'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { Webhook } from 'standardwebhooks'
import vectors from '../../test/vectors/standard-webhooks.json' with { type: 'json' }
import { newSecret, publicKeyOf } from './secret.ts'
import { makeSigner, type SignedRequest, type Verdict, verify } from './signature.ts'

// Any of the basic plane and one beyond; fast-check's own `binary` takes a second to get ready.
const anyCharacter = fc.oneof(
  fc.integer({ min: 0, max: 0xd7ff }).map((code) => String.fromCharCode(code)),
  fc.constant('🌎'),
)

const { secret, id, body: text } = vectors.base_case
const body = Buffer.from(text)
const now = 1_700_000_000
const right = makeSigner([secret]).sign(id, now, text)
const keyPair = newSecret(randomBytes, 'whsk')
const publicKey = publicKeyOf(keyPair) ?? ''

/** The base case, with what a test changes about it. */
function check(changes: Partial<SignedRequest['headers']> & Partial<Omit<SignedRequest, 'headers'>> = {}): Verdict {
  const { id: idHeader = id, timestamp = String(now), signature = right, ...rest } = changes
  const headers = {
    id: 'id' in changes ? changes.id : idHeader,
    timestamp: 'timestamp' in changes ? changes.timestamp : timestamp,
    signature: 'signature' in changes ? changes.signature : signature,
  }
  return verify({ keys: [secret], headers, body, nowSeconds: now, toleranceSeconds: 300, ...rest })
}

/** Node's crypto, given the key in another form than ours, on text put together here. */
function ed25519Holds(publicText: string, signature: string, signedId: string, at: number, bytes: Uint8Array): boolean {
  const x = Buffer.from(publicText.replace('whpk_', ''), 'base64').toString('base64url')
  const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' })
  const content = Buffer.concat([Buffer.from(`${signedId}.${at}.`), bytes])
  return signature.startsWith('v1a,') && verifyWith(null, content, key, Buffer.from(signature.slice(4), 'base64'))
}

describe('known answers', () => {
  for (const answer of [...vectors.known_answers, ...vectors.derived]) {
    test(`the signature of "${answer.name}" is the one published for it, and verifies`, () => {
      const bytes = 'body_hex' in answer ? Buffer.from(answer.body_hex, 'hex') : Buffer.from(answer.body)
      const signer = makeSigner([answer.secret])
      assert.equal(signer.sign(answer.id, answer.timestamp, bytes), answer.signature)
      if ('body' in answer) assert.equal(signer.sign(answer.id, answer.timestamp, answer.body), answer.signature)
      const keys = ['public' in answer ? answer.public : answer.secret]
      const headers = { id: answer.id, timestamp: String(answer.timestamp), signature: answer.signature }
      assert.equal(check({ ...headers, keys, body: bytes, nowSeconds: answer.timestamp }).kind, 'valid')
    })
  }
})

const wrong = 'v1,Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc='
const lastChanged = `${right.slice(0, -2)}${right.at(-2) === 'A' ? 'E' : 'A'}=`
/** What each behaviour case of the vectors means here. */
const behaviours: Readonly<Record<string, () => void>> = {
  'valid signature': () => assert.deepEqual(check(), { kind: 'valid', version: 'v1', key: 0 }),
  'secret given with and without whsec_': () => {
    assert.equal(check({ keys: [secret] }).kind, 'valid')
    assert.equal(check({ keys: [`whsec_${secret}`] }).kind, 'valid')
  },
  'webhook-id missing': () => {
    assert.deepEqual(check({ id: undefined }), { kind: 'header-missing', header: 'webhook-id' })
    assert.deepEqual(check({ id: '' }), { kind: 'header-missing', header: 'webhook-id' })
  },
  'webhook-timestamp missing': () =>
    assert.deepEqual(check({ timestamp: undefined }), { kind: 'header-missing', header: 'webhook-timestamp' }),
  'webhook-signature missing': () =>
    assert.deepEqual(check({ signature: undefined }), { kind: 'header-missing', header: 'webhook-signature' }),
  'webhook-timestamp is "hello" or "teadwd"': () => {
    for (const timestamp of ['hello', 'teadwd', '1.5', '-1', ' 1', '1e9', '0x10', `${now}.0`, '9'.repeat(16), 'NaN']) {
      assert.deepEqual(check({ timestamp }), { kind: 'timestamp-malformed' }, timestamp)
    }
  },
  'signature v1,dawfeoifkpqwoekfpqoekf': () => refuse('v1,dawfeoifkpqwoekfpqoekf'),
  'signature v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLawdd': () =>
    refuse('v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLawdd'),
  'signature v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OA= (last character changed)': () => refuse(lastChanged),
  'signature "v1," with nothing after': () => refuse('v1,'),
  'first 8 characters of the right signature': () => refuse(right.slice(0, 8)),
  'right value but labelled v2': () =>
    assert.deepEqual(check({ signature: right.replace('v1', 'v2') }), { kind: 'no-known-version' }),
  'no comma ("invalid_signature")': () =>
    assert.deepEqual(check({ signature: 'invalid_signature' }), { kind: 'no-known-version' }),
  'list: wrong v1, wrong v2, right v1, wrong v1 (wrong value v1,Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc=)': () =>
    assert.equal(check({ signature: `${wrong} ${wrong.replace('v1', 'v2')} ${right} ${wrong}` }).kind, 'valid'),
  'list of three wrong v1 values': () => {
    const values = vectors.behaviours.flatMap((behaviour) => ('values' in behaviour ? behaviour.values : []))
    assert.equal(values.length, 3)
    refuse(values.join(' '))
  },
  'timestamp now-301': () => assert.deepEqual(check({ nowSeconds: now + 301 }), { kind: 'too-old', bySeconds: 1 }),
  'timestamp now+301': () => assert.deepEqual(check({ nowSeconds: now - 301 }), { kind: 'too-new', bySeconds: 1 }),
  'timestamp exactly now-300 or now+300 on a whole-second clock': () => {
    assert.equal(check({ nowSeconds: now + 300 }).kind, 'valid')
    assert.equal(check({ nowSeconds: now - 300 }).kind, 'valid')
  },
  'empty secret, or "whsec_" alone': () => {
    for (const empty of ['', 'whsec_']) {
      assert.throws(() => makeSigner([empty]), /empty/)
      assert.throws(() => check({ keys: [empty] }), /empty/)
    }
  },
  'unpadded base64 secret (one or two = missing)': () => {
    // One library of seven takes it; receivers with the others would not.
    const unpadded = Buffer.alloc(25, 7).toString('base64').replaceAll('=', '')
    assert.throws(() => makeSigner([unpadded]), /padded base64/)
  },
  'empty body correctly signed': () => {
    const signature = makeSigner([secret]).sign(id, now, '')
    assert.equal(check({ signature, body: new Uint8Array() }).kind, 'valid')
  },
}
/** Cases about what is not the business of these functions, with where it is. */
const elsewhere: Readonly<Record<string, string>> = {
  'header names in mixed case': 'the function is given values; posthorn verify reads names (cli/verify.test.ts)',
  'sign() given 161426533.0, a word, or a negative timestamp':
    'the timestamp is a number; posthorn sign reads text (cli/sign.test.ts)',
  'raw (not base64) secret bytes': 'Posthorn knows secrets only as text',
}

function refuse(signature: string): void {
  assert.deepEqual(check({ signature }), { kind: 'signature-wrong' }, signature)
}

describe('behaviours that the reference libraries share', () => {
  for (const { case: name, expect } of vectors.behaviours) {
    if (name in elsewhere) continue
    test(`${name}: ${expect}`, () => {
      const behaviour = behaviours[name]
      assert.ok(behaviour, 'a case of the vectors that no test covers')
      behaviour()
    })
  }
})

const ids = fc.stringMatching(/^msg_[0-9A-Za-z]{27}$/)
const moments = fc.integer({ min: 0, max: 4e9 })

test('npm standardwebhooks signs every text as we do, and accepts what we signed', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 24, maxLength: 64 }),
      ids,
      moments,
      fc.string({ unit: anyCharacter }),
      (bytes, msgId, at, content) => {
        const judge = new Webhook(Buffer.from(bytes).toString('base64'))
        const signature = makeSigner([`whsec_${Buffer.from(bytes).toString('base64')}`]).sign(msgId, at, content)
        assert.equal(signature, judge.sign(msgId, new Date(at * 1_000), content))
      },
    ),
  )
  const at = Math.floor(Date.now() / 1_000)
  const headers = {
    'webhook-id': id,
    'webhook-timestamp': String(at),
    'webhook-signature': makeSigner([secret]).sign(id, at, text),
  }
  assert.deepEqual(new Webhook(secret).verify(text, headers), { test: 2432232314 })
})

test('Ed25519 signatures hold for a verifier written apart, and not for another body', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 32, maxLength: 32 }),
      ids,
      moments,
      fc.uint8Array(),
      (seed, msgId, at, bytes) => {
        const pair = newSecret(() => seed, 'whsk')
        const signature = makeSigner([pair]).sign(msgId, at, bytes)
        assert.ok(ed25519Holds(publicKeyOf(pair) ?? '', signature, msgId, at, bytes))
        assert.ok(!ed25519Holds(publicKeyOf(pair) ?? '', signature, msgId, at, Buffer.concat([bytes, Buffer.of(1)])))
      },
    ),
    { numRuns: 50 },
  )
})

test('text and its UTF-8 bytes get the same signatures', () => {
  const signer = makeSigner([secret, keyPair])
  fc.assert(
    fc.property(fc.string({ unit: anyCharacter }), (content) => {
      assert.equal(signer.sign(id, now, content), signer.sign(id, now, Buffer.from(content)))
    }),
  )
})

test('while rotating, a receiver with the old secret, the new one or the public key accepts the same request', () => {
  const [old, next] = [newSecret(randomBytes), newSecret(randomBytes)]
  const signature = makeSigner([next, old, keyPair]).sign(id, now, body)
  assert.match(signature, /^v1,\S+ v1,\S+ v1a,\S+$/)
  for (const key of [old, next]) {
    assert.deepEqual(check({ signature, keys: [key] }), { kind: 'valid', version: 'v1', key: 0 })
    const at = Math.floor(Date.now() / 1_000)
    const fresh = makeSigner([next, old, keyPair]).sign(id, at, body)
    new Webhook(key).verify(text, { 'webhook-id': id, 'webhook-timestamp': String(at), 'webhook-signature': fresh })
  }
  for (const key of [keyPair, publicKey]) {
    assert.deepEqual(check({ signature, keys: [key] }), { kind: 'valid', version: 'v1a', key: 0 })
  }
  assert.deepEqual(check({ signature, keys: [newSecret(randomBytes), old] }), { kind: 'valid', version: 'v1', key: 1 })
})

test('a request is valid only for the very id, timestamp and body that were signed', () => {
  for (const keys of [[secret], [publicKey]]) {
    const signature = makeSigner([secret, keyPair]).sign(id, now, body)
    assert.equal(check({ keys, signature }).kind, 'valid')
    assert.equal(check({ keys, signature, id: `${id}x` }).kind, 'signature-wrong')
    assert.equal(check({ keys, signature, timestamp: String(now + 1) }).kind, 'signature-wrong')
    assert.equal(check({ keys, signature, timestamp: `0${now}` }).kind, 'signature-wrong')
    assert.equal(check({ keys, signature, body: Buffer.from(`${text}\n`) }).kind, 'signature-wrong')
  }
})

test('any changed character of a signature spoils it', () => {
  for (const [keys, signature] of [
    [[secret], right],
    [[publicKey], makeSigner([keyPair]).sign(id, now, body)],
  ] as const) {
    const start = signature.indexOf(',') + 1
    fc.assert(
      fc.property(
        fc.integer({ min: start, max: signature.length - 1 }),
        fc.constantFrom('A', 'B', '/', '=', '-', 'é', ','),
        (at, other) => {
          fc.pre(signature[at] !== other)
          const changed = signature.slice(0, at) + other + signature.slice(at + 1)
          assert.equal(check({ keys, signature: changed }).kind, 'signature-wrong')
        },
      ),
    )
  }
})

test('a signature of the kind that the key cannot check is told from a wrong one', () => {
  assert.deepEqual(check({ keys: [publicKey] }), { kind: 'no-fitting-key', versions: ['v1'] })
  const signature = makeSigner([keyPair]).sign(id, now, body)
  assert.deepEqual(check({ signature }), { kind: 'no-fitting-key', versions: ['v1a'] })
})

test('whatever the headers hold, the answer is a verdict', () => {
  const header = fc.option(fc.oneof(fc.string(), fc.constantFrom(right, String(now), id, ' ', 'v1,', 'v1a, v1,=')), {
    nil: undefined,
  })
  fc.assert(
    fc.property(header, header, header, fc.uint8Array(), (idHeader, timestamp, signature, bytes) => {
      const verdict = check({ id: idHeader, timestamp, signature, body: bytes, keys: [secret, publicKey] })
      if (bytes.length === 0) assert.notEqual(verdict.kind, 'valid')
    }),
  )
})

test('a public key cannot sign, and neither can nothing', () => {
  assert.throws(() => makeSigner([publicKey]), /public key/)
  assert.throws(() => makeSigner([]), /no secret/)
})
