import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  describeSettings,
  loadSettings,
  SettingsError,
  type SettingTexts,
  settingFlags,
  settingVariables,
  unknownVariables,
} from './config.ts'
import { defaultRetryPolicy } from './domain/retry.ts'

const load = (env: Record<string, string> = {}, flags: SettingTexts = {}, defaults?: SettingTexts) =>
  loadSettings({ env, flags, ...(defaults && { defaults }) })

function refusal(env: Record<string, string>, flags: SettingTexts = {}): string {
  try {
    load(env, flags)
  } catch (error) {
    assert.ok(error instanceof SettingsError)
    return error.message
  }
  return assert.fail(`accepted ${JSON.stringify({ env, flags })}`)
}

test('with nothing set, the defaults are those the documents promise', () => {
  const { egressAllow, ...rest } = load()
  assert.deepEqual(rest, {
    listen: { host: '127.0.0.1', port: 8071 },
    publicUrl: 'http://127.0.0.1:8071',
    database: { engine: 'sqlite', path: './posthorn.db' },
    migrate: true,
    apiKey: null,
    databaseConnections: 10,
    databasePooler: 'none',
    masterKey: null,
    retrySchedule: defaultRetryPolicy.delaysMs,
    retryJitter: 0.2,
    attemptTimeout: 15_000,
    maxBody: 1_048_576,
    maxInboundBody: 25 * 1_048_576,
    apiRate: null,
    corsOrigins: [],
    endpointInFlight: 64,
    globalInFlight: 1_024,
    hotDeliveries: 8_192,
    leaseDuration: 30_000,
    disableAfter: 432_000_000,
    retention: 7_776_000_000,
    payloadRetention: 0,
    trustedProxies: 0,
    quarantineCount: 1_000,
    quarantineSize: 16_777_216,
    quarantineAge: 2_592_000_000,
    shutdownDrain: 0,
    shutdownGrace: 10_000,
    logFormat: 'json',
    logLevel: 'info',
  })
  assert.deepEqual(egressAllow.networks, [])
})

test('a flag wins over the environment, the environment over a command default, that over the table', () => {
  const env = { POSTHORN_MAX_BODY: '2MiB' }
  assert.equal(load(env, { maxBody: '3MiB' }, { maxBody: '4MiB' }).maxBody, 3 * 1_048_576)
  assert.equal(load(env, {}, { maxBody: '4MiB' }).maxBody, 2 * 1_048_576)
  assert.equal(load({}, {}, { maxBody: '4MiB' }).maxBody, 4 * 1_048_576)
  assert.equal(load().maxBody, 1_048_576)
})

test('an empty variable counts as unset, an empty flag is a mistake', () => {
  assert.equal(load({ POSTHORN_MAX_BODY: '', POSTHORN_API_KEY: '' }).maxBody, 1_048_576)
  assert.match(refusal({}, { maxBody: '' }), /--max-body/)
})

