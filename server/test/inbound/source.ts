import assert from 'node:assert/strict'
import type { EndpointId, MessageId, SourceId } from '../../src/domain/ids.ts'
import type { ReceivedRequest, Verification } from '../../src/domain/inbound.ts'
import { bodyOf } from '../../src/domain/payload-text.ts'
import type { TestServer } from '../support/server.ts'

const allOf = { beyond: null, descending: true, limit: 250 }

export interface NewSource {
  readonly id: SourceId
  /** Of its URL: where requests go. */
  readonly path: string
}

/** Makes a source as a person would, over the API. */
export async function newSource(
  { fetch }: Pick<TestServer, 'fetch'>,
  body: Readonly<Record<string, unknown>>,
): Promise<NewSource> {
  const answer = await fetch('/ingest/api/v1/source', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'a source', ...body }),
  })
  const text = await answer.text()
  assert.equal(answer.status, 201, text)
  const { id, ingestUrl } = JSON.parse(text) as { readonly id: SourceId; readonly ingestUrl: string }
  return { id, path: new URL(ingestUrl).pathname }
}

export async function newEndpoint(
  { fetch }: Pick<TestServer, 'fetch'>,
  sourceId: SourceId,
  url: string,
): Promise<EndpointId> {
  const answer = await fetch(`/ingest/api/v1/source/${sourceId}/endpoint`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ url }),
  })
  const text = await answer.text()
  assert.equal(answer.status, 201, text)
  return (JSON.parse(text) as { readonly id: EndpointId }).id
}

interface ReceivedMessage {
  readonly id: MessageId
  readonly eventType: string
  readonly eventId: string | null
  readonly request: ReceivedRequest
  readonly verification: Verification
  readonly duplicates: number
  readonly body: Uint8Array
}

/** The messages of a source as they are stored, newest first. */
export async function receivedMessages(
  { store }: Pick<TestServer, 'store'>,
  sourceId: SourceId,
): Promise<readonly ReceivedMessage[]> {
  const all = await store.received.list(sourceId, { eventTypes: null, before: null, after: null }, allOf)
  return Promise.all(
    all.map(async ({ message: { id, eventType, eventId }, duplicates }) => {
      const found = await store.received.find(sourceId, id)
      const { payload, encoding, request } = found?.message ?? assert.fail(`${id} is gone`)
      assert.ok(request && payload !== null)
      const { verification } = request
      return { id, eventType, eventId, request, verification, duplicates, body: bodyOf({ payload, encoding }) }
    }),
  )
}

/** The only message of a source; null: it has none. */
export async function receivedMessage(
  server: Pick<TestServer, 'store'>,
  sourceId: SourceId,
): Promise<ReceivedMessage | null> {
  const messages = await receivedMessages(server, sourceId)
  assert.ok(messages.length <= 1, `${messages.length} messages`)
  return messages[0] ?? null
}

export const quarantined = ({ store }: Pick<TestServer, 'store'>, sourceId: SourceId) =>
  store.quarantine.list(sourceId, allOf)
