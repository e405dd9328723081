import assert from 'node:assert/strict'
import { chmodSync, chownSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import pg from 'pg'
import { readDatabaseTarget } from '../../src/domain/database-target.ts'
import { postgresSchema } from '../../src/stores/postgres/schema.ts'
import { certify } from '../support/certificates.ts'
import { bareDatabase, withoutPostgres } from '../support/postgres.ts'
import { findPostgres, type PostgresServer, serverUser, startPostgresServer } from '../support/postgres-server.ts'
import { posthorn } from '../support/posthorn-command.ts'
import { startProcess } from '../support/process.ts'
import { startReceiver } from '../support/receiver.ts'

const authority = certify({ name: 'Authority', authority: true })
const stranger = certify({ name: 'Stranger', authority: true })
const shown = certify({ name: 'localhost', hosts: ['localhost'], by: authority })
const certified = certify({ name: 'certified', by: authority })
const another = certify({ name: 'another', by: authority })
const strangers = certify({ name: 'certified', by: stranger })
const expired = certify({
  ...{ name: 'localhost', hosts: ['localhost'], by: authority },
  ...{ key: shown.privateKey, until: new Date('2021-01-01') },
})
const masterKey = Buffer.alloc(32, 7).toString('base64')

// Who comes with a password and who with a certificate; neither gets in unless encrypted.
const letsIn = `
local   all all                    trust
hostssl all posthorn  127.0.0.1/32 scram-sha-256
hostssl all certified 127.0.0.1/32 cert
host    all postgres  127.0.0.1/32 trust
`

describe('PostgreSQL over TLS', { skip: withoutPostgres }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'posthorn-tls-'))
  const file = (name: string): string => join(folder, name)
  const ca = `sslrootcert=${file('ca.pem')}`
  const withCertificate = `sslcert=${file('client.pem')}&sslkey=${file('client.key')}`
  let server: PostgresServer

  const administer = async (...statements: readonly string[]): Promise<pg.QueryResult[]> => {
    const client = new pg.Client({ connectionString: server.url })
    await client.connect()
    try {
      const results: pg.QueryResult[] = []
      for (const statement of statements) results.push(await client.query(statement))
      return results
    } finally {
      await client.end()
    }
  }

  before(async () => {
    const found = findPostgres()
    assert.ok('bin' in found)
    const files = {
      ...{ 'ca.pem': authority.pem, 'stranger.pem': stranger.pem, 'no.pem': 'no certificate' },
      ...{ 'server.pem': shown.pem, 'server.key': shown.keyPem, 'hba.conf': letsIn },
      ...{ 'client.pem': certified.pem, 'client.key': certified.keyPem },
      ...{ 'another.pem': another.pem, 'another.key': another.keyPem },
      ...{ 'strangers.pem': strangers.pem, 'strangers.key': strangers.keyPem },
    }
    for (const [name, text] of Object.entries(files)) writeFileSync(file(name), text)
    chmodSync(folder, 0o755)
    const owner = serverUser()
    // The server reads its key only if nobody else can.
    chmodSync(file('server.key'), 0o600)
    if (owner !== null) chownSync(file('server.key'), owner.uid, owner.gid)
    server = await startPostgresServer(found.bin, {
      settings: {
        ...{ ssl: 'on', ssl_ca_file: file('ca.pem'), hba_file: file('hba.conf') },
        ...{ ssl_cert_file: file('server.pem'), ssl_key_file: file('server.key') },
      },
    })
    await administer(
      `create role posthorn login password 'p:@ss'`,
      'create role certified login',
      'create database posthorn owner posthorn',
      'create database certified owner certified',
    )
  })
  after(async () => {
    await server.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  const passwordUrl = (host: string, query: string): string =>
    `postgres://posthorn:p%3A%40ss@${host}:${server.port}/posthorn?${query}`
  const certificateUrl = (query: string): string =>
    `postgres://certified@localhost:${server.port}/certified?sslmode=verify-full&${ca}&${query}`

  /** Connects as a start does. Rejects with what `posthorn serve` would say. */
  const connect = async (url: string): Promise<void> => {
    const target = readDatabaseTarget(url)
    assert.ok(target.engine === 'postgres')
    const schema = postgresSchema(target, false)
    try {
      await schema.applied()
    } finally {
      await schema.close()
    }
  }
  const refused = (url: string, why: RegExp, remedy: RegExp): Promise<void> =>
    assert.rejects(connect(url), ({ message }: Error) => {
      assert.match(message, why)
      assert.match(message, remedy)
      assert.doesNotMatch(message, /p:@ss|p%3A%40ss/)
      return true
    })

  test('a gateway that shows a certificate delivers over nothing but encrypted connections', async (t) => {
    const receiver = await startReceiver()
    t.after(() => receiver.close())
    const key = 'key-of-the-tls-test'
    const node = await startProcess({
      POSTHORN_DATABASE: certificateUrl(withCertificate),
      POSTHORN_MASTER_KEY: masterKey,
      POSTHORN_API_KEY: key,
      POSTHORN_EGRESS_ALLOW: '127.0.0.0/8',
    })
    t.after(() => node.kill())
    const post = async (path: string, body: object): Promise<void> => {
      const answer = await fetch(`${node.url}/api/v1/app${path}`, {
        method: 'POST',
        headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
        body: JSON.stringify(body),
      })
      assert.ok(answer.ok, await answer.text())
    }
    await post('', { name: 'Shop', uid: 'shop' })
    await post('/shop/endpoint', { url: receiver.url })
    await post('/shop/msg', { eventType: 'invoice.paid', payload: {} })
    await receiver.until(1)
    const [connections] = await administer(
      `select ssl, count(*) as connections from pg_stat_ssl join pg_stat_activity using (pid) where usename = 'certified' group by 1`,
    )
    assert.deepEqual(
      connections?.rows.map(({ ssl }) => ssl),
      [true],
    )
    assert.equal(await node.terminate(), 0)
  })

  test('sslmode says how much of the certificate must be right', async () => {
    await connect(passwordUrl('localhost', `sslmode=verify-full&${ca}`))
    await connect(passwordUrl('127.0.0.1', `sslmode=verify-ca&${ca}`))
    await connect(passwordUrl('127.0.0.1', 'sslmode=require'))
  })

  test('a gateway that cannot believe the server does not start, and says what to do', async () => {
    const { code, stderr } = await posthorn(['serve'], {
      env: {
        PATH: process.env.PATH ?? '',
        POSTHORN_DATABASE: passwordUrl('127.0.0.1', `sslmode=verify-full&${ca}`),
        POSTHORN_MASTER_KEY: masterKey,
        POSTHORN_LISTEN: '127.0.0.1:0',
      },
    })
    assert.equal(code, 1)
    assert.match(stderr, /^posthorn: cannot start: .*does not match.*Name the host as its certificate does/m)
  })

  test('a server whose authority is unknown, or another, is refused', async () => {
    await refused(
      passwordUrl('localhost', 'sslmode=verify-full'),
      /certificate/,
      /No authority known here.*sslrootcert/,
    )
    for (const mode of ['verify-full', 'verify-ca'])
      await refused(
        passwordUrl('localhost', `sslmode=${mode}&sslrootcert=${file('stranger.pem')}`),
        /certificate/,
        /stranger\.pem \(sslrootcert\) is not the authority/,
      )
  })

  test('a server that lets in only what is encrypted refuses a node that is not, which is told how to be', () =>
    refused(passwordUrl('localhost', ''), /no encryption/, /say sslmode=verify-full/))

  test('a server that asks for a certificate refuses who has none, one of another name, or one of a stranger', async () => {
    await refused(certificateUrl(''), /valid client certificate/, /name it with sslcert/)
    const other = `sslcert=${file('another.pem')}&sslkey=${file('another.key')}`
    await refused(certificateUrl(other), /certificate authentication failed/, /must be that of the user/)
    const unknown = `sslcert=${file('strangers.pem')}&sslkey=${file('strangers.key')}`
    await refused(certificateUrl(unknown), /unknown ca/, /does not take the certificate of sslcert/)
  })

  test('files that are not there, hold something else or do not belong together are told by their names', async () => {
    const root = (name: string): string => passwordUrl('localhost', `sslmode=verify-full&sslrootcert=${file(name)}`)
    await refused(root('missing.pem'), /ENOENT.*missing\.pem/, /file of sslrootcert cannot be read/)
    await refused(root('no.pem'), /no\.pem/, /file of sslrootcert, is not in PEM/)
    const mixed = `sslcert=${file('client.pem')}&sslkey=${file('another.key')}`
    await refused(certificateUrl(mixed), /mismatch/, /a certificate and its own key/)
  })

  test('a server whose certificate has expired is refused', async () => {
    writeFileSync(file('server.pem'), expired.pem)
    await administer('select pg_reload_conf()')
    // The server tells nobody when it has read it.
    const url = passwordUrl('localhost', `sslmode=verify-full&${ca}`)
    const deadline = performance.now() + 10_000
    while (
      performance.now() < deadline &&
      (await connect(url).then(
        () => true,
        () => false,
      ))
    )
      await pause(5)
    await refused(url, /expired/, /Renew the certificate/)
  })

  test('a server without TLS is refused by who asks for it', async () => {
    const plain = await bareDatabase()
    try {
      await refused(`${plain.url}?sslmode=require`, /does not support SSL/, /ssl = on/)
    } finally {
      await plain.drop()
    }
  })
})
