import type { InboundRequest, Refusal, Verification } from '../domain/inbound.ts'
import type { Challenge } from '../domain/preset.ts'
import { Problem } from '../domain/problem.ts'
import type { Source, SourceMode } from '../domain/source.ts'
import type { ReceivedAs, ReceivingObserver, VettingObserver } from '../engine/observer.ts'
import type { World } from '../ports/world.ts'
import { addressRefusal } from './addresses.ts'
import { answerChallenge, challengeOf } from './challenges.ts'
import { eventTypeOf } from './facts.ts'
import type { SourceNotes } from './notes.ts'
import type { Quarantine } from './quarantine/quarantine.ts'
import { RequestView } from './reading/view.ts'
import { emptyReply, type Reply, replyOf } from './reply.ts'
import type { PreparedSource, Sources } from './sources.ts'
import type { Tell } from './telling.ts'
import type { Verify } from './verify/verify.ts'
import { type Visits, visitOf, visitsOnlyVerified } from './visits.ts'

export type { Reply } from './reply.ts'

export interface ReceiveParts {
  readonly sources: Sources
  readonly tell: Tell
  readonly verify: Verify
  readonly quarantine: Quarantine
  readonly notes: SourceNotes
  readonly trustedProxies: number
  /** Keeps a secret that came with a handshake; resolves to whether it was the first. */
  readonly capture: (source: Source, secret: string) => Promise<boolean>
  readonly visits: Visits
  readonly observer: ReceivingObserver & Pick<VettingObserver, 'misfit'>
  readonly world: World
}

/**
 * Takes a request through the door. Resolves to the answer, for a message when it is on disk. Throws Problem `not-found`
 * where there is no such door, and `unavailable` for whatever is our own trouble.
 */
export type Receive = (request: InboundRequest) => Promise<Reply>

/** A request under way: whose it is, and how it is looked at. */
interface Case {
  readonly prepared: PreparedSource
  readonly view: RequestView
}

const plainAck: Reply = emptyReply(200)
const unchecked: Verification = { kind: 'unverified', because: 'no-scheme' }

