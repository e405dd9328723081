// Every setting there is; `posthorn config` prints this table.
import { usualControl } from '../domain/control.ts'
import { readDatabaseTarget } from '../domain/database-target.ts'
import { formatDuration } from '../domain/duration.ts'
import { type EgressAllow, parseEgressAllow } from '../domain/egress.ts'
import type { Millis } from '../domain/ids.ts'
import { defaultRetryPolicy } from '../domain/retry.ts'
import {
  apiKey,
  baseUrl,
  count,
  duration,
  keeping,
  listenAddress,
  log,
  logFormats,
  logLevels,
  masterKey,
  onOrOff,
  origins,
  pooler,
  retrySchedule,
  share,
  size,
} from './parsers.ts'

interface Setting<T> {
  readonly env: string
  readonly flag: string
  /** Null: may stay unset. */
  readonly default: string | null
  /** What happens while it is unset. */
  readonly unset: string
  readonly example: string
  readonly doc: string
  /** Never shown, not even when it is wrong. */
  readonly secret: boolean
  /** Throws Error whose message completes "NAME …". */
  read(text: string | null): T
}

type Written<T> = Pick<Setting<T>, 'env' | 'flag' | 'doc'> & {
  readonly parse: (text: string) => T
  readonly secret?: true
}

const setting = <T>({
  parse,
  ...rest
}: Written<T> & { readonly default: string; readonly example?: string }): Setting<T> => ({
  unset: 'none',
  example: rest.default,
  secret: false,
  ...rest,
  read: (text) => parse(text ?? rest.default),
})

const optional = <T>({
  parse,
  ...rest
}: Written<T> & { readonly unset: string; readonly example: string }): Setting<T | null> => ({
  default: null,
  secret: false,
  ...rest,
  read: (text) => (text === null ? null : parse(text)),
})

const minute: Millis = 60_000
const day: Millis = 24 * 60 * minute

