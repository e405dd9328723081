import Type, { type Static } from 'typebox'
import { endpointExample, endpointShown } from './endpoint.ts'
import { MessageOut, messageExample, messageShown } from './message.ts'
import { nullable } from './nullable.ts'
import { listOf } from './page.ts'

/** 0 success, 1 pending, 2 fail, 3 sending (tried, and to be tried again), 4 canceled, or expired before it was sent. */
export const MessageStatus = Type.Integer({
  enum: [0, 1, 2, 3, 4],
  description: '0 success, 1 pending, 2 fail, 3 sending, 4 canceled',
})
const MessageStatusText = Type.Enum(['success', 'pending', 'fail', 'sending', 'canceled'])

export const MessageAttemptOut = Type.Object(
  {
    id: Type.String(),
    msgId: Type.String(),
    endpointId: Type.String(),
    url: Type.String(),
    status: MessageStatus,
    statusText: MessageStatusText,
    responseStatusCode: Type.Integer({ description: '0 where there was no answer.' }),
    responseDurationMs: Type.Integer(),
    response: Type.String({ description: 'The answer, cut at 16 KiB, or why there was none.' }),
    triggerType: Type.Integer({ enum: [0, 1], description: '0 scheduled, 1 manual' }),
    timestamp: Type.String({ format: 'date-time' }),
    msg: Type.Optional(MessageOut),
  },
  {
    examples: [
      {
        id: 'atmpt_0TkxGmxb00054mQzKy6aWj1ExHc',
        msgId: messageExample.id,
        endpointId: endpointExample.id,
        url: endpointExample.url,
        status: 0,
        statusText: 'success',
        responseStatusCode: 200,
        responseDurationMs: 38,
        response: 'ok',
        triggerType: 0,
        timestamp: '2026-03-01T09:00:01.040Z',
      },
    ],
  },
)
export type MessageAttemptOut = Static<typeof MessageAttemptOut>

const stateShown = {
  status: MessageStatus,
  statusText: MessageStatusText,
  nextAttempt: nullable(Type.String({ format: 'date-time' })),
}
const stateExample = { status: 3, statusText: 'sending', nextAttempt: '2026-03-01T09:05:06.000Z' }

/** A message as one endpoint sees it. */
export const EndpointMessageOut = Type.Object(
  { ...messageShown, ...stateShown },
  { examples: [{ ...messageExample, ...stateExample }] },
)
export type EndpointMessageOut = Static<typeof EndpointMessageOut>

/** An endpoint as one message sees it. */
export const MessageEndpointOut = Type.Object(
  { ...endpointShown, ...stateShown },
  { examples: [{ ...endpointExample, ...stateExample }] },
)
export type MessageEndpointOut = Static<typeof MessageEndpointOut>

export const EmptyResponse = Type.Object({}, { examples: [{}] })

export const ListResponseMessageAttemptOut = listOf(MessageAttemptOut)
export const ListResponseMessageEndpointOut = listOf(MessageEndpointOut)
export const ListResponseEndpointMessageOut = listOf(EndpointMessageOut)

/** The bodies that have a name in the reference. */
export const attemptSchemas = {
  MessageAttemptOut,
  ListResponseMessageAttemptOut,
  MessageEndpointOut,
  ListResponseMessageEndpointOut,
  EndpointMessageOut,
  ListResponseEndpointMessageOut,
  EmptyResponse,
} as const
