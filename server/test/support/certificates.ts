import { createPublicKey, generateKeyPairSync, type KeyObject, randomBytes, sign, X509Certificate } from 'node:crypto'
import type { TestContext } from 'node:test'
import tls from 'node:tls'

/** A certificate, its private key, and both as PEM. */
export interface Certified {
  readonly name: string
  readonly pem: string
  readonly certificate: X509Certificate
  readonly privateKey: KeyObject
  readonly keyPem: string
}

export interface Certify {
  /** The common name. */
  readonly name: string
  /** A second one. */
  readonly secondName?: string
  /** DNS names, for servers. */
  readonly hosts?: readonly string[]
  /** Whether it may issue others. */
  readonly authority?: boolean
  /** Who issues it; without: itself. */
  readonly by?: Certified
  readonly from?: Date
  readonly until?: Date
  readonly type?: 'rsa' | 'ec'
  /** Its private key, where that is there already; RSA keys take long to make. */
  readonly key?: KeyObject
}

/** Makes a key pair and a certificate of it (RFC 5280): just as much as TLS and chains need, so that tests can choose names and dates. */
export function certify(wish: Certify): Certified {
  const privateKey = wish.key ?? newKey(wish.type)
  const publicKey = createPublicKey(privateKey)
  const issuer = wish.by ?? { name: wish.name, privateKey }
  const rsa = issuer.privateKey.asymmetricKeyType === 'rsa'
  const algorithm = rsa ? sequence(oid('2a864886f70d01010b'), tlv(0x05)) : sequence(oid('2a8648ce3d040302'))
  const extensions = [
    sequence(
      oid('551d13'),
      tlv(0x01, bytes(0xff)),
      octets(sequence(...(wish.authority ? [tlv(0x01, bytes(0xff))] : []))),
    ),
  ]
  if (wish.hosts !== undefined) {
    extensions.push(
      sequence(oid('551d11'), octets(sequence(...wish.hosts.map((host) => tlv(0x82, Buffer.from(host)))))),
    )
  }
  const toSign = sequence(
    tlv(0xa0, tlv(0x02, bytes(2))),
    tlv(0x02, Buffer.concat([bytes(1), randomBytes(15)])),
    algorithm,
    nameOf(issuer.name),
    sequence(time(wish.from ?? new Date('2020-01-01')), time(wish.until ?? new Date('2120-01-01'))),
    nameOf(wish.name, ...(wish.secondName === undefined ? [] : [wish.secondName])),
    publicKey.export({ type: 'spki', format: 'der' }),
    tlv(0xa3, sequence(...extensions)),
  )
  const signature = sign('sha256', toSign, issuer.privateKey)
  const der = sequence(toSign, algorithm, tlv(0x03, Buffer.concat([bytes(0), signature])))
  const certificate = new X509Certificate(der)
  const keyPem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  return { name: wish.name, pem: certificate.toString(), certificate, privateKey, keyPem }
}

/** Adds these to the authorities that the machine trusts, until the test is over. */
export function trust(t: TestContext, ...authorities: readonly { readonly pem: string }[]): void {
  const added = new Set(authorities.map(({ pem }) => pem.trim()))
  tls.setDefaultCACertificates([...tls.getCACertificates('default'), ...added])
  t.after(() => tls.setDefaultCACertificates(tls.getCACertificates('default').filter((pem) => !added.has(pem.trim()))))
}

const newKey = (type: Certify['type']): KeyObject =>
  type === 'rsa'
    ? generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
    : generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey

// DER (X.690): tag, length, content.
function tlv(tag: number, ...content: readonly Uint8Array[]): Buffer {
  const inner = Buffer.concat(content)
  const size = inner.length.toString(16)
  const long = Buffer.from(size.length % 2 === 0 ? size : `0${size}`, 'hex')
  return Buffer.concat([
    bytes(tag),
    inner.length < 128 ? bytes(inner.length) : Buffer.concat([bytes(0x80 | long.length), long]),
    inner,
  ])
}

const bytes = (...values: readonly number[]): Buffer => Buffer.from(values)
const sequence = (...content: readonly Uint8Array[]): Buffer => tlv(0x30, ...content)
const octets = (content: Uint8Array): Buffer => tlv(0x04, content)
const oid = (hex: string): Buffer => tlv(0x06, Buffer.from(hex, 'hex'))
const nameOf = (...names: readonly string[]): Buffer =>
  sequence(...names.map((name) => tlv(0x31, sequence(oid('550403'), tlv(0x0c, Buffer.from(name))))))
// GeneralizedTime throughout, also before 2050, where RFC 5280 asks for the shorter form: every reader takes it.
const time = (at: Date): Buffer => tlv(0x18, Buffer.from(`${at.toISOString().replace(/[-:T]|\.\d+/g, '')}`))
