import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Preset, Scheme } from './preset.ts'
import type { SourceSecret } from './source.ts'
import { coreAfter, rotated, type SourceCore, type SourceSaying } from './source-change.ts'

const scheme: Scheme = {
  ...{ name: 'mac', algorithm: 'hmac-sha256', key: { from: 'secret', encoding: 'utf8' } },
  ...{ signature: [{ header: 'x-mac' }], encoding: 'hex', template: [{ request: 'body' }] },
}
const acme: Preset = {
  ...{ name: 'acme', title: 'Acme', docs: '', basis: 'read', secret: { label: 'Secret', where: 'Settings' } },
  ...{ schemes: [scheme], id: { alternatives: [], otherwise: 'body' }, retryWindow: 60 },
  settings: [
    { name: 'account', label: 'Account', where: 'Settings.', required: true },
    { name: 'region', label: 'Region', where: 'Settings', default: 'eu', required: true },
  ],
}

const nothing: SourceSaying = { settings: {}, secrets: undefined, values: {}, custom: undefined }
let ids = 0
const change = (held: SourceCore | null, said: Partial<SourceSaying>, preset = acme, type = preset.name, now = 1_000) =>
  coreAfter(held, type, { ...nothing, ...said }, preset, now, () => `sec_${++ids}`)
const wish = (value: string) => ({ value, name: null, from: null, until: null, pointer: '/config/secret' })
const made = (said: Partial<SourceSaying> = {}): SourceCore =>
  change(null, { secrets: [wish('shh')], values: { account: 'a1' }, ...said }).core

describe('what is said of a source', () => {
  test('is put on what was usual, and later on what it was', () => {
    const core = made()
    assert.deepEqual(
      [core.settings.values, core.settings.mode, core.settings.modeSaid],
      [{ account: 'a1' }, 'enforce', false],
    )
    const { core: next, faults } = change(core, { settings: { state: 'paused', tolerance: 5 } })
    assert.deepEqual(faults, [])
    assert.deepEqual(next, { ...core, settings: { ...core.settings, state: 'paused', tolerance: 5 } })
    assert.deepEqual(change(next, { settings: { state: null, tolerance: null } }).core, core)
  })

  test('asks for what the preset requires only of those who say something that depends on it', () => {
    const fault = { pointer: '/config/account', message: 'is required: Account. Settings' }
    assert.deepEqual(change(null, {}).faults, [fault])
    const newer: Preset = {
      ...acme,
      settings: [...(acme.settings ?? []), { name: 'plan', label: 'Plan', where: 'There', required: true }],
    }
    const core = made()
    assert.deepEqual(change(core, { settings: { state: 'paused' } }, newer).faults, [])
    assert.equal(change(core, { values: { region: 'us' } }, newer).faults.length, 1)
    assert.deepEqual(change(core, { values: { account: null } }).faults, [fault])
  })

  test('takes numbers and flags for texts, and nothing that has parts', () => {
    assert.deepEqual(made({ values: { account: 42, region: true } }).settings.values, { account: '42', region: 'true' })
    const { faults } = change(null, { values: { account: { id: 1 }, region: '' } })
    assert.deepEqual(
      faults.map(({ pointer }) => pointer),
      ['/config/account', '/config/region'],
    )
  })

  test('that are misspelt are refused, since nothing would be checked with them; what nobody knows is left alone', () => {
    const faults = (values: object) => change(null, { values: { account: 'a', ...values } }).faults
    assert.deepEqual(faults({ sekret: 'whsec_x' }), [
      { pointer: '/config/sekret', message: 'is nothing that it takes; did you mean secret?' },
    ])
    assert.deepEqual(
      faults({ regoin: 'eu', public_key: 'k' }).map(({ pointer }) => pointer),
      ['/config/regoin', '/config/public_key'],
    )
    assert.deepEqual(faults({ schedule: '* * * * *', payload: '{}' }), [])
  })

  test('of another provider leaves nothing of the former: no secret, no scheme, none of its settings', () => {
    const other: Preset = { ...acme, name: 'other' }
    const core = made({ settings: { schemes: ['mac'], state: 'paused', allowedAddresses: ['192.0.2.1'] } })
    const { core: next } = change(core, {}, other)
    assert.deepEqual([next.secrets, next.settings.values, next.settings.schemes], [[], {}, null])
    assert.deepEqual([next.settings.state, next.settings.allowedAddresses], ['paused', ['192.0.2.1']])
    assert.equal(next.settings.mode, 'observe')
    const own = change(null, { custom: acme, values: { account: 'a' } }, acme, 'custom').core
    assert.equal(own.settings.custom, acme)
    assert.equal(change(own, {}).core.settings.custom, null)
  })

  test('enforces nothing that cannot be verified, unless the secret is yet to come with a handshake', () => {
    const enforced = { settings: { mode: 'enforce' }, values: { account: 'a' } } as const
    assert.deepEqual(
      change(null, enforced).faults.map(({ pointer }) => pointer),
      ['/mode'],
    )
    const capturing: Preset = {
      ...acme,
      challenges: [{ name: 'hello', match: [], capture: { header: 'x-secret' }, answer: null }],
    }
    assert.deepEqual(change(null, enforced, capturing).faults, [])
  })

  test('goes on enforcing when a secret has ended: it must not fall back to taking everything', () => {
    const { core } = change(null, { secrets: [{ ...wish('shh'), until: 5 }], values: { account: 'a' } })
    assert.equal(core.settings.mode, 'enforce')
  })

  test('names headers that can be sent', () => {
    const named: Preset = {
      ...acme,
      settings: [{ name: 'header', label: 'Header', where: 'There', required: true }],
      schemes: [{ ...scheme, signature: [{ header: { setting: 'header' } }] }],
    }
    const faults = (header: string) => change(null, { values: { header } }, named).faults.map(({ pointer }) => pointer)
    assert.deepEqual([faults('X-My-Sig'), faults('X My Sig')], [[], ['/config/header']])
  })
})

describe('rotating secrets', () => {
  const secret = (value: string, changes: Partial<SourceSecret> = {}): SourceSecret => ({
    ...{ id: `sec_${value}`, name: null, value, from: null, until: null, captured: false, createdAt: 0 },
    ...changes,
  })
  const ends = (secrets: readonly SourceSecret[]) => secrets.map(({ value, until }) => [value, until])

  test('ends those before after the grace, but none later than it would end by itself', () => {
    const held = [secret('a'), secret('b', { until: 1_005 }), secret('c', { until: 9_000 })]
    assert.deepEqual(ends(rotated(held, secret('d'), 1_000, 100)), [
      ['a', 1_100],
      ['b', 1_005],
      ['c', 1_100],
      ['d', null],
    ])
  })

  test('forgets what has ended, and takes the same secret given again for itself', () => {
    const held = [
      secret('a', { until: 999 }),
      secret('b', { until: 1_000 }),
      secret('c'),
      secret('d', { until: 1_500 }),
    ]
    assert.deepEqual(ends(rotated(held, secret('d'), 1_000, 0)), [['d', null]])
  })
})
