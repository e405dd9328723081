import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { type SealedText, seal, unseal } from './seal.ts'

// Any of the basic plane and one beyond; fast-check's own `binary` takes a second to get ready.
const anyCharacter = fc.oneof(
  fc.integer({ min: 0, max: 0xd7ff }).map((code) => String.fromCharCode(code)),
  fc.constant('🌎'),
)

const key = randomBytes(32)
const nonce = () => randomBytes(12)

/** The bytes of a sealed text, changed and sealed up again as text. */
const tampered = (sealed: SealedText, change: (bytes: Buffer) => Uint8Array): SealedText =>
  `s1.${Buffer.from(change(Buffer.from(sealed.slice(3), 'base64url'))).toString('base64url')}`

test('what was sealed opens with the same key at the same place, whatever the text', () => {
  fc.assert(
    fc.property(fc.string({ unit: anyCharacter }), fc.string(), (text, place) => {
      assert.equal(unseal(key, place, seal(key, place, text, nonce())), text)
    }),
  )
})

test('a sealed value copied to another row or opened with another key does not open', () => {
  const sealed = seal(key, 'ep_1:secrets', 'whsec_…', nonce())
  assert.throws(() => unseal(key, 'ep_2:secrets', sealed))
  assert.throws(() => unseal(key, 'ep_1:headers', sealed))
  assert.throws(() => unseal(randomBytes(32), 'ep_1:secrets', sealed))
})

test('a sealed text of which any bit is changed does not open', () => {
  const sealed = seal(key, 'ep_1:secrets', '{"current":"whsec_"}', nonce())
  const bits = (sealed.length - 3) * 6
  fc.assert(
    fc.property(fc.nat(bits - 8), (bit) => {
      const changed = tampered(sealed, (bytes) => {
        bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7))
        return bytes
      })
      assert.throws(() => unseal(key, 'ep_1:secrets', changed))
    }),
  )
})

test('a sealed text cut short at any length does not open, also where only the tag is left shorter', () => {
  for (const text of ['', 'x', '{"current":"whsec_"}']) {
    const sealed = seal(key, 'p', text, nonce())
    const length = Buffer.from(sealed.slice(3), 'base64url').length
    for (let cut = 0; cut < length; cut++) {
      assert.throws(
        () =>
          unseal(
            key,
            'p',
            tampered(sealed, (bytes) => bytes.subarray(0, cut)),
          ),
        `${text} cut to ${cut}`,
      )
    }
  }
})

test('the sealed text shows nothing of what is in it, and the same text is sealed differently each time', () => {
  const text = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'
  const [first, second] = [seal(key, 'p', text, nonce()), seal(key, 'p', text, nonce())]
  assert.notEqual(first, second)
  assert.ok(!Buffer.from(first.slice(3), 'base64url').includes('whsec_'))
})

test('it is AES-256-GCM as Web Crypto opens it: nonce, tag, then ciphertext', async () => {
  const bytes = Buffer.from(seal(key, 'ep_1:secrets', 'héllo', nonce()).slice(3), 'base64url')
  const opener = await crypto.subtle.importKey('raw', key, 'AES-GCM', false, ['decrypt'])
  const algorithm = { name: 'AES-GCM', iv: bytes.subarray(0, 12), additionalData: Buffer.from('ep_1:secrets') }
  const opened = await crypto.subtle.decrypt(
    algorithm,
    opener,
    Buffer.concat([bytes.subarray(28), bytes.subarray(12, 28)]),
  )
  assert.equal(Buffer.from(opened).toString(), 'héllo')
})