export const table = {
  listen: setting({
    env: 'POSTHORN_LISTEN',
    flag: 'listen',
    parse: listenAddress,
    default: '127.0.0.1:8071',
    doc: 'Address and port to listen on. 0.0.0.0 or [::] for all addresses of the machine; port 0 for any free one.',
  }),
  publicUrl: optional({
    env: 'POSTHORN_PUBLIC_URL',
    flag: 'public-url',
    parse: baseUrl,
    unset: 'http:// and the address listened on',
    example: 'https://hooks.example.com',
    doc: 'Where others reach this server: what links in problems, documentation and the user agent start with.',
  }),
  database: setting({
    env: 'POSTHORN_DATABASE',
    flag: 'database',
    parse: readDatabaseTarget,
    default: 'sqlite:./posthorn.db',
    doc: 'Where everything is kept: sqlite: and the path of a file (a key file, to be backed up, and a lock file stand beside it), or postgres://user:password@host/database for one or more nodes.',
  }),
  migrate: setting({
    env: 'POSTHORN_MIGRATE',
    flag: 'migrate',
    parse: onOrOff,
    default: 'on',
    example: 'off',
    doc: 'Whether a start brings the schema of the database up to date by itself. off: somebody runs posthorn migrate before, and a start that finds it has not been done says so and ends.',
  }),
  apiKey: optional({
    env: 'POSTHORN_API_KEY',
    flag: 'api-key',
    parse: apiKey,
    secret: true,
    unset: 'one is made at the first start and printed once',
    example: 'a word of 8 or more characters, from `openssl rand -hex 24`',
    doc: 'An admin key of the environment "default", so that a deployment knows its key beforehand. A flag shows in the list of processes: prefer the variable.',
  }),
  databaseConnections: setting({
    env: 'POSTHORN_DATABASE_CONNECTIONS',
    flag: 'database-connections',
    parse: count(6, 1_000),
    default: '10',
    doc: 'Connections of this node to PostgreSQL, at most: five for the road and for what is changed elsewhere, the rest for people and chores.',
  }),
  databasePooler: setting({
    env: 'POSTHORN_DATABASE_POOLER',
    flag: 'database-pooler',
    parse: pooler,
    default: 'none',
    example: 'transaction',
    doc: 'transaction: between here and PostgreSQL stands a pooler that changes servers between transactions, as PgBouncer with pool_mode = transaction.',
  }),
  masterKey: optional({
    env: 'POSTHORN_MASTER_KEY',
    flag: 'master-key',
    parse: masterKey,
    secret: true,
    unset: 'read from a key file beside the database, made at the first start',
    example: '32 bytes in base64 or hex, from `openssl rand -base64 32`',
    doc: 'Seals endpoint secrets and headers in the database. Without the key they were sealed with they cannot be read again: back it up.',
  }),
  egressAllow: setting<EgressAllow>({
    env: 'POSTHORN_EGRESS_ALLOW',
    flag: 'egress-allow',
    parse: parseEgressAllow,
    default: '',
    example: '127.0.0.0/8,receiver.internal',
    doc: 'Networks and hosts, comma-separated, that deliveries, and fetches of keys for sources, may reach although they are not public. Keys are fetched without TLS only from what is named here.',
  }),
  retrySchedule: setting({
    env: 'POSTHORN_RETRY_SCHEDULE',
    flag: 'retry-schedule',
    parse: retrySchedule,
    default: defaultRetryPolicy.delaysMs.map(formatDuration).join(','),
    doc: 'The wait before each retry, from the end of the try before; their number is the number of retries. "none": one try only. Environment, application or endpoint can say otherwise.',
  }),
  retryJitter: setting({
    env: 'POSTHORN_RETRY_JITTER',
    flag: 'retry-jitter',
    parse: share,
    default: String(defaultRetryPolicy.jitter),
    doc: 'By how much of itself a wait may be longer or shorter, 0 to 1, so that failures do not come back in step.',
  }),
  attemptTimeout: setting({
    env: 'POSTHORN_ATTEMPT_TIMEOUT',
    flag: 'attempt-timeout',
    parse: duration(1_000, minute),
    default: '15s',
    doc: 'How long a receiver may take to answer, from the connection to the last byte. Environment, application or endpoint can say otherwise.',
  }),
  maxBody: setting({
    env: 'POSTHORN_MAX_BODY',
    flag: 'max-body',
    parse: size(1024, 64 * 1024 * 1024),
    default: '1MiB',
    doc: 'The largest request body taken; beyond it the answer is 413.',
  }),
  maxInboundBody: setting({
    env: 'POSTHORN_MAX_INBOUND_BODY',
    flag: 'max-inbound-body',
    parse: size(1024, 64 * 1024 * 1024),
    default: '25MiB', // what GitHub sends at most (docs.github.com, "Webhook events and payloads", 2026-11)
    doc: 'The largest body taken from a third party; beyond it the answer is 413. Nothing is ever cut.',
  }),
  apiRate: optional({
    env: 'POSTHORN_API_RATE',
    flag: 'api-rate',
    parse: count(1, 1_000_000),
    unset: 'as many as come',
    example: '100',
    doc: 'Requests a second that one API key or portal token may make; beyond it the answer is 429.',
  }),
  corsOrigins: setting({
    env: 'POSTHORN_CORS_ORIGINS',
    flag: 'cors-origins',
    parse: origins,
    default: '',
    example: 'https://app.example.com,https://admin.example.com',
    doc: 'Origins, comma-separated, whose web pages may call the API from a browser; * for all. Keys belong on servers: pages should hold portal tokens.',
  }),
  endpointInFlight: setting({
    env: 'POSTHORN_ENDPOINT_IN_FLIGHT',
    flag: 'endpoint-in-flight',
    parse: count(1, 10_000),
    default: '64',
    doc: 'Requests under way to one endpoint at the same time. Environment, application or endpoint can say otherwise.',
  }),
  globalInFlight: setting({
    env: 'POSTHORN_GLOBAL_IN_FLIGHT',
    flag: 'global-in-flight',
    parse: count(1, 60_000),
    default: '1024',
    doc: 'Requests under way in all at the same time. Each is a connection: mind the limit of open files.',
  }),
  hotDeliveries: setting({
    env: 'POSTHORN_HOT_DELIVERIES',
    flag: 'hot-deliveries',
    parse: count(1, 1_000_000),
    default: '8192',
    doc: 'Deliveries held in memory; the rest wait in the database. This bounds memory, not the backlog.',
  }),
  leaseDuration: setting({
    env: 'POSTHORN_LEASE_DURATION',
    flag: 'lease-duration',
    parse: duration(2_000, 60 * minute),
    default: '30s',
    doc: 'After how long the deliveries of a process that died may be taken by another. At least twice the attempt timeout.',
  }),
  disableAfter: setting({
    env: 'POSTHORN_DISABLE_AFTER',
    flag: 'disable-after',
    parse: duration(minute, 365 * day),
    default: '5d',
    doc: 'An endpoint of which every attempt failed for this long is disabled.',
  }),
  retention: setting({
    env: 'POSTHORN_RETENTION',
    flag: 'retention',
    parse: keeping(minute, 3_650 * day),
    default: formatDuration(usualControl.retention),
    doc: 'How long messages and their attempts are kept, where environment or application do not say otherwise. "none": for ever.',
  }),
  payloadRetention: setting({
    env: 'POSTHORN_PAYLOAD_RETENTION',
    flag: 'payload-retention',
    parse: keeping(minute, 3_650 * day),
    default: 'none',
    example: '7d',
    doc: 'How long payloads are kept, where nobody else says otherwise. "none": as long as their messages.',
  }),
  trustedProxies: setting({
    env: 'POSTHORN_TRUSTED_PROXIES',
    flag: 'trusted-proxies',
    parse: count(0, 20),
    default: '0',
    doc: 'How many proxies of yours a request to a source passes, each of which adds the address it was called from to X-Forwarded-For or Forwarded. 0: whoever connects is the caller.',
  }),
  quarantineCount: setting({
    env: 'POSTHORN_QUARANTINE_COUNT',
    flag: 'quarantine-count',
    parse: count(1, 1_000_000),
    default: '1000',
    doc: 'How many refused requests of one source are kept to be looked at; beyond it the oldest go.',
  }),
  quarantineSize: setting({
    env: 'POSTHORN_QUARANTINE_SIZE',
    flag: 'quarantine-size',
    parse: size(1024, 64 * 1024 * 1024 * 1024),
    default: '16MiB',
    doc: 'How much they may take together; one that alone is larger is not kept.',
  }),
  quarantineAge: setting({
    env: 'POSTHORN_QUARANTINE_AGE',
    flag: 'quarantine-age',
    parse: duration(minute, 3_650 * day),
    default: '30d',
    doc: 'How long they are kept.',
  }),
  shutdownDrain: setting({
    env: 'POSTHORN_SHUTDOWN_DRAIN',
    flag: 'shutdown-drain',
    parse: duration(0, 10 * minute),
    default: '0s',
    example: '5s',
    doc: 'How long a stop goes on serving while health already answers 503, so that a load balancer sends elsewhere first. The grace begins after it.',
  }),
  shutdownGrace: setting({
    env: 'POSTHORN_SHUTDOWN_GRACE',
    flag: 'shutdown-grace',
    parse: duration(0, 10 * minute),
    default: '10s',
    doc: 'How long a stop waits for what is in flight; the rest is due at once for the next process.',
  }),
  log: setting({
    env: 'POSTHORN_LOG',
    flag: 'log',
    parse: log,
    default: 'json,info',
    example: 'pretty,debug',
    doc: `Format (${logFormats.join(', ')}) and least level (${logLevels.join(', ')}), either or both.`,
  }),
} as const
