import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KeyEncoding, Preset, Scheme } from './preset.ts'
import type { SourceSecret } from './source.ts'
import { currentSecrets, secretFault } from './source-secret.ts'

test('of several secrets that count, what we answer with is the one that lasts longest, and of those the newest', () => {
  const held = (id: string, more: Partial<SourceSecret>): SourceSecret => ({
    ...{ id, name: null, value: id, from: null, until: null, captured: false, createdAt: 10 },
    ...more,
  })
  const at = (now: number, ...secrets: readonly SourceSecret[]): readonly string[] =>
    currentSecrets(secrets, now).map(({ id }) => id)
  const former = held('former', { until: 200 })
  assert.deepEqual(at(100, former, held('next', { createdAt: 90 })), ['next', 'former'])
  assert.deepEqual(at(100, held('away', { until: 200, createdAt: 90 }), held('back', {})), ['back', 'away'])
  assert.deepEqual(at(200, former), [])
  assert.deepEqual(at(100, held('future', { from: 101, createdAt: 99 }), former), ['former'])
  assert.deepEqual(at(100, held('one', {}), held('other', {})), ['one', 'other'])
})

test('a secret is right for a provider when one of its schemes can use it', () => {
  const scheme = (name: string, encoding: KeyEncoding, more: object): Scheme => ({
    ...{ name, algorithm: encoding === 'raw-base64' ? 'ed25519' : 'hmac-sha256', signature: [{ header: 'S' }] },
    key: { from: 'secret', encoding, ...more },
  })
  const preset: Preset = {
    ...{ name: 'acme', title: 'Acme', docs: '', basis: 'read', retryWindow: 0 },
    ...{ id: { alternatives: [], otherwise: 'body' }, secret: { label: 'Key', where: '' } },
    schemes: [
      scheme('v1a', 'raw-base64', { strip: 'whpk_', required: true }),
      scheme('v1', 'base64', { strip: 'whsec_', except: 'whpk_' }),
    ],
  }
  assert.equal(secretFault(preset, null, 'whsec_AAAA'), null)
  assert.equal(secretFault(preset, null, `whpk_${Buffer.alloc(32, 1).toString('base64')}`), null)
  assert.equal(secretFault(preset, null, 'whsec_?'), 'is not base64')
  assert.match(secretFault(preset, null, 'whpk_AAAA') ?? '', /^is not the 32 bytes/)
  assert.equal(secretFault(preset, ['v1a'], 'whsec_AAAA'), 'is none of the kind that Acme uses: Key')
  assert.equal(secretFault({ ...preset, schemes: [] }, null, 'anything'), null)
})
