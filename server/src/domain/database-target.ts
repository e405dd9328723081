/** Which database a Posthorn works on, as its operator names it. */
export type DatabaseTarget = SqliteTarget | PostgresTarget

interface SqliteTarget {
  readonly engine: 'sqlite'
  readonly path: string
}

export interface PostgresTarget {
  readonly engine: 'postgres'
  /** Where the primary may be, in order of preference; a host that begins with `/` is the folder of a socket. */
  readonly hosts: readonly { readonly host: string; readonly port: number }[]
  readonly user: string
  /** Null: the server asks for none, or takes a client certificate. */
  readonly password: string | null
  readonly database: string
  readonly tls: PostgresTls
}

/** As libpq's `sslmode`; paths of PEM files (postgresql.org/docs/current/libpq-ssl.html). */
export interface PostgresTls {
  /** `require` encrypts and asks nobody who is there; `verify-full` also wants the host's name in a trusted certificate. */
  readonly mode: 'disable' | 'require' | 'verify-ca' | 'verify-full'
  readonly rootCertificate: string | null
  readonly certificate: string | null
  readonly key: string | null
}

const usualPort = 5432
const tlsModes = ['disable', 'require', 'verify-ca', 'verify-full'] as const
const known = new Set(['host', 'sslmode', 'sslrootcert', 'sslcert', 'sslkey'])

/**
 * Reads `sqlite:<path>` or `postgres://user:password@host:port,host:port/database?sslmode=…`. Throws Error whose message
 * completes "NAME …" and never holds the password.
 */
export function readDatabaseTarget(text: string): DatabaseTarget {
  if (/^postgres(ql)?:/i.test(text)) return readPostgres(text)
  const path = text.startsWith('sqlite:') ? text.slice('sqlite:'.length).replace(/^\/\/(?=\/)/, '') : ''
  if (path === ':memory:')
    throw new Error('names a database in memory, which would forget what it has promised to deliver')
  if (path === '' || path.startsWith('//'))
    throw new Error('must be sqlite: and the path of a file, or postgres://user:password@host/database')
  return { engine: 'sqlite', path }
}

function readPostgres(text: string): PostgresTarget {
  // A list of hosts is no URL, so it is taken out before the rest is read as one.
  const [, scheme = '', credentials = '', hostList = '', rest = ''] =
    /^([a-z]+:)\/\/(?:([^@/?]*)@)?([^/?]*)(.*)$/i.exec(text) ?? []
  const url = URL.parse(`${scheme}//${credentials === '' ? '' : `${credentials}@`}placeholder${rest}`)
  if (scheme === '' || url === null) throw new Error('must have the form postgres://user:password@host:port/database')
  const strange = [...url.searchParams.keys()].find((name) => !known.has(name))
  if (strange !== undefined)
    throw new Error(`has the parameter ${JSON.stringify(strange)}; known are ${[...known].join(', ')}`)
  const database = decoded(url.pathname.slice(1))
  if (database === '' || database.includes('/')) throw new Error('must name one database after the host')
  const user = decoded(url.username)
  if (user === '') throw new Error('must name a user before the host')
  const hosts = (url.searchParams.get('host') ?? hostList).split(',').map(readHost)
  return {
    ...{ engine: 'postgres', hosts, user, database },
    password: url.password === '' ? null : decoded(url.password),
    tls: readTls(url.searchParams),
  }
}

function readHost(text: string): { readonly host: string; readonly port: number } {
  if (text.startsWith('/')) return { host: text, port: usualPort }
  const [, v6, name, digits = String(usualPort)] =
    /^(?:\[([0-9a-f:.]+)\]|([^:[\]\s]+))(?::(\d{1,5}))?$/i.exec(text) ?? []
  const host = v6 ?? name
  if (host === undefined || Number(digits) > 65_535) throw new Error('must have hosts of the form host:port, host:port')
  return { host: decoded(host), port: Number(digits) }
}

function readTls(parameters: URLSearchParams): PostgresTls {
  const said = parameters.get('sslmode') ?? 'disable'
  const mode = tlsModes.find((mode) => mode === said)
  if (mode === undefined) throw new Error(`must have an sslmode of ${tlsModes.join(', ')}`)
  const files = {
    rootCertificate: parameters.get('sslrootcert'),
    certificate: parameters.get('sslcert'),
    key: parameters.get('sslkey'),
  }
  if (mode === 'disable' && Object.values(files).some((file) => file !== null))
    throw new Error('names certificates, but no sslmode that uses them: verify-full does')
  if (mode === 'verify-ca' && files.rootCertificate === null)
    throw new Error('must name the certificate of its authority with sslrootcert for sslmode=verify-ca')
  if (mode === 'require' && files.rootCertificate !== null)
    throw new Error('has an sslrootcert, which sslmode=require does not look at: verify-full does, and verify-ca')
  if ((files.certificate === null) !== (files.key === null))
    throw new Error('must have both sslcert and sslkey, or neither')
  return { mode, ...files }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw new Error('must have % in a name or password written as %25')
  }
}

/** For logs and messages: everything but the password. */
export const shownTarget = (target: DatabaseTarget): string =>
  target.engine === 'sqlite'
    ? target.path
    : `postgres://${target.user}@${target.hosts.map(({ host, port }) => `${host}:${port}`).join(',')}/${target.database}`