export function makeReceive(parts: ReceiveParts): Receive {
  const { sources, tell, verify, quarantine, notes, visits, observer, world } = parts

  const note = ({ prepared, view }: Case, as: ReceivedAs): void =>
    observer.received(prepared.source.id, as, world.now() - view.request.receivedAt)

  /** What is refused is kept before it is answered: whoever looks for it finds it. */
  async function refuse(one: Case, verification: Refusal, reply: Reply): Promise<Reply> {
    await quarantine.keep(one.prepared.source.id, one.view.request, verification)
    note(one, 'refused')
    return reply
  }

  async function meet(one: Case, challenge: Challenge, verification: Verification): Promise<Reply> {
    const { prepared, view } = one
    const { id: sourceId, settings } = prepared.source
    const outcome = answerChallenge(challenge, view, prepared)
    const fail = (failure: string, reply: Reply): Reply => {
      notes.handshake(sourceId, challenge.name, failure)
      note(one, 'challenge-failed')
      return reply
    }
    if (outcome.kind === 'failed') return fail(outcome.failure, outcome.reply)
    if (outcome.kind === 'captures' && !(await parts.capture(prepared.source, outcome.secret))) {
      return fail('Another secret came first.', emptyReply(403))
    }
    const visit = visitOf(challenge, view, prepared.values)
    if (visit === null) {
      notes.handshake(sourceId, challenge.name, null)
    } else if (visitsOnlyVerified(challenge) && verification.kind !== 'verified') {
      return fail('It was not verified, so nothing that it names was fetched.', refusalOf(one))
    } else {
      void visits.visit(visit).then(({ failure }) => notes.handshake(sourceId, challenge.name, failure))
    }
    if (settings.forwardChallenges) await tell(prepared, view, view.payload(), verification)
    note(one, 'challenge')
    return outcome.reply ?? ackOf(one)
  }

  async function take(one: Case, verification: Verification): Promise<Reply> {
    const { prepared, view } = one
    const text = view.payload()
    if (prepared.checkSchema !== null) {
      const type = eventTypeOf(prepared.preset, { view, values: prepared.values })
      const checked = await prepared.checkSchema(type, text)
      if (checked.kind === 'quarantine') return refuse(one, checked.verification, ackOf(one))
      if (checked.kind === 'warned') observer.misfit(prepared.source.id, type, 'warn', checked.faults)
    }
    note(one, await tell(prepared, view, text, verification))
    return ackOf(one)
  }

  function drop(one: Case): Reply {
    const { disabledAnswer } = one.prepared.source.settings
    if (disabledAnswer === 503) throw new Problem('unavailable', 'The source is disabled for now.', [], 3600)
    note(one, 'dropped')
    return disabledAnswer === 410 ? emptyReply(410) : ackOf(one)
  }

  return async (request) => {
    const door = doorOf(request.target)
    const prepared = door && (await sources.byToken(door.token))
    if (!prepared) throw new Problem('not-found', 'There is no source at this address.')
    const { source, preset } = prepared
    const { settings } = source
    const view = new RequestView(request, { url: prepared.publicUrl, pathLength: door.length })
    const one: Case = { prepared, view }

    const disabled = settings.state === 'disabled'
    if (disabled && settings.disabledAnswer === 410) return drop(one)
    const stranger = addressRefusal(prepared.allowed, request, parts.trustedProxies)
    if (stranger) return refuse(one, stranger, emptyReply(403))
    const challenge = challengeOf(preset, view, prepared.values)
    if (challenge && !challenge.verified) return meet(one, challenge, unchecked)
    if (disabled && !challenge) return drop(one)

    const verification = failClosed(await verify(prepared, view), settings.mode)
    if (verification.kind === 'verified' && verification.secret !== null)
      notes.secretUsed(source.id, verification.secret)
    if (challenge) {
      if (verification.kind !== 'refused') return meet(one, challenge, verification)
      // No message is lost with it, so it is not kept: what became of it is shown on the source.
      notes.handshake(source.id, challenge.name, verification.explanation[0] ?? verification.reason)
      note(one, 'challenge-failed')
      return refusalOf(one)
    }
    if (verification.kind === 'refused' && settings.mode === 'enforce') return refuse(one, verification, refusalOf(one))
    return take(one, verification)
  }
}

/** A source that is to let nothing pass unverified lets nothing pass for want of a secret either. */
export function failClosed(verification: Verification, mode: SourceMode): Verification {
  if (verification.kind !== 'unverified' || mode === 'observe') return verification
  const lacks =
    verification.because === 'no-secret' ? 'The source has no secret yet' : 'This kind of source signs nothing'
  const explanation = [`${lacks}, and it is to enforce signatures. Give it one, or let it observe.`]
  return { kind: 'refused', reason: 'unverifiable', explanation }
}

const refusalOf = ({ prepared }: Case): Reply => emptyReply(prepared.preset.refusal ?? 401)

/** As the owner says, else the preset; what cannot be put together for this request becomes the plain one. */
function ackOf({ prepared, view }: Case): Reply {
  const { source, preset } = prepared
  const answer = source.settings.ack ?? preset.ack
  return (answer && replyOf(answer, view, prepared)) ?? plainAck
}

// `/in/{token}`, and up to where the rest begins; a target in absolute form has scheme and host before it.
const door = /^(?:https?:\/\/[^/?#]*)?\/in\/([\w-]{1,256})(?=[/?]|$)/i

/** Null: there can be no door here. `length`: of the target up to its end. */
export function doorOf(target: string): { readonly token: string; readonly length: number } | null {
  const [whole, token] = door.exec(target) ?? []
  return whole === undefined || token === undefined ? null : { token, length: whole.length }
}