test('every value that cannot be used stops the start: with its name, what is wrong, and an example', () => {
  const bad: Readonly<Record<string, readonly string[]>> = {
    POSTHORN_LISTEN: [
      '8071',
      ':8071',
      'localhost',
      '127.0.0.1:65536',
      '::1:8071',
      '127.0.0.1:8071/x',
      'http://127.0.0.1:8071',
      '127.0.0.1:-1',
    ],
    POSTHORN_PUBLIC_URL: [
      'hooks.example.com',
      'ftp://example.com',
      'https://user:word@example.com',
      'https://example.com/?a=b',
      'https://example.com/#a',
    ],
    POSTHORN_DATABASE: [
      'posthorn.db',
      'sqlite:',
      'sqlite::memory:',
      'sqlite://host/posthorn.db',
      'mysql://localhost/posthorn',
    ],
    POSTHORN_MIGRATE: ['yes', 'ON', '1', 'false'],
    POSTHORN_API_KEY: ['short', `${'k'.repeat(15)} ${'k'.repeat(15)}`, 'k'.repeat(257), 'schlüssel-schlüssel'],
    POSTHORN_DATABASE_CONNECTIONS: ['5', 'many', '1001'],
    POSTHORN_DATABASE_POOLER: ['session', 'yes'],
    POSTHORN_MASTER_KEY: [
      'x',
      'a'.repeat(63),
      Buffer.alloc(31).toString('base64'),
      Buffer.alloc(33).toString('base64'),
      '!'.repeat(44),
    ],
    POSTHORN_EGRESS_ALLOW: ['10.0.0.0/33', 'not a host', 'http://receiver'],
    POSTHORN_RETRY_SCHEDULE: ['5', '5s;5m', '5s,', 'soon', '31d', Array.from({ length: 51 }, () => '1s').join(',')],
    POSTHORN_RETRY_JITTER: ['-0.1', '1.1', '20%', 'a', '0,2', 'NaN', '1e-1'],
    POSTHORN_ATTEMPT_TIMEOUT: ['15', '999ms', '61s', '0s', '-5s', 'long'],
    POSTHORN_MAX_BODY: ['1048576', '1MB', '1 MiB', '0B', '1GiB', '1.5MiB', '65MiB'],
    POSTHORN_MAX_INBOUND_BODY: ['1048576', '1MB', '1 MiB', '0B', '1GiB', '1.5MiB', '65MiB'],
    POSTHORN_API_RATE: ['0', '-1', '0.5', '1000001', '10/s'],
    POSTHORN_CORS_ORIGINS: [
      'example.com',
      'https://example.com/',
      'https://example.com/x',
      'HTTPS://example.com',
      '*,*',
      'null',
    ],
    POSTHORN_ENDPOINT_IN_FLIGHT: ['0', '-1', '1.5', '1e3', '10001', ' 5'],
    POSTHORN_GLOBAL_IN_FLIGHT: ['0', 'many', '60001'],
    POSTHORN_HOT_DELIVERIES: ['0', '1000001', '0x10'],
    POSTHORN_LEASE_DURATION: ['60', '1s', '2h'],
    POSTHORN_DISABLE_AFTER: ['5', '59s', '366d', 'never'],
    POSTHORN_RETENTION: ['90', '59s', '3651d', 'ever', '-1d'],
    POSTHORN_PAYLOAD_RETENTION: ['7', '0.5d', '3651d'],
    POSTHORN_TRUSTED_PROXIES: ['-1', '21', 'all', '10.0.0.0/8'],
    POSTHORN_QUARANTINE_COUNT: ['0', '1000001', '1k'],
    POSTHORN_QUARANTINE_SIZE: ['16', '1023B', '65537MiB', '1GB'],
    POSTHORN_QUARANTINE_AGE: ['30', '59s', '3651d', 'none'],
    POSTHORN_SHUTDOWN_DRAIN: ['10', '11m'],
    POSTHORN_SHUTDOWN_GRACE: ['10', '11m'],
    POSTHORN_LOG: ['xml', 'json,pretty', 'debug,info', 'json,', 'json debug', 'JSON'],
  }
  assert.deepEqual(Object.keys(bad), [...settingVariables], 'every setting has its bad values here')
  for (const [env, values] of Object.entries(bad)) {
    for (const value of values) {
      const message = refusal({ [env]: value })
      assert.match(
        message,
        new RegExp(`^A setting cannot be used:\\n  ${env}=.*\\n    .+\\. For example: .+$`),
        `${env}=${value}`,
      )
    }
  }
})

test('every example in the table is a value that works', () => {
  for (const { env, name, example, default: standard } of describeSettings({ env: {}, flags: {} })) {
    if (name === 'apiKey' || name === 'masterKey') continue // their examples say how to make one: a printed key would be used
    assert.doesNotThrow(() => load({ [env]: example }), `${env}=${example}`)
    assert.ok(standard)
  }
})

test('all faults are told at once', () => {
  const message = refusal({ POSTHORN_LISTEN: '8071', POSTHORN_LOG: 'xml' }, { maxBody: '1MB' })
  assert.match(message, /^3 settings cannot be used:\n/)
  assert.match(message, /POSTHORN_LISTEN=8071\n.*\n.*--max-body 1MB\n.*\n.*POSTHORN_LOG=xml/)
})

