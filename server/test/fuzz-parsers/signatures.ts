import type { Part, Preset } from '../../src/domain/preset.ts'
import { challengeOf } from '../../src/inbound/challenges.ts'
import { duplicateKeyOf, eventTypeOf, orderingKeyOf } from '../../src/inbound/facts.ts'
import { presetBook } from '../../src/inbound/presets.ts'
import { RequestView } from '../../src/inbound/reading/view.ts'
import { type RecordedRequest, recordedInbound, recordedKeys, recordedRequests } from '../../src/inbound/recorded.ts'
import type { Verdict } from '../../src/inbound/verify/verdict.ts'
import { makeVerifier, settingValues, type Verifier } from '../../src/inbound/verify/verifier.ts'
import type { Chance } from '../faults/chance.ts'
import { type Fuzzer, fieldsOf, hold, inputOf } from './fuzzer.ts'
import { mutated } from './mutation.ts'

interface Scene {
  readonly preset: Preset
  readonly recorded: RecordedRequest
  readonly verifier: Verifier
  /** Every signature of this provider is over the whole body. */
  readonly signsBody: boolean
}

const door = '/in/token'
const scenes: readonly Scene[] = presetBook.all().flatMap((preset) =>
  recordedRequests(preset.name)
    .filter(({ expect }) => expect === 'verified')
    .map((recorded) => ({ preset, recorded, verifier: verifierOf(preset, recorded), signsBody: signsBody(preset) })),
)
const words = [
  't=',
  'v1=',
  'v0=',
  'v1a=',
  'sha256=',
  ',',
  ';',
  '=',
  ' ',
  'Bearer ',
  'Basic ',
  'eyJhbGciOiJub25lIn0.e30.',
  '{}',
  '[]',
  'null',
  '"',
  '0',
  '\u00ff',
  '\u241e',
]

/** Genuine requests of every provider, changed: the check comes to a verdict, and never passes a body that was not signed. */
export const signatures: Fuzzer = {
  name: 'signatures',
  about:
    'requests of every preset, changed on the way: no throw, no foreign body verified, the genuine one verified again',
  words,
  make: (chance) => {
    const at = chance.between(0, scenes.length - 1)
    const { recorded } = scenes[at] as Scene
    const headers = recorded.headers.map(([name, value]) => `${name}: ${value}`)
    const body = Buffer.from(recordedInbound(recorded, door).body).toString('latin1')
    const changed = chance.between(0, 3)
    const wounded = (text: string): string => mutated(text, chance, words, headers)
    return inputOf(
      String(at),
      (changed === 1 ? woundOne(headers, chance, wounded) : headers).join('\n'),
      changed === 2 ? wounded(body) : body,
      changed === 3 ? wounded(recorded.url ?? '') : (recorded.url ?? ''),
    )
  },
  judge: (input) => {
    const [at = '0', lines = '', body = '', url = ''] = fieldsOf(input)
    const scene = sceneAt(at)
    const verdict = verdictOf(scene, lines, body, url)
    const { recorded } = scene
    const genuine = Buffer.from(recordedInbound(recorded, door).body).toString('latin1')
    const spelled = recorded.headers.map(([name, value]) => `${name}: ${value}`).join('\n')
    const isSame = body === genuine && lines === spelled && url === (recorded.url ?? '')
    hold(!isSame || verdict.kind === 'verified', () => `what is genuine is ${verdict.kind}`)
    hold(
      !scene.signsBody ||
        verdict.kind !== 'verified' ||
        signedBy(scene.preset).some((signed) => Buffer.from(body, 'latin1').equals(signed)),
      () => `a body that ${scene.preset.name} never signed is verified`,
    )
    return `${scene.preset.schemes[0]?.algorithm} ${verdict.kind === 'refused' ? verdict.reason : verdict.kind}`
  },
  longest: 1 << 14,
  read: (input) => {
    const [at = '0', lines = '', body = '', url = ''] = fieldsOf(input)
    return verdictOf(sceneAt(at), lines, body, url)
  },
  growths: [
    'stripe',
    'paddle',
    'standard-webhooks',
    'mailgun',
    'twilio',
    'discord',
    'adyen',
    'aws-sns',
    'azure-event-grid',
  ].flatMap((name) => {
    const at = scenes.findIndex(({ preset }) => preset.name === name)
    const [header = 'x'] = scenes[at]?.recorded.headers.map(([one]) => one).filter((one) => /sign/i.test(one)) ?? []
    return ['v1=a,', 'v1,a ', 't=1;', '=', 'h1=', '.'].map((unit) => ({
      before: inputOf(String(at), `${header}: `),
      unit,
      behind: inputOf('', '{}', ''),
    }))
  }),
}

/** What the provider has signed in any of its requests: several have one secret. */
const signedBy = (preset: Preset): readonly Buffer[] =>
  scenes.flatMap((scene) => (scene.preset === preset ? [Buffer.from(recordedInbound(scene.recorded, door).body)] : []))

const sceneAt = (text: string): Scene => scenes[Number.parseInt(text, 10) % scenes.length] ?? (scenes[0] as Scene)

function woundOne(headers: readonly string[], chance: Chance, wounded: (text: string) => string): readonly string[] {
  const chosen = chance.between(0, headers.length - 1)
  return headers.map((header, at) => (at === chosen ? wounded(header) : header))
}

function verifierOf(preset: Preset, { secrets, settings = {} }: RecordedRequest): Verifier {
  const made = secrets.map(({ name = null, value }, at) => ({
    ...{ id: `secret-${at + 1}`, name, value, from: null, until: null, captured: false, createdAt: 0 },
  }))
  return makeVerifier({ preset, secrets: made, settings: { values: settings, schemes: null, tolerance: null } })
}

/** Everything that is done with a request before anybody believes it. */
function verdictOf({ preset, recorded, verifier }: Scene, lines: string, body: string, url: string): Verdict {
  const headers = lines.split('\n').flatMap((line) => {
    const colon = line.indexOf(':')
    return colon < 0 ? [line, ''] : [line.slice(0, colon), line.slice(colon + 1)]
  })
  const request = {
    ...recordedInbound(recorded, door),
    headers,
    body: Buffer.from(body, 'latin1'),
    // The door itself takes what stands before the next sign of these for its token: no request comes in otherwise.
    target: `${door}${url === '' || /^[/?]/.test(url) ? url : `/${url}`}`,
  }
  const view = new RequestView(request, {
    url: recorded.publicUrl ?? `https://hooks.example.com${door}`,
    pathLength: door.length,
  })
  const values = settingValues(preset, recorded.settings ?? {})
  challengeOf(preset, view, values)
  const verdict = verifier.verify(view, request.receivedAt, recordedKeys(recorded))
  const told = { view, values }
  const type = eventTypeOf(preset, told)
  hold(/^[a-zA-Z0-9\-_./]{1,256}$/.test(type), () => `the event type is "${type}"`)
  const keys = [orderingKeyOf(preset, told), duplicateKeyOf(preset, told, { kind: 'unverified', because: 'no-secret' })]
  hold(
    keys.every((key) => key === null || (key.length >= 1 && key.length <= 256)),
    () => 'a key does not fit',
  )
  return verdict
}

/** Whether the bytes of the body are part of each template, as they are. */
function signsBody({ schemes }: Preset): boolean {
  const whole = (part: Part): boolean => {
    if (typeof part !== 'object') return false
    if ('hash' in part || 'hmac' in part) return part.of.some(whole)
    return 'request' in part && part.request === 'body'
  }
  return schemes.length > 0 && schemes.every(({ template = [] }) => template.some(whole))
}
