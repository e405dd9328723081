import type { Application } from '../../domain/application.ts'
import type { Attempt } from '../../domain/attempt.ts'
import type { Endpoint } from '../../domain/endpoint.ts'
import { type Environment, usualSettings } from '../../domain/environment.ts'
import type { EventType } from '../../domain/event-type.ts'
import {
  type ApplicationId,
  type EnvironmentId,
  type IdKind,
  type IdOf,
  makeIds,
  type SourceId,
} from '../../domain/ids.ts'
import type { ApiKey } from '../../domain/key.ts'
import type { PortalToken } from '../../domain/portal.ts'
import type { Source, SourceSettings } from '../../domain/source.ts'
import type { CommitBatch, DeliveryKey, NewMessage, QuarantinedRequest } from '../../ports/store.ts'

/** Rows to fill a store with: plain ones, with a clock that moves a millisecond with each id and dice that repeat. */
export function samples() {
  let now = Date.UTC(2026, 0, 1)
  let dice = 1
  const ids = makeIds(
    () => now,
    (size) => {
      const bytes = new Uint8Array(size)
      for (let i = 0; i < size; i++) {
        // Numerical Recipes' generator: any would do that does not repeat within a test.
        dice = (Math.imul(dice, 1664525) + 1013904223) >>> 0
        bytes[i] = dice >>> 24
      }
      return bytes
    },
  )
  const id = <K extends IdKind>(kind: K): IdOf<K> => {
    now += 1
    return ids(kind)
  }
  return {
    id,
    now: () => now,
    pass(ms: number) {
      now += ms
    },
    environment: (name: string): Environment => ({
      ...{ id: id('environment'), name, settings: usualSettings },
      ...{ createdAt: now, updatedAt: now, revision: 1 },
    }),
    key: (environmentId: EnvironmentId, changes: Partial<ApiKey> = {}): ApiKey => {
      const keyId = id('key')
      return {
        ...{ id: keyId, environmentId, name: 'deploy', hash: `hash of ${keyId}`, scopes: ['admin'] as const },
        ...{ createdAt: now, revokedAt: null },
        ...changes,
      }
    },
    portalToken: (
      environmentId: EnvironmentId,
      applicationId: ApplicationId,
      changes: Partial<PortalToken> = {},
    ): PortalToken => {
      const tokenId = id('portalToken')
      return {
        ...{ id: tokenId, hash: `hash of ${tokenId}`, environmentId, applicationId },
        ...{ capabilities: ['ViewBase'] as const, featureFlags: [], sessionId: null },
        ...{ createdAt: now, expiresAt: now + 1_000 },
        ...changes,
      }
    },
    application: (environmentId: EnvironmentId, changes: Partial<Application> = {}): Application => ({
      ...{ id: id('application'), environmentId, uid: null, name: 'Acme', throttleRate: null, metadata: {} },
      ...{ control: {}, kind: 'customer', pausedAt: null },
      ...{ createdAt: now, updatedAt: now, revision: 1 },
      ...changes,
    }),
    source: (environmentId: EnvironmentId, changes: Partial<Source> = {}): Source => ({
      ...{ id: id('source'), environmentId, uid: null, name: 'Payments', type: 'stripe', settings: plainSettings },
      ...{ metadata: {}, control: {}, throttleRate: null },
      ...{ sealedSecrets: 's1.secrets' as const, sealedToken: 's1.token' as const },
      ...{ createdAt: now, updatedAt: now, revision: 1 },
      ...changes,
    }),
    quarantined: (sourceId: SourceId, changes: Partial<QuarantinedRequest> = {}): QuarantinedRequest => ({
      ...{ id: id('quarantine'), sourceId, payload: '{"a":1}', encoding: null, bytes: 100, acknowledged: false },
      request: {
        ...{ method: 'POST', target: '/in/t', headers: ['Host', 'x', 'A', '1', 'A', '2'], peer: '::1', client: '::1' },
        ...{ receivedAt: now, verification: { kind: 'refused', reason: 'signature-wrong', explanation: ['No.'] } },
      },
      ...changes,
    }),
    endpoint: (applicationId: ApplicationId, changes: Partial<Endpoint> = {}): Endpoint => ({
      ...{ id: id('endpoint'), applicationId, uid: null, url: 'https://receiver.example/', description: '' },
      ...{ eventTypes: null, channels: null, metadata: {}, throttleRate: null, filter: null, control: {} },
      ...{ pausedAt: null, breakerOpenedAt: null },
      ...{ disabledBecause: null, failingSince: null },
      ...{ sealedSecrets: 's1.secrets' as const, sealedHeaders: 's1.headers' as const },
      ...{ createdAt: now, updatedAt: now, revision: 1 },
      ...changes,
    }),
    eventType: (environmentId: EnvironmentId, name: string, changes: Partial<EventType> = {}): EventType => ({
      ...{ environmentId, name, description: '', archived: false, deprecated: false },
      ...{ schemas: null, groupName: null, featureFlags: null },
      ...{ createdAt: now, updatedAt: now, revision: 1 },
      ...changes,
    }),
    message: (applicationId: ApplicationId, changes: Partial<NewMessage> = {}): NewMessage => ({
      ...{ id: id('message'), applicationId, eventType: 'invoice.paid', eventId: null },
      ...{ channels: null, tags: null, contentType: null, payload: '{}', acceptedAt: now },
      ...{ orderingKey: null, deliverAt: null, expiresAt: null, encoding: null, request: null },
      ...changes,
    }),
    attempt: ({ messageId, endpointId }: DeliveryKey, changes: Partial<Attempt> = {}): Attempt => ({
      ...{ id: id('attempt'), messageId, endpointId, succeeded: true, trigger: 'scheduled' as const },
      ended: null,
      ...{ url: 'https://receiver.example/', statusCode: 200, durationMs: 12, response: 'ok', responseCut: false },
      startedAt: now,
      ...changes,
    }),
  }
}

const plainSettings: SourceSettings = {
  ...{
    mode: 'enforce',
    modeSaid: true,
    state: 'active',
    disabledAnswer: 410,
    publicUrl: null,
    values: {},
    schemes: null,
  },
  ...{ tolerance: null, duplicateWindow: null, allowedAddresses: null, schemas: null, schemaCheck: 'off' },
  ...{ ack: null, forwardChallenges: false, custom: null },
}

export const batch = (parts: Partial<CommitBatch> & Pick<CommitBatch, 'lease'>): CommitBatch => ({
  now: 0,
  ...{ messages: [], deliveries: [], attempts: [], settlements: [], turns: [] },
  ...parts,
})