test('a database of PostgreSQL may have several hosts, an escaped password and TLS', () => {
  const target = load({
    POSTHORN_DATABASE:
      'postgres://post%40horn:p%3A%40ss@a,b.internal:6432,[::1]:7/hooks?sslmode=verify-full&sslrootcert=/ca.pem',
  }).database
  assert.deepEqual(target, {
    engine: 'postgres',
    hosts: [
      { host: 'a', port: 5432 },
      { host: 'b.internal', port: 6432 },
      { host: '::1', port: 7 },
    ],
    user: 'post@horn',
    password: 'p:@ss',
    database: 'hooks',
    tls: { mode: 'verify-full', rootCertificate: '/ca.pem', certificate: null, key: null },
  })
  const socket = load({ POSTHORN_DATABASE: 'postgresql://posthorn@/hooks?host=/var/run/postgresql' }).database
  assert.deepEqual(socket.engine === 'postgres' && socket.hosts, [{ host: '/var/run/postgresql', port: 5432 }])
})

test('a database of PostgreSQL that cannot be meant is refused with what is wrong, and never with its password', () => {
  const refused = (rest: string) => refusal({ POSTHORN_DATABASE: `postgres://posthorn:hush@${rest}` })
  assert.match(refused('db'), /name one database/)
  assert.match(refused('db:99999/hooks'), /hosts of the form/)
  assert.match(refused('db/hooks?sslmode=maybe'), /sslmode of disable, require/)
  assert.match(refused('db/hooks?sslmode=verify-ca'), /sslrootcert/)
  assert.match(refused('db/hooks?sslrootcert=/ca.pem'), /no sslmode that uses them/)
  assert.match(refused('db/hooks?sslmode=require&sslrootcert=/ca.pem'), /sslmode=require does not look at/)
  assert.match(refused('db/hooks?pool=3'), /"pool"/)
  assert.match(refusal({ POSTHORN_DATABASE: 'postgres://db/hooks' }), /name a user/)
  for (const rest of ['db', 'db/hooks?sslmode=maybe', 'db/hooks?pool=3', 'd b/hooks'])
    assert.doesNotMatch(refused(rest), /hush/)
})

test('no secret is ever told, neither set nor wrong', () => {
  const good = { POSTHORN_API_KEY: 'k'.repeat(20), POSTHORN_MASTER_KEY: Buffer.alloc(32, 7).toString('base64') }
  const bad = { POSTHORN_API_KEY: 'tooshort-hush', POSTHORN_MASTER_KEY: 'wrong-hush' }
  const told =
    JSON.stringify(describeSettings({ env: good, flags: {} })) +
    JSON.stringify(describeSettings({ env: bad, flags: {} }))
  for (const secret of [...Object.values(good), ...Object.values(bad)]) {
    assert.ok(!told.includes(secret))
    assert.ok(!refusal(bad).includes(secret))
  }
  const lines = describeSettings({ env: { POSTHORN_API_KEY: good.POSTHORN_API_KEY }, flags: {} })
  assert.equal(lines.find(({ name }) => name === 'apiKey')?.value, 'set')
  assert.equal(lines.find(({ name }) => name === 'masterKey')?.value, 'not set')
})

test('what contradicts another setting is refused: a lease shorter than two tries, gates wider than the house', () => {
  assert.match(
    refusal({ POSTHORN_ATTEMPT_TIMEOUT: '30s' }),
    /POSTHORN_LEASE_DURATION=30s\n.*at least 1m, twice the attempt timeout/,
  )
  assert.equal(load({ POSTHORN_ATTEMPT_TIMEOUT: '30s', POSTHORN_LEASE_DURATION: '61s' }).attemptTimeout, 30_000)
  assert.match(
    refusal({ POSTHORN_ENDPOINT_IN_FLIGHT: '65', POSTHORN_GLOBAL_IN_FLIGHT: '64' }),
    /ENDPOINT_IN_FLIGHT=65\n.*at most 64/,
  )
  assert.match(refusal({ POSTHORN_HOT_DELIVERIES: '1023' }), /HOT_DELIVERIES=1023\n.*at least 1024/)
})

