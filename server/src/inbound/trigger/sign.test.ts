import assert from 'node:assert/strict'
import { createPublicKey, generateKeyPairSync, hash, type KeyObject } from 'node:crypto'
import { test } from 'node:test'
import type { Preset, Scheme } from '../../domain/preset.ts'
import { challengeOf } from '../challenges.ts'
import { duplicateKeyOf } from '../facts.ts'
import { presetBook } from '../presets.ts'
import { RequestView } from '../reading/view.ts'
import { type RecordedRequest, recordedInbound, recordedRequests } from '../recorded.ts'
import type { FetchedKey, FetchedKeys, Verdict } from '../verify/verdict.ts'
import { makeVerifier, settingValues } from '../verify/verifier.ts'
import { type Signed, viewOf } from './sign.ts'
import { type TriggerKind, trigger, triggerable } from './trigger.ts'

// Dice that fall alike in every run: whether two ids differ is no matter of luck.
let thrown = 0
const randomBytes = (length: number): Uint8Array =>
  Buffer.concat(Array.from({ length: Math.ceil(length / 64) }, () => hash('sha512', `${thrown++}`, 'buffer'))).subarray(
    0,
    length,
  )

const now = Date.UTC(2030, 5, 1, 12)

const pairs = {
  ed25519: generateKeyPairSync('ed25519'),
  ec: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  rsa: generateKeyPairSync('rsa', { modulusLength: 2048 }),
}

/** Which pair a scheme signs with; null: it has a shared secret. */
function pairOf({ algorithm, jwt }: Scheme): keyof typeof pairs | null {
  if (algorithm === 'jwt') {
    const [first = ''] = jwt?.algorithms ?? []
    return first.startsWith('HS') ? null : first.startsWith('ES') ? 'ec' : first === 'EdDSA' ? 'ed25519' : 'rsa'
  }
  if (algorithm === 'ed25519') return 'ed25519'
  return algorithm === 'ecdsa-p256-sha256' ? 'ec' : algorithm.startsWith('rsa-') ? 'rsa' : null
}

/** The public half, spelled as the scheme wants its secret. */
function spelled({ key: source }: Scheme, key: KeyObject): string {
  const der = key.export({ format: 'der', type: 'spki' })
  const strip = source.from === 'secret' ? (source.strip ?? '') : ''
  switch (source.from === 'secret' ? source.encoding : 'pem') {
    case 'spki-base64':
      return strip + der.toString('base64')
    case 'raw-hex':
      return strip + der.subarray(-32).toString('hex')
    case 'raw-base64':
      return strip + der.subarray(-32).toString('base64')
    default:
      return strip + key.export({ format: 'pem', type: 'spki' }).toString()
  }
}

/** A source as it would have to be for its owner to sign as the provider does. */
function setUp(preset: Preset, recorded: RecordedRequest) {
  const asymmetric = preset.schemes.filter((one) => pairOf(one) !== null)
  const hasOwn = recorded.secrets.length > 0
  const scheme = asymmetric.find(({ key }) => hasOwn === (key.from === 'secret')) ?? asymmetric[0]
  const needsPair = scheme !== undefined && !recorded.secrets.some(({ value }) => isShared(preset, value))
  const kind = needsPair ? pairOf(scheme) : null
  const own = kind === null || scheme === undefined || scheme.key.from === 'jwks' ? null : pairs[kind].publicKey
  const values = own && scheme ? [{ value: spelled(scheme, own) }] : recorded.secrets
  return {
    secrets: values.map(({ value, ...rest }, at) => ({
      ...{ id: `secret-${at}`, name: 'name' in rest ? (rest.name ?? null) : null, value },
      ...{ from: null, until: null, captured: false, createdAt: 0 },
    })),
    privateKey: kind === null ? null : pairs[kind].privateKey.export({ format: 'pem', type: 'pkcs8' }).toString(),
    fetched: kind === null ? null : pairs[kind].publicKey,
  }
}

