import Type, { type TProperties, type TSchema } from 'typebox'
import { BackgroundTaskOut } from './task.ts'

const time = Type.String({ format: 'date-time' })
const timeOrNull = Type.Unsafe<string | null>({ type: ['string', 'null'], format: 'date-time' })
const textOrNull = Type.Unsafe<string | null>({ type: ['string', 'null'] })

const ofApplication = { appId: Type.String(), appUid: textOrNull }
const ofEndpoint = { ...ofApplication, endpointId: Type.String(), endpointUid: textOrNull }
const ofMessage = {
  ...ofApplication,
  msgId: Type.String(),
  msgEventId: textOrNull,
  endpointId: Type.String(),
  lastAttempt: Type.Object({
    id: Type.String(),
    responseStatusCode: Type.Integer({ description: '0 where there was no answer.' }),
    timestamp: time,
  }),
}

export interface OperationalMessage {
  /** What has happened when it comes. */
  readonly when: string
  readonly payload: TSchema
}

const message = (type: string, when: string, data: TProperties): OperationalMessage => ({
  when,
  payload: Type.Object({ type: Type.Literal(type), data: Type.Object(data) }),
})

/** What operational webhooks carry, by event type. */
export const operationalMessages: Readonly<Record<string, OperationalMessage>> = {
  'endpoint.created': message('endpoint.created', 'An endpoint was created.', ofEndpoint),
  'endpoint.updated': message('endpoint.updated', 'An endpoint was changed.', ofEndpoint),
  'endpoint.deleted': message('endpoint.deleted', 'An endpoint was deleted.', ofEndpoint),
  'endpoint.enabled': message('endpoint.enabled', 'A disabled endpoint was enabled.', ofEndpoint),
  'endpoint.disabled': message(
    'endpoint.disabled',
    'An endpoint was disabled: by its owner, because it answered 410, or because it did nothing but fail.',
    {
      ...ofEndpoint,
      failSince: timeOrNull,
      trigger: Type.Enum(['manual', 'automatic']),
      reason: Type.Enum(['owner', 'gone', 'failing']),
    },
  ),
  'endpoint.breaker.opened': message(
    'endpoint.breaker.opened',
    'So many deliveries to an endpoint failed that the others are held; nothing is discarded.',
    { ...ofEndpoint, since: time },
  ),
  'endpoint.breaker.closed': message(
    'endpoint.breaker.closed',
    'An endpoint whose deliveries were held is well again.',
    {
      ...ofEndpoint,
      since: time,
    },
  ),
  'message.attempt.failing': message(
    'message.attempt.failing',
    'A message has failed several times at an endpoint, and is tried again.',
    ofMessage,
  ),
  'message.attempt.recovered': message(
    'message.attempt.recovered',
    'A message that was told to be failing has been delivered.',
    ofMessage,
  ),
  'message.attempt.exhausted': message(
    'message.attempt.exhausted',
    'A message was not delivered to an endpoint, and is not tried again.',
    ofMessage,
  ),
  'background_task.finished': message('background_task.finished', 'A background task is over.', {
    taskId: Type.String(),
    status: BackgroundTaskOut.properties.status,
    task: BackgroundTaskOut.properties.task,
    data: Type.Unsafe<unknown>({ description: 'What it found, as the task itself shows it.' }),
  }),
}
