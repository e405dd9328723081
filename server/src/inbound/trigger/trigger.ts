// TRIGGER: requests as providers would send them, made from recorded ones: the inverse of verify/. The door knows nothing of it.

import type { Millis } from '../../domain/ids.ts'
import type { Preset, Timestamp } from '../../domain/preset.ts'
import { challengeOf } from '../challenges.ts'
import type { SettingValues } from '../reading/view.ts'
import { type RecordedRequest, recordedBody } from '../recorded.ts'
import { freshened, type RandomBytes } from './fresh.ts'
import type { SigningKeys } from './make-signature.ts'
import { type OutgoingRequest, place } from './place.ts'
import { type Signed, signRequest, viewOf } from './sign.ts'

/** What the request shall be: one that passes, one whose signature is wrong, or one that was made an hour or more ago. */
export type TriggerKind = 'valid' | 'forged' | 'stale'

export interface TriggerAsk {
  /** By which it is signed. */
  readonly preset: Preset
  /** Names of the schemes that count; null: all. */
  readonly schemes: readonly string[] | null
  readonly keys: SigningKeys
  readonly settings: SettingValues
  /** What it is made from. */
  readonly recorded: RecordedRequest
  /** Where it goes to, as the provider knows it. */
  readonly publicUrl: string
  /** How old a timestamp may be where it is going; null: as the preset says. */
  readonly tolerance: Millis | null
  readonly kind: TriggerKind
  readonly now: Millis
  readonly randomBytes: RandomBytes
}

/** What can be triggered of a provider, in the order of its file: its events, once each. By name where none tells one. */
export function triggerable(requests: readonly RecordedRequest[]): readonly RecordedRequest[] {
  const good = requests.filter(({ expect }) => expect !== 'refused')
  const telling = good.filter(({ event }) => event !== null)
  const byName = new Map<string, RecordedRequest>()
  for (const request of telling.length > 0 ? telling : good) {
    const name = triggerName(request)
    if (!byName.has(name)) byName.set(name, request)
  }
  return [...byName.values()]
}

/** What a recorded request is called where somebody asks for it. */
export const triggerName = ({ event, name }: RecordedRequest): string => event ?? name

/** By event, or by its own name. Null: there is none. */
export const findTriggerable = (requests: readonly RecordedRequest[], name: string): RecordedRequest | null =>
  triggerable(requests).find((request) => triggerName(request) === name) ??
  requests.find((request) => request.name === name && request.expect !== 'refused') ??
  null

/** A request as the provider would send it now: with an id, a time and a signature of its own. */
export function trigger({ recorded, kind, now, randomBytes, ...ask }: TriggerAsk): Signed {
  const { preset, settings, publicUrl } = ask
  const template: OutgoingRequest = {
    method: recorded.method,
    publicUrl,
    url: recorded.url ?? '',
    headers: recorded.headers.filter(([name]) => !ofTheConnection.has(name.toLowerCase())),
    body: recordedBody(recorded),
  }
  const request = freshened(preset, withChecks(preset, template, settings), settings, randomBytes)
  const challenge = challengeOf(preset, viewOf(request), settings)
  if (challenge && !challenge.verified) {
    if (kind === 'valid') return { kind: 'signed', request, schemes: [] }
    return { kind: 'not-signable', because: `The challenge ${challenge.name} is answered whether it is signed or not.` }
  }
  if (kind !== 'stale') return signRequest({ ...ask, request, now, forged: kind === 'forged' })
  const signed = signRequest({ ...ask, request, now: now - oldest(preset, ask.tolerance) - hourMs })
  if (signed.kind === 'not-signable') return signed
  const ageless = preset.schemes.find(
    ({ name, timestamp }) => signed.schemes.includes(name) && !isTimed(timestamp, ask.tolerance),
  )
  if (ageless === undefined && signed.schemes.length > 0) return signed
  return {
    kind: 'not-signable',
    because: `Nothing is too old for ${preset.title}${ageless === undefined ? '' : ` as it is signed by ${ageless.name}`}: no age is checked.`,
  }
}

const hourMs = 3_600_000

// Whoever sends it says these.
const ofTheConnection = new Set(['host', 'content-length', 'connection', 'transfer-encoding', 'keep-alive', 'expect'])

/** Whether an age is too old for a scheme. `set`: what the source says; null: as the preset says. */
const isTimed = (timestamp: Timestamp | undefined, set: Millis | null): boolean =>
  timestamp !== undefined && (timestamp.tolerance !== null || set !== null)

const oldest = ({ schemes }: Preset, set: Millis | null): Millis =>
  set ?? Math.max(0, ...schemes.map(({ timestamp }) => (timestamp?.tolerance ?? 0) * 1_000))

/** Challenges say the word that the owner has set. */
function withChecks({ challenges = [] }: Preset, request: OutgoingRequest, settings: SettingValues): OutgoingRequest {
  return challenges.reduce((changed, { check }) => {
    const wanted = check && settings[check.setting]
    if (!check || wanted === undefined || viewOf(changed).valuesAt(check.at, settings).length === 0) return changed
    return place(changed, check.at, () => wanted, settings) ?? changed
  }, request)
}