const isShared = ({ schemes }: Preset, value: string): boolean =>
  !value.startsWith('-----BEGIN') &&
  schemes.some(
    (scheme) =>
      pairOf(scheme) === null && !(scheme.key.from === 'secret' && value.startsWith(scheme.key.except ?? '-')),
  )

function triggered(preset: Preset, recorded: RecordedRequest, kind: TriggerKind): Signed {
  const { secrets, privateKey } = setUp(preset, recorded)
  return trigger({
    ...{ preset, recorded, kind, schemes: null, tolerance: null, now, randomBytes, keys: { secrets, privateKey } },
    settings: settingValues(preset, recorded.settings ?? {}),
    publicUrl: recorded.publicUrl ?? 'https://hooks.example.com/in/token',
  })
}

function verified(preset: Preset, recorded: RecordedRequest, signed: Signed): Verdict {
  if (signed.kind !== 'signed') return { kind: 'refused', reason: 'unverifiable', detail: signed.because }
  const { secrets, fetched } = setUp(preset, recorded)
  const settings = { values: recorded.settings ?? {}, schemes: null, tolerance: null }
  const verifier = makeVerifier({ preset, secrets, settings })
  const view = viewOf(signed.request)
  const verdict = verifier.verify(view, now, new Map())
  if (verdict.kind !== 'needs' || fetched === null) return verdict
  const key: FetchedKey = {
    as: 'jwks',
    keys: [{ kid: verdict.wanted.as === 'jwks' ? verdict.wanted.kid : null, alg: null, key: fetched }],
  }
  const keys: FetchedKeys = new Map([[verdict.wanted.url, key]])
  return verifier.verify(view, now, keys)
}

/** Every recorded request of every provider that proves itself, but challenges that are answered unsigned. */
const signable = presetBook.all().flatMap((preset) =>
  recordedRequests(preset.name).flatMap((recorded) => {
    const { expect } = recorded
    const signed = expect === 'verified' || (expect === 'challenge' && verifiedChallenge(preset, recorded))
    return preset.schemes.length > 0 && signed ? [{ preset, recorded, called: `${preset.name}, ${recorded.name}` }] : []
  }),
)

function verifiedChallenge(preset: Preset, recorded: RecordedRequest): boolean {
  const request = recordedInbound(recorded, '')
  const view = new RequestView(request, { url: 'https://hooks.example.com', pathLength: 0 })
  return challengeOf(preset, view, settingValues(preset, recorded.settings ?? {}))?.verified === true
}

test('every recorded request, made anew with another id and time and signed, is verified', () => {
  assert.ok(signable.length > 100, `${signable.length} requests were signed`)
  const failed = signable.flatMap(({ preset, recorded, called }) => {
    const verdict = verified(preset, recorded, triggered(preset, recorded, 'valid'))
    return verdict.kind === 'verified' ? [] : [`${called}: ${JSON.stringify(verdict)}`]
  })
  assert.deepEqual(failed, [])
})

test('the same with one bit of the signature wrong is refused', () => {
  const failed = signable.flatMap(({ preset, recorded, called }) => {
    const verdict = verified(preset, recorded, triggered(preset, recorded, 'forged'))
    return verdict.kind === 'refused' && verdict.reason !== 'unverifiable'
      ? []
      : [`${called}: ${JSON.stringify(verdict)}`]
  })
  assert.deepEqual(failed, [])
})

test('the same from an hour before what is tolerated is stale, or said to be impossible where no age is checked', () => {
  let stale = 0
  const failed = signable.flatMap(({ preset, recorded, called }) => {
    const signed = triggered(preset, recorded, 'stale')
    if (signed.kind === 'not-signable')
      return /no age is checked/.test(signed.because) ? [] : [`${called}: ${signed.because}`]
    const verdict = verified(preset, recorded, signed)
    stale++
    return verdict.kind === 'refused' && verdict.reason === 'stale' ? [] : [`${called}: ${JSON.stringify(verdict)}`]
  })
  assert.deepEqual(failed, [])
  assert.ok(stale > 30, `${stale} requests were stale`)
})

