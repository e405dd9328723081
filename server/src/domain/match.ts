import type { Endpoint } from './endpoint.ts'
import type { Message } from './message.ts'

/** Whether an endpoint is to get a message; if not, the first reason why. */
export type MatchVerdict =
  | { readonly kind: 'yes' }
  | { readonly kind: 'no'; readonly because: 'disabled' | 'event-type' | 'channel' }

// Made once: on the fast road this is asked for every endpoint of every message.
const yes: MatchVerdict = { kind: 'yes' }
const disabled: MatchVerdict = { kind: 'no', because: 'disabled' }
const otherEventType: MatchVerdict = { kind: 'no', because: 'event-type' }
const otherChannel: MatchVerdict = { kind: 'no', because: 'channel' }

/**
 * An endpoint gets a message when it is not disabled, wants the event type, and either names no channels or shares one
 * with the message. A message without channels does not reach an endpoint that has some: the meaning that the official
 * clients' own server gives it. Names are compared exactly; an empty list, unlike null, lets nothing through.
 */
export function matches(
  endpoint: Pick<Endpoint, 'eventTypes' | 'channels' | 'disabledBecause'>,
  message: Pick<Message, 'eventType' | 'channels'>,
): MatchVerdict {
  if (endpoint.disabledBecause !== null) return disabled
  if (endpoint.eventTypes !== null && !endpoint.eventTypes.includes(message.eventType)) return otherEventType
  if (endpoint.channels === null) return yes
  if (message.channels !== null) {
    for (const channel of message.channels) if (endpoint.channels.includes(channel)) return yes
  }
  return otherChannel
}
