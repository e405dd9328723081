import type { Preset } from '../domain/preset.ts'
import type { SourceSecret } from '../domain/source.ts'
import { answerChallenge, challengeOf } from './challenges.ts'
import { RequestView } from './reading/view.ts'
import { type RecordedRequest, recordedInbound, recordedKeys } from './recorded.ts'
import { emptyReply, type Reply, replyOf } from './reply.ts'
import type { Verdict } from './verify/verdict.ts'
import { makeVerifier, settingValues } from './verify/verifier.ts'

const door = '/in/token'

/**
 * Has a recorded request checked by what the door itself is made of, at the time it was recorded; nothing is fetched. What is
 * not as it says, in words; nothing where it holds.
 */
export function rehearse(preset: Preset, recorded: RecordedRequest): readonly string[] {
  const values = settingValues(preset, recorded.settings ?? {})
  const secrets = recorded.secrets.map(
    ({ name = null, value }, at): SourceSecret => ({
      ...{ id: `secret-${at + 1}`, name, value, from: null, until: null, captured: false, createdAt: 0 },
    }),
  )
  const request = recordedInbound(recorded, door)
  const url = recorded.publicUrl ?? `https://hooks.example.com${door}`
  const view = new RequestView(request, { url, pathLength: door.length })
  const settings = { values: recorded.settings ?? {}, schemes: null, tolerance: null }
  const verify = (): Verdict =>
    makeVerifier({ preset, secrets, settings }).verify(view, request.receivedAt, recordedKeys(recorded))

  const challenge = challengeOf(preset, view, values)
  const isRefused = challenge?.verified === true && recorded.expect === 'refused'
  if (challenge === null || isRefused) {
    return recorded.expect === 'challenge' ? ['is not taken for a challenge'] : judged(recorded, verify())
  }
  if (recorded.expect !== 'challenge') return [`is taken for the challenge ${challenge.name}`]
  const verdict = challenge.verified ? verify() : null
  if (verdict?.kind === 'refused') return [`is refused: ${verdict.detail}`]
  const { reply } = answerChallenge(challenge, view, { secrets: challenge.capture ? [] : secrets, values })
  const usual = preset.ack === undefined ? emptyReply(200) : replyOf(preset.ack, view, { secrets, values })
  return answered(recorded, reply ?? usual ?? emptyReply(200))
}

function judged({ expect, reason }: RecordedRequest, verdict: Verdict): readonly string[] {
  const came = verdict.kind === 'refused' ? `refused (${verdict.reason}): ${verdict.detail}` : verdict.kind
  if (verdict.kind !== expect) return [`should be ${expect} and is ${came}`]
  const why = verdict.kind === 'refused' ? verdict.reason : verdict.kind === 'unverified' ? verdict.because : undefined
  return reason === undefined || reason === why ? [] : [`should be ${expect} (${reason}) and is ${came}`]
}

function answered({ answer }: RecordedRequest, reply: Reply): readonly string[] {
  if (answer === undefined) return []
  const body = Buffer.from(reply.body).toString('utf8')
  const given = new Map<string, string>()
  for (let at = 0; at < reply.headers.length; at += 2) {
    given.set((reply.headers[at] ?? '').toLowerCase(), reply.headers[at + 1] ?? '')
  }
  const headers = Object.entries(answer.headers ?? {}).filter(
    ([name, value]) => given.get(name.toLowerCase()) !== value,
  )
  return [
    ...(reply.status === answer.status ? [] : [`should be answered ${answer.status} and is answered ${reply.status}`]),
    ...(answer.body === undefined || answer.body === body
      ? []
      : [`should be answered ${answer.body} and is answered ${body}`]),
    ...headers.map(
      ([name, value]) => `should be answered with ${name}: ${value} and is with ${given.get(name.toLowerCase())}`,
    ),
  ]
}