// Its body is {}: there is nothing in it that could be another.
const alwaysTheSame = ['gitlab, Push Hook']

test('an id that is too short to be another each time gets longer', () => {
  const preset = presetBook.get('notion') ?? assert.fail()
  const recorded = recordedRequests('notion').find(({ event }) => event === 'order.paid') ?? assert.fail()
  const keys = Array.from({ length: 200 }, () => {
    const signed = triggered(preset, recorded, 'valid')
    return signed.kind === 'signed' ? identity(preset, recorded, signed) : assert.fail(signed.because)
  })
  assert.equal(new Set(keys).size, 200)
  assert.match(keys[0] ?? '', /^evt_\d{8}$/)
})

test('triggered twice it is two events: what makes two the same differs', () => {
  const asked = presetBook
    .all()
    .flatMap((preset) =>
      triggerable(recordedRequests(preset.name)).flatMap((recorded) =>
        recorded.event === null || recorded.expect === 'challenge' || preset.id.otherwise === 'none'
          ? []
          : [{ preset, recorded }],
      ),
    )
  assert.ok(asked.length > 80, `${asked.length} events can be triggered`)
  const same = asked.flatMap(({ preset, recorded }) => {
    const keys = [1, 2].map(() => {
      const signed = triggered(preset, recorded, 'valid')
      return signed.kind === 'signed' ? identity(preset, recorded, signed) : signed.because
    })
    return keys[0] === keys[1] ? [`${preset.name}, ${recorded.event}`] : []
  })
  assert.deepEqual(same, alwaysTheSame)
})

function identity(preset: Preset, recorded: RecordedRequest, { request }: Extract<Signed, { kind: 'signed' }>): string {
  const told = { view: viewOf(request), values: settingValues(preset, recorded.settings ?? {}) }
  return duplicateKeyOf(preset, told, { kind: 'verified', scheme: '', secret: null }) ?? ''
}

test('a body is changed only where a value is new: numbers keep their digits, spaces and escapes stay', () => {
  const preset = presetBook.get('stripe') ?? assert.fail()
  const body =
    '{ "id" :"evt_1NG8Du2eZvKYlo2C","n":12345678901234567890, "f":1.0,"e":"\\u00e9", "z":[ {"id":"in_1"} ] }\r\n'
  const recorded: RecordedRequest = {
    ...{ name: 'spaced', source: 'here', origin: 'made', event: 'x', method: 'POST', headers: [], body },
    ...{ secrets: [{ value: 'whsec_1' }], clock: 0, expect: 'verified' },
  }
  const signed = triggered(preset, recorded, 'valid')
  if (signed.kind !== 'signed') assert.fail(signed.because)
  const sent = Buffer.from(signed.request.body).toString()
  const [, id = ''] = /"id" :"(evt_\d\w+)"/.exec(sent) ?? []
  assert.notEqual(id, 'evt_1NG8Du2eZvKYlo2C')
  assert.equal(sent.replace(id, 'evt_1NG8Du2eZvKYlo2C'), body)
})

test('without the private half of a key pair it is said that it is needed, and a forged one is made all the same', () => {
  const preset = presetBook.get('discord') ?? assert.fail()
  const recorded = recordedRequests('discord').find(({ expect }) => expect === 'verified') ?? assert.fail()
  const key = createPublicKey(pairs.ed25519.privateKey).export({ format: 'der', type: 'spki' }).subarray(-32)
  const ask = {
    ...{ preset, recorded, schemes: null, tolerance: null, settings: {}, now, randomBytes },
    publicUrl: 'https://hooks.example.com/in/t',
    keys: { secrets: [{ name: null, value: key.toString('hex') }], privateKey: null },
  }
  const valid = trigger({ ...ask, kind: 'valid' })
  assert.match(valid.kind === 'not-signable' ? valid.because : '', /needs the private key/)
  assert.equal(trigger({ ...ask, kind: 'forged' }).kind, 'signed')
})
