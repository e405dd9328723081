import { samples } from './samples.ts'

// What earlier versions have left in databases, for what reads or copies all of it.

type OldRow = Readonly<Record<string, string | number | null>>
type TableRow = readonly [table: string, row: OldRow]

const { id, now } = samples()
const settings = {
  ...{ mode: 'enforce', modeSaid: true, state: 'active', disabledAnswer: 410, publicUrl: null, values: {} },
  ...{ schemes: null, tolerance: null, duplicateWindow: null, allowedAddresses: null, schemas: null },
  ...{ schemaCheck: 'off', ack: null, forwardChallenges: false, custom: null },
}

/** What the rows below speak of, for whoever reads them again. */
export const old = {
  environment: id('environment'),
  key: id('key'),
  application: id('application'),
  operational: id('application'),
  source: id('source'),
  endpoint: id('endpoint'),
  /** Nothing holds its deliveries. */
  openEndpoint: id('endpoint'),
  message: id('message'),
  received: id('message'),
  attempt: id('attempt'),
  lease: id('lease'),
  task: id('task'),
  token: id('portalToken'),
  quarantined: id('quarantine'),
  at: now(),
  // Spelled as nobody prints it: it must come back byte for byte, whatever an engine makes of JSON.
  payload: '{"amount": 1.0, "id":90071992547409931, "text":"\\u0000 gr\\u00fc\\u00dfe Grüße 🦉"}',
  settings,
} as const

const later = old.at + 86_400_000

/**
 * A row for every table of the schema after step `version`, with every column that is worth keeping, as a Posthorn of
 * that version wrote it; in an order in which they can be inserted.
 */