test('addresses are read as hosts and ports, and the public URL follows the address unless it is given', () => {
  const read = (listen: string) => {
    const { listen: address, publicUrl } = load({ POSTHORN_LISTEN: listen })
    return [address.host, address.port, publicUrl]
  }
  assert.deepEqual(read('127.0.0.1:0'), ['127.0.0.1', 0, 'http://127.0.0.1:0'])
  assert.deepEqual(read('[::1]:8071'), ['::1', 8071, 'http://[::1]:8071'])
  assert.deepEqual(read('gateway.internal:80'), ['gateway.internal', 80, 'http://gateway.internal:80'])
  assert.deepEqual(read('0.0.0.0:8071'), ['0.0.0.0', 8071, 'http://localhost:8071'])
  assert.deepEqual(read('[::]:8071'), ['::', 8071, 'http://localhost:8071'])
  assert.equal(load({ POSTHORN_PUBLIC_URL: 'https://example.com/hooks/' }).publicUrl, 'https://example.com/hooks')
})

test('a database path may be relative, absolute, or written as a URL', () => {
  const path = (text: string) => {
    const { database } = load({ POSTHORN_DATABASE: text })
    return database.engine === 'sqlite' && database.path
  }
  assert.equal(path('sqlite:data/posthorn.db'), 'data/posthorn.db')
  assert.equal(path('sqlite:/var/lib/posthorn.db'), '/var/lib/posthorn.db')
  assert.equal(path('sqlite:///var/lib/posthorn.db'), '/var/lib/posthorn.db')
})

test('a master key is the same 32 bytes in hex, base64 and base64url', () => {
  const bytes = Buffer.from('fb'.repeat(32), 'hex')
  for (const spelling of ['hex', 'base64', 'base64url'] as const) {
    assert.deepEqual(load({ POSTHORN_MASTER_KEY: bytes.toString(spelling) }).masterKey, bytes, spelling)
  }
})

test('a schedule may be changed or be none at all', () => {
  assert.deepEqual(load({ POSTHORN_RETRY_SCHEDULE: '500ms, 1m30s' }).retrySchedule, [500, 90_000])
  assert.deepEqual(load({ POSTHORN_RETRY_SCHEDULE: 'none' }).retrySchedule, [])
})

test('the log takes a format, a level, or both in any order', () => {
  const log = (text: string) => {
    const { logFormat, logLevel } = load({ POSTHORN_LOG: text })
    return [logFormat, logLevel]
  }
  assert.deepEqual(log('pretty'), ['pretty', 'info'])
  assert.deepEqual(log('debug'), ['json', 'debug'])
  assert.deepEqual(log('json,silent'), ['json', 'silent'])
  assert.deepEqual(log('warn, pretty'), ['pretty', 'warn'])
})

test('each line of the description says value, default, source and what is wrong', () => {
  const env = { POSTHORN_LISTEN: '0.0.0.0:80', POSTHORN_LOG: 'xml' }
  const lines = describeSettings({ env, flags: { maxBody: '2MiB' }, defaults: { database: 'sqlite:./dev.db' } })
  const line = (wanted: string) => lines.find(({ name }) => name === wanted)
  assert.deepEqual(
    [line('listen')?.value, line('listen')?.source, line('listen')?.default],
    ['0.0.0.0:80', 'environment', '127.0.0.1:8071'],
  )
  assert.deepEqual([line('maxBody')?.value, line('maxBody')?.source], ['2MiB', 'flag'])
  assert.deepEqual([line('database')?.value, line('database')?.source], ['sqlite:./dev.db', 'default'])
  assert.match(line('log')?.fault ?? '', /format/)
  assert.equal(line('listen')?.fault, null)
})

test('flags are known by their spelling on the command line', () => {
  assert.deepEqual(settingFlags({ 'max-body': '2MiB', json: true, unknown: 'x' }), { maxBody: '2MiB' })
})

test('a variable that looks like a setting and is none is named, not obeyed', () => {
  assert.deepEqual(unknownVariables({ POSTHORN_MAXBODY: '1MiB', POSTHORN_LOG: 'json', PATH: '/bin' }), [
    'POSTHORN_MAXBODY',
  ])
})
