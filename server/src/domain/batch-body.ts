import type { Message } from './message.ts'

/**
 * Several messages as the body of one request: a JSON array of `{id, type, timestamp, payload}`. Payloads are set in as
 * they were spelled; one with a content type of its own need not be JSON, and stands as a string beside that type.
 */
export const batchBody = (messages: readonly (Message & { readonly payload: string })[]): string =>
  `[${messages
    .map(({ id, eventType, acceptedAt, contentType, payload }) => {
      const timestamp = new Date(acceptedAt).toISOString()
      const shown =
        contentType === null
          ? `"payload":${payload}`
          : `"contentType":${JSON.stringify(contentType)},"payload":${JSON.stringify(payload)}`
      return `{"id":"${id}","type":${JSON.stringify(eventType)},"timestamp":"${timestamp}",${shown}}`
    })
    .join(',')}]`
