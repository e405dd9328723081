import type { Answer, Challenge, Preset } from '../domain/preset.ts'
import { allHold } from './reading/conditions.ts'
import { bytesOf } from './reading/parts.ts'
import type { RequestView, SettingValues } from './reading/view.ts'
import { emptyReply, type Reply, replyOf } from './reply.ts'
import type { PreparedSource } from './sources.ts'
import { same } from './verify/primitives/compare.ts'

/** The first challenge of the preset that this request is; null: it is none. */
export function challengeOf(
  { challenges = [] }: Pick<Preset, 'challenges'>,
  view: RequestView,
  values: SettingValues,
): Challenge | null {
  return challenges.find(({ match }) => allHold(match, view, values)) ?? null
}

/** What becomes of a challenge whose signature, where it needs one, is right. */
export type ChallengeOutcome =
  /** `reply` null: as for any message. */
  | { readonly kind: 'answered'; readonly reply: Reply | null }
  /** The value is a secret that is seen here for the first time: to be kept before anything is answered. */
  | { readonly kind: 'captures'; readonly secret: string; readonly reply: Reply | null }
  /** `failure`: why, for the owner of the source. */
  | { readonly kind: 'failed'; readonly reply: Reply; readonly failure: string }

export function answerChallenge(
  challenge: Challenge,
  view: RequestView,
  { secrets, values }: Pick<PreparedSource, 'secrets' | 'values'>,
): ChallengeOutcome {
  const { check, capture, answer } = challenge
  if (check !== undefined) {
    const expected = values[check.setting]
    if (expected === undefined) {
      return failed(check.refusal, `The source has no '${check.setting}' to compare with.`)
    }
    if (!view.valuesAt(check.at, values).some((value) => isSame(value, expected))) {
      return failed(check.refusal, `What was sent is not the source's '${check.setting}'.`)
    }
  }
  if (challenge.verified !== true && answer !== null && !signsOnlyWords(answer, view, values)) {
    return failed(400, 'What was to be signed is not one word, as a challenge is: it could be an event.')
  }
  const reply = answer === null ? null : replyOf(answer, view, { secrets, values })
  if (answer !== null && reply === null) {
    return failed(
      400,
      'Something that the answer is made of was not in the request, or the source has no secret that counts now.',
    )
  }
  if (capture === undefined) return { kind: 'answered', reply }
  const [secret] = view.valuesAt(capture, values)
  if (secret === undefined || secret === '') return failed(400, 'There was no secret in it.')
  if (secrets.some(({ value }) => isSame(value, secret))) return { kind: 'answered', reply }
  // Anybody who knows the URL can send one: only the first counts, until its owner takes it away.
  if (secrets.length > 0) {
    return failed(403, 'It brings another secret than the one the source has; remove that to take this one.')
  }
  return { kind: 'captures', secret, reply }
}

// Letters and digits, and what stands between them in tokens: no braces or quotes, no pairs of a form, no white space.
const word = /^[\w.~+/:|-]{1,512}={0,2}$/

/**
 * Whether all that an answer signs with the source's secret is harmless. Anybody may ask for it, and the MAC of a body may be
 * the very signature by which that body passes as an event: so it is with X.
 */
function signsOnlyWords({ headers = {}, text = [], json = {} }: Answer, view: RequestView, settings: SettingValues) {
  const parts = [...Object.values(headers), text, ...Object.values(json)].filter((value) => typeof value === 'object')
  return parts.flat().every((part) => {
    if (typeof part === 'string' || !('hmac' in part)) return true
    const signed = bytesOf(part.of, view, { settings })
    return signed === null || word.test(signed.toString('latin1'))
  })
}

const failed = (status: number, failure: string): ChallengeOutcome => ({
  kind: 'failed',
  reply: emptyReply(status),
  failure,
})

const isSame = (one: string, other: string): boolean => same(Buffer.from(one), Buffer.from(other))
