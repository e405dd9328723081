import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Preset, Scheme } from '../domain/preset.ts'
import type { SourceSecret } from '../domain/source.ts'
import { answerChallenge, challengeOf } from './challenges.ts'
import { asEventType, eventTypeOf } from './facts.ts'
import { presetBook } from './presets.ts'
import { RequestView } from './reading/view.ts'
import { type RecordedRequest, recordedBody, recordedInbound, recordedKeys, recordedRequests } from './recorded.ts'
import { replyOf } from './reply.ts'
import type { Verdict } from './verify/verdict.ts'
import { makeVerifier, settingValues } from './verify/verifier.ts'

const door = '/in/token'

const viewOf = (recorded: RecordedRequest): RequestView =>
  new RequestView(recordedInbound(recorded, door), {
    url: recorded.publicUrl ?? `https://hooks.example.com${door}`,
    pathLength: door.length,
  })

const secretsOf = (recorded: RecordedRequest): readonly SourceSecret[] =>
  recorded.secrets.map(({ name, value }, index) => ({
    id: `secret-${index}`,
    name: name ?? null,
    value,
    from: null,
    until: null,
    captured: false,
    createdAt: 0,
  }))

interface Otherwise {
  /** Seconds after it was recorded. */
  readonly later?: number
  /** The only scheme that counts. */
  readonly scheme?: Scheme
}

const verdictOf = (preset: Preset, recorded: RecordedRequest, { later = 0, scheme }: Otherwise = {}): Verdict =>
  makeVerifier({
    preset,
    secrets: secretsOf(recorded),
    settings: { values: recorded.settings ?? {}, schemes: scheme ? [scheme.name] : null, tolerance: null },
  }).verify(viewOf(recorded), (recorded.clock + later) * 1000, recordedKeys(recorded))

const each = (
  look: (preset: Preset, recorded: RecordedRequest) => readonly string[],
  expect: (recorded: RecordedRequest) => boolean = () => true,
): { readonly seen: number; readonly faults: readonly string[] } => {
  const all = presetBook
    .all()
    .flatMap((preset) => recordedRequests(preset.name).map((recorded) => ({ preset, recorded })))
    .filter(({ recorded }) => expect(recorded))
  const faults = all.flatMap(({ preset, recorded }) =>
    look(preset, recorded).map((fault) => `${preset.name} / ${recorded.name}: ${fault}`),
  )
  return { seen: all.length, faults }
}

test('every recorded request is verified or refused as it says, through the verifier that the door uses', () => {
  const { seen, faults } = each(
    (preset, recorded) => {
      const verdict = verdictOf(preset, recorded)
      const said = verdict.kind === 'refused' ? `refused (${verdict.reason}: ${verdict.detail})` : verdict.kind
      if (verdict.kind !== recorded.expect) return [said]
      const reason =
        verdict.kind === 'refused' ? verdict.reason : verdict.kind === 'unverified' ? verdict.because : null
      return recorded.reason === undefined || recorded.reason === reason ? [] : [said]
    },
    ({ expect }) => expect !== 'challenge',
  )
  assert.deepEqual(faults, [])
  assert.ok(seen >= 150, `${seen} recorded requests were seen`)
})

