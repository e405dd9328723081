import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Answer, Part, Preset } from '../domain/preset.ts'
import type { SourceSecret } from '../domain/source.ts'
import { allHold } from './conditions.ts'
import { eventTypeOf } from './facts.ts'
import { bytesOf } from './parts.ts'
import { presetBook } from './presets.ts'
import { type RecordedRequest, recordedInbound, recordedKeys, recordedRequests } from './recorded.ts'
import type { Verdict } from './verdict.ts'
import { makeVerifier, settingValues } from './verifier.ts'
import { RequestView } from './view.ts'

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

const verdictOf = (preset: Preset, recorded: RecordedRequest): Verdict =>
  makeVerifier({
    preset,
    secrets: secretsOf(recorded),
    settings: { values: recorded.settings ?? {}, schemes: null, tolerance: null },
  }).verify(viewOf(recorded), recorded.clock * 1000, recordedKeys(recorded))

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

/** What the preset makes of a request that it takes for a challenge; null: it does not. */
function answered(preset: Preset, recorded: RecordedRequest): RenderedAnswer | null {
  const view = viewOf(recorded)
  const settings = settingValues(preset, recorded.settings ?? {})
  const challenge = preset.challenges?.find(({ match }) => allHold(match, view, settings))
  if (!challenge) return null
  if (challenge.verified && verdictOf(preset, recorded).kind !== 'verified') return null
  const { check } = challenge
  if (check && !view.valuesAt(check.at, settings).includes(settings[check.setting] ?? '')) {
    return { status: check.refusal, headers: {}, body: '' }
  }
  if (challenge.capture) assert.deepEqual(view.valuesAt(challenge.capture, settings).length, 1)
  const answer = challenge.answer ?? preset.ack ?? { status: 200 }
  return rendered(answer, view, settings, recorded.secrets[0]?.value)
}

interface RenderedAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

function rendered(
  answer: Answer,
  view: RequestView,
  settings: Readonly<Record<string, string>>,
  secret: string | undefined,
): RenderedAnswer {
  const around = { settings, secret: secret === undefined ? undefined : Buffer.from(secret) }
  const text = (parts: readonly Part[]): string => bytesOf(parts, view, around)?.toString() ?? '(not there)'
  const json = Object.entries(answer.json ?? {}).map(([name, value]) => [
    name,
    typeof value === 'object' ? text(value) : value,
  ])
  return {
    status: answer.status,
    headers: Object.fromEntries([
      ...Object.entries(answer.headers ?? {}).map(([name, parts]) => [name.toLowerCase(), text(parts)]),
      ...(answer.contentType === undefined ? [] : [['content-type', answer.contentType]]),
    ]),
    body: answer.json ? JSON.stringify(Object.fromEntries(json)) : answer.text ? text(answer.text) : '',
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

test('every recorded request tells the event type that it says, or none but the name of its preset', () => {
  const { faults } = each((preset, recorded) => {
    const told = { view: viewOf(recorded), values: settingValues(preset, recorded.settings ?? {}) }
    const type = eventTypeOf(preset, told)
    // As eventTypeOf spells what providers write otherwise.
    const said = recorded.event?.replaceAll(/[^a-zA-Z0-9\-_./]/g, '_') ?? preset.name
    return type === said ? [] : [`it says ${said} and tells ${type}`]
  })
  assert.deepEqual(faults, [])
})