export function oldRows(version: number): readonly TableRow[] {
  const since = (step: number, columns: OldRow): OldRow => (version >= step ? columns : {})
  const { at } = old
  const changed = { created_at: at, updated_at: at + 1, revision: 2 }
  const from = (step: number, rows: readonly TableRow[]): readonly TableRow[] => (version >= step ? rows : [])

  const application = (applicationId: string, kind: 'customer' | 'operational' | 'source'): OldRow => ({
    ...{ id: applicationId, environment_id: old.environment, uid: kind === 'customer' ? 'acme' : null, name: kind },
    ...{ throttle_rate: 7, metadata: '{"plan":"gold"}', ...changed },
    ...since(2, { control: '{"maxInFlight":3}', wiped_to: kind === 'customer' ? old.message : '' }),
    ...(version === 2 ? { operational: kind === 'operational' ? 1 : 0 } : {}),
    ...since(3, { kind, paused_at: kind === 'source' ? at : null }),
  })
  const message = (messageId: string, applicationId: string, changes: OldRow): OldRow => ({
    ...{ id: messageId, application_id: applicationId, event_type: 'invoice.paid', event_id: 'evt-1' },
    ...{ channels: '["c"]', tags: '["t"]', content_type: null, payload: old.payload, accepted_at: at },
    ...since(2, { ordering_key: 'o', deliver_at: at + 1, unsent: '{"ep_x":"disabled"}', expires_at: later }),
    ...since(2, { payload_until: later }),
    ...changes,
  })

  return [
    [
      'environment',
      {
        ...{ id: old.environment, name: 'shop', created_at: at },
        ...since(2, { settings: '{"schemaValidation":"warn"}', updated_at: at + 1, revision: 2 }),
      },
    ],
    [
      'api_key',
      {
        ...{ id: old.key, environment_id: old.environment, name: 'deploy', hash: 'hash of a key' },
        ...{ scopes: '["publish"]', created_at: at, revoked_at: null },
      },
    ],
    ['application', application(old.application, 'customer')],
    ...from(2, [['application', application(old.operational, 'operational')]]),
    ...from(3, [['application', application(old.source, 'source')]]),
    [
      'event_type',
      {
        ...{ environment_id: old.environment, name: 'invoice.paid', description: 'paid', archived: 0, deprecated: 1 },
        ...{ schemas: '{"1":true}', group_name: 'invoice', feature_flags: '["beta"]', ...changed },
      },
    ],
    [
      'endpoint',
      {
        ...{ id: old.endpoint, application_id: old.application, uid: 'hook', url: 'https://example.com/', ...changed },
        ...{ description: 'd', event_types: '["invoice.*"]', channels: '["c"]', metadata: '{}', throttle_rate: 5 },
        ...{ disabled_because: 'gone', failing_since: at, sealed_secrets: 'sealed 1', sealed_headers: 'sealed 2' },
        ...since(2, { control: '{"order":"key"}', filter: 'true', paused_at: at, breaker_opened_at: at + 2 }),
      },
    ],
    [
      'endpoint',
      {
        ...{
          id: old.openEndpoint,
          application_id: old.application,
          uid: null,
          url: 'https://example.org/',
          ...changed,
        },
        ...{ description: '', event_types: null, channels: null, metadata: '{}', throttle_rate: null },
        ...{ disabled_because: null, failing_since: null, sealed_secrets: 'sealed 6', sealed_headers: 'sealed 7' },
      },
    ],
    ['message', message(old.message, old.application, {})],
    ...from(3, [
      [
        'message',
        message(old.received, old.source, {
          ...{ event_id: 'evt-2', encoding: 'text', request: '{"method":"PUT"}', duplicates: 2 },
          ...{ duplicate: '{"at":5}', ordering_key: null },
        }),
      ],
    ]),
    [
      'delivery',
      {
        ...{ message_id: old.message, endpoint_id: old.endpoint, attempts: 2, due_at: at + 5, lease: old.lease },
        ...{ trigger: 1, ...since(2, { order_key: 'o', held: null }) },
      },
    ],
    [
      'delivery',
      {
        ...{ message_id: old.message, endpoint_id: old.openEndpoint, attempts: 1, due_at: at, lease: null, trigger: 0 },
      },
    ],
    [
      'attempt',
      {
        ...{ id: old.attempt, message_id: old.message, endpoint_id: old.endpoint, succeeded: 0, trigger: 0 },
        ...{ url: 'https://example.com/', status_code: 503, duration_ms: 12, response: 'no', response_cut: 1 },
        ...{ started_at: at, ...since(2, { ended: 'expired' }) },
      },
    ],
    ...from(2, [
      ['event_key', { application_id: old.application, event_id: 'evt-1', message_id: old.message, until: later }],
      ['seen_event_type', { environment_id: old.environment, name: 'invoice.sent', seen_at: at }],
      [
        'task',
        {
          ...{ id: old.task, environment_id: old.environment, application_id: old.application, kind: 'expunge' },
          ...{ status: 'running', ask: `{"kind":"expunge","until":${at}}`, rate: 9, ...changed },
          progress: '{"after":"","within":null,"seen":3,"done":2,"skipped":{},"failure":null}',
        },
      ],
      ['task_result', { task_id: old.task, place: 'a', json: '{"x":1}' }],
      [
        'portal_token',
        {
          ...{ hash: 'hash of a token', id: old.token, environment_id: old.environment, session_id: 's' },
          ...{ application_id: old.application, capabilities: '["ViewBase"]', feature_flags: '["beta"]' },
          ...{ created_at: at, expires_at: later },
        },
      ],
      [
        'idempotency_key',
        {
          ...{ id: 'hash of an ask', fingerprint: 'f', message_id: null, status: 200, sealed_body: 'sealed 3' },
          ...{ started_at: at, until: later },
        },
      ],
    ]),
    ...from(3, [
      [
        'source',
        {
          ...{ id: old.source, environment_id: old.environment, uid: 'stripe', type: 'stripe', ...changed },
          ...{ settings: JSON.stringify(settings), sealed_secrets: 'sealed 4', sealed_token: 'sealed 5' },
        },
      ],
      ['source_token', { hash: 'hash of a door', source_id: old.source, until: null }],
      [
        'handshake',
        {
          ...{ source_id: old.source, name: 'challenge', succeeded_at: at, failed_at: null, failure: null },
          ...{ successes: 1, failures: 0 },
        },
      ],
      ['source_secret_use', { source_id: old.source, secret_id: 'sec_1', used_at: at }],
      [
        'quarantine',
        {
          ...{ id: old.quarantined, source_id: old.source, request: '{"method":"POST"}', payload: '{ }' },
          ...{ encoding: null, bytes: 3, acknowledged: 1 },
        },
      ],
    ]),
  ]
}