interface Answered {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** What is answered to a request that the preset takes for a challenge; null: it does not. */
function answered(preset: Preset, recorded: RecordedRequest): Answered | null {
  const view = viewOf(recorded)
  const values = settingValues(preset, recorded.settings ?? {})
  const challenge = challengeOf(preset, view, values)
  if (!challenge) return null
  if (challenge.verified && verdictOf(preset, recorded).kind !== 'verified') return null
  const source = { secrets: secretsOf(recorded), values }
  const outcome = answerChallenge(challenge, view, source)
  const reply = outcome.reply ?? replyOf(preset.ack ?? { status: 200 }, view, source)
  const pairs = (reply?.headers ?? []).flatMap((name, at, all) =>
    at % 2 === 0 ? [[name.toLowerCase(), all[at + 1] ?? '']] : [],
  )
  return {
    status: reply?.status ?? 0,
    headers: Object.fromEntries(pairs),
    body: Buffer.from(reply?.body ?? '').toString(),
  }
}

test('every recorded challenge is known as one, rightly signed where that is asked for, and answered as its provider wants', () => {
  const { seen, faults } = each(
    (preset, recorded) => {
      const answer = answered(preset, recorded)
      if (answer === null) return ['it is not taken for a challenge']
      const { status = 200, headers = {}, body = answer.body } = recorded.answer ?? {}
      const wrong = Object.entries(headers).filter(([name, value]) => answer.headers[name.toLowerCase()] !== value)
      return [
        ...(answer.status === status ? [] : [`it is answered ${answer.status}`]),
        ...(answer.body === body ? [] : [`it is answered “${answer.body}”`]),
        ...wrong.map(([name]) => `its ${name} is ${answer.headers[name.toLowerCase()]}`),
      ]
    },
    ({ expect }) => expect === 'challenge',
  )
  assert.deepEqual(faults, [])
  assert.ok(seen >= 20, `${seen} recorded challenges were seen`)
})

test('nothing that is recorded as an ordinary request is taken for a challenge', () => {
  const { faults } = each(
    (preset, recorded) => (answered(preset, recorded) === null ? [] : ['it is taken for a challenge']),
    ({ expect }) => expect !== 'challenge',
  )
  assert.deepEqual(faults, [])
})

const isVerified = ({ expect }: RecordedRequest): boolean => expect === 'verified'

/** Another letter in the middle, of the same alphabet: what is hex, base64 or PEM stays so. */
const altered = (secret: string): string => {
  const at = Math.floor(secret.length / 2)
  return `${secret.slice(0, at)}${secret[at] === 'a' ? 'b' : 'a'}${secret.slice(at + 1)}`
}

test('nothing passes with a secret in which one letter is another', () => {
  const { seen, faults } = each(
    (preset, recorded) => {
      const others = recorded.secrets.map((secret) => ({ ...secret, value: altered(secret.value) }))
      return verdictOf(preset, { ...recorded, secrets: others }).kind === 'verified' ? ['it passes'] : []
    },
    (recorded) => isVerified(recorded) && recorded.secrets.length > 0,
  )
  assert.deepEqual(faults, [])
  assert.ok(seen >= 100, `${seen} were seen`)
})

const schemeOf = (preset: Preset, recorded: RecordedRequest): Scheme | undefined => {
  const verdict = verdictOf(preset, recorded)
  return preset.schemes.find(({ name }) => verdict.kind === 'verified' && name === verdict.scheme)
}

// These sign only some members of their bodies; their notes say so.
const partlySigned = ['adyen standard', 'aws-sns v1', 'aws-sns v2', 'mailgun form', 'mailgun json']

test('nothing passes with another byte in its body, but for providers that do not sign all of it', () => {
  const passing = new Set<string>()
  each((preset, recorded) => {
    const scheme = schemeOf(preset, recorded)
    // What is only a shared value, or a token that was made for any body, says nothing of it.
    const claims = JSON.stringify(scheme?.jwt?.claims ?? {})
    if (!scheme || scheme.algorithm === 'equality' || scheme.algorithm === 'basic') return []
    if (scheme.algorithm === 'jwt' && !claims.includes('"body"')) return []
    const { body: _, ...rest } = recorded
    const body = recordedBody(recorded)
    const positions = Array.from({ length: Math.ceil(body.length / 23) }, (_position, index) => index * 23)
    const passes = positions.some((at) => {
      const other = Buffer.from(body)
      other[at] = (other[at] ?? 0) ^ 1
      const changed = { ...rest, bodyBase64: other.toString('base64') }
      return verdictOf(preset, changed, { scheme }).kind === 'verified'
    })
    if (passes) passing.add(`${preset.name} ${scheme.name}`)
    return []
  }, isVerified)
  assert.deepEqual([...passing].sort(), partlySigned)
})

test('whatever has a clock is refused as stale one second after the time that its preset allows', () => {
  const { faults } = each((preset, recorded) => {
    const scheme = schemeOf(preset, recorded)
    const tolerance = scheme?.timestamp?.tolerance ?? null
    if (!scheme || tolerance === null) return []
    const verdict = verdictOf(preset, recorded, { later: tolerance + 1, scheme })
    return verdict.kind === 'refused' && verdict.reason === 'stale' ? [] : [`it is ${verdict.kind}`]
  }, isVerified)
  assert.deepEqual(faults, [])
})

test('the event type of a recorded request is the one that its preset finds in it, as its provider spells it', () => {
  const { faults } = each((preset, recorded) => {
    const told = { view: viewOf(recorded), values: settingValues(preset, recorded.settings ?? {}) }
    const found = eventTypeOf(preset, told)
    const spelled = asEventType(recorded.event ?? preset.name)
    return found === spelled ? [] : [`${found} is found`]
  })
  assert.deepEqual(faults, [])
})
