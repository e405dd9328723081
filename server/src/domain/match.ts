import type { Endpoint } from './endpoint.ts'
import type { Message } from './message.ts'

/** Whether an endpoint is to get a message; if not, the first reason why. */
export type MatchVerdict =
  | { readonly kind: 'yes' }
  | { readonly kind: 'no'; readonly because: 'disabled' | 'event-type' | 'channel' | 'filter' }

// Made once: on the fast road this is asked for every endpoint of every message.
const yes: MatchVerdict = { kind: 'yes' }
const disabled: MatchVerdict = { kind: 'no', because: 'disabled' }
const otherEventType: MatchVerdict = { kind: 'no', because: 'event-type' }
const otherChannel: MatchVerdict = { kind: 'no', because: 'channel' }

/**
 * An endpoint gets a message when it is not disabled, wants the event type, and either names no channels or shares one
 * with the message. A message without channels does not reach an endpoint that has some: the meaning that the official
 * clients' own server gives it. Names are compared exactly, but that `invoice.*` stands for all that begin with
 * `invoice.`, and `*` for all; an empty list, unlike null, lets nothing through. An endpoint's `filter` is asked
 * elsewhere, of those that match (`engine/vetting.ts`): it may take long, and this may not.
 */
export function matches(
  endpoint: Pick<Endpoint, 'eventTypes' | 'channels' | 'disabledBecause'>,
  message: Pick<Message, 'eventType' | 'channels'>,
): MatchVerdict {
  if (endpoint.disabledBecause !== null) return disabled
  if (endpoint.eventTypes !== null && !wantsType(endpoint.eventTypes, message.eventType)) return otherEventType
  if (endpoint.channels === null) return yes
  if (message.channels !== null) {
    for (const channel of message.channels) if (endpoint.channels.includes(channel)) return yes
  }
  return otherChannel
}

function wantsType(wanted: readonly string[], eventType: string): boolean {
  // Almost always exact names: `includes` finds those fastest, and only what it does not find is looked at once more.
  if (wanted.includes(eventType)) return true
  for (const name of wanted) {
    if (name.endsWith('*') && eventType.startsWith(name.slice(0, -1)) && eventType.length >= name.length) return true
  }
  return false
}
