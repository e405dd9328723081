import Type, { type Static } from 'typebox'
import { nullable } from './nullable.ts'

const seconds = (minimum: number, maximum: number, description: string) =>
  Type.Optional(nullable(Type.Number({ minimum, maximum, description })))
const count = (minimum: number, maximum: number, description: string) =>
  Type.Optional(nullable(Type.Integer({ minimum, maximum, description })))

const day = 86_400

const retrySchedule = Type.Array(Type.Number({ minimum: 0, maximum: 30 * day }), {
  maxItems: 50,
  description: 'Seconds before each retry; their number is the number of retries. Empty: one try only.',
})
const retryOn = Type.Array(Type.Enum(['no-answer', '3xx', '4xx', '5xx']), {
  uniqueItems: true,
  maxItems: 4,
  description: 'Which failures are tried again; others end the delivery at once.',
})

/** What an endpoint can say about its deliveries; null inherits again. */
const deliveryControl = {
  retrySchedule: Type.Optional(nullable(retrySchedule)),
  retryOn: Type.Optional(nullable(retryOn)),
  timeoutSeconds: seconds(1, 60, 'How long a receiver may take to answer.'),
  maxInFlight: count(1, 10_000, 'Deliveries under way to one endpoint at the same time.'),
  ordering: Type.Optional(
    nullable(
      Type.String({
        enum: ['none', 'key', 'endpoint', null],
        description:
          '`key`: messages with the same `orderingKey` reach the endpoint one after the other; `endpoint`: all of them.',
      }),
    ),
  ),
  headFailure: Type.Optional(
    nullable(
      Type.String({
        enum: ['block', 'skip', 'park', null],
        description:
          'With an order, what becomes of those behind one that fails. `block`: they wait until it is delivered. `skip`: after `headAttempts` they go on and it is retried beside them. `park`: after `headAttempts` they go on and it is kept until somebody resends it.',
      }),
    ),
  ),
  headAttempts: count(1, 50, 'See `headFailure`.'),
  breaker: Type.Optional(
    nullable(
      Type.Boolean({
        description:
          'Whether deliveries are held while most of them fail, with a probe now and then. Nothing is discarded.',
      }),
    ),
  ),
  breakerFailureRate: Type.Optional(
    nullable(
      Type.Number({
        minimum: 0.05,
        maximum: 1,
        description: 'The share of failures among the last 50 tries, of which there must be 20, that opens it.',
      }),
    ),
  ),
  breakerProbeSeconds: seconds(1, 3_600, 'From opening to the first probe; each failed one doubles the wait.'),
  breakerDrainRate: count(1, 100_000, 'Deliveries a second after a good probe; doubles while all goes well.'),
  batchSize: count(1, 1_000, 'Messages in one request. 1: each its own.'),
  batchWaitMs: count(0, 60_000, 'How long the first message of a batch waits for others.'),
  deliverWithinSeconds: seconds(
    0,
    365 * day,
    'What is not delivered that long after it was due is dropped. 0: it never is.',
  ),
  forwardSignature: Type.Optional(
    nullable(
      Type.String({
        enum: ['add', 'replace', 'none', null],
        description:
          'For endpoints of sources: whether the forwarded request is signed by Posthorn too. `add`: unless it carries `webhook-…` headers already; `replace`: in their place; `none`: it is not.',
      }),
    ),
  ),
}

/** What an application or the environment can say as well. */
const messageControl = {
  eventIdWindowSeconds: seconds(0, 365 * day, 'How long an `eventId` stays taken. 0: as long as its message is kept.'),
  retentionDays: count(0, 3_650, 'How long messages and attempts are kept. 0: for ever.'),
  payloadRetentionDays: count(0, 3_650, 'How long payloads are kept. 0: as long as their messages.'),
  wipeDelivered: Type.Optional(
    nullable(Type.Boolean({ description: 'Whether payloads are removed when the last endpoint has got them.' })),
  ),
}

export const EndpointControl = Type.Object(deliveryControl, {
  description: 'How deliveries to it are made, where that differs from what its application says.',
  examples: [{ ordering: 'key', timeoutSeconds: 30 }],
})
export type EndpointControl = Static<typeof EndpointControl>

export const ApplicationControl = Type.Object(
  { ...deliveryControl, ...messageControl },
  {
    description: 'How deliveries to its endpoints are made, where that differs from what the environment says.',
    examples: [{ retentionDays: 30 }],
  },
)
export type ApplicationControl = Static<typeof ApplicationControl>

export const EnvironmentControl = Type.Object(
  {
    ...deliveryControl,
    throttleRate: count(0, 1_000_000, 'Deliveries a second to one endpoint that has no rate of its own. 0: no limit.'),
    ...messageControl,
  },
  {
    description: 'How deliveries are made, where that differs from the settings of the server.',
    examples: [{ retentionDays: 30 }],
  },
)
export type EnvironmentControl = Static<typeof EnvironmentControl>

export const ResolvedControl = Type.Record(
  Type.String(),
  Type.Object({ value: Type.Unknown(), from: Type.Enum(['server', 'environment', 'application', 'endpoint']) }),
  {
    description:
      'What counts for this endpoint, and which level says so; where it is shown by itself, not in lists. `applicationThrottleRate` is the limit over all endpoints of the application together.',
    examples: [{ timeoutSeconds: { value: 30, from: 'endpoint' } }],
  },
)

export const controlSchemas = { EndpointControl, ApplicationControl, EnvironmentControl, ResolvedControl } as const
