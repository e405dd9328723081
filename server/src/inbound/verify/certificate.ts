import { type KeyObject, X509Certificate } from 'node:crypto'
import { getCACertificates } from 'node:tls'
import type { Millis } from '../../domain/ids.ts'
import { hostMatches } from '../../domain/outside-url.ts'

export type SignerKey = { readonly ok: true; readonly key: KeyObject } | { readonly ok: false; readonly detail: string }

// The signer's, two or three authorities in between, and one that was sent along although it need not be.
const mostCertificates = 6

/** Reads the certificates of a PEM file in their order. Null: there is none, too many, or one that cannot be read. */
export function readCertificates(pem: string): readonly X509Certificate[] | null {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? []
  if (blocks.length === 0 || blocks.length > mostCertificates) return null
  try {
    return blocks.map((block) => new X509Certificate(block))
  } catch {
    return null
  }
}

/** The authorities that are trusted, by what a certificate calls its issuer. */
export type Trusted = (issuer: string) => readonly X509Certificate[]

/**
 * The key of whoever a certificate belongs to, if it was valid at that time. With `issuedTo` (see `KeySource`) the name in
 * it must be one of these, and every certificate from it to an authority that the machine trusts must be right; the file
 * has to bring those in between.
 */
export function signerKey(
  certificates: readonly X509Certificate[],
  at: Millis,
  issuedTo?: readonly string[],
  trusted: Trusted = trustedByMachine,
): SignerKey {
  const [signer, ...between] = certificates
  if (signer === undefined) return no('there is no certificate')
  const fault = datesFault(signer, at)
  if (fault !== null) return no(fault)
  if (issuedTo !== undefined) {
    const name = commonName(signer)
    if (!issuedTo.some((one) => hostMatches(one, name))) {
      return no(`the certificate is issued to "${name}", not to ${issuedTo.join(' or ')}`)
    }
    const chainFault = faultOfChain(signer, between, at, trusted)
    if (chainFault !== null) return no(`the certificate cannot be trusted: ${chainFault}`)
  }
  return { ok: true, key: signer.publicKey }
}

function faultOfChain(
  signer: X509Certificate,
  between: readonly X509Certificate[],
  at: Millis,
  trusted: Trusted,
): string | null {
  let current = signer
  let fault = 'no authority that this machine trusts has issued it'
  // Each step takes one certificate of the file at most, so it ends.
  for (let left = between; ; ) {
    const issuer = (one: X509Certificate): boolean => issued(one, current)
    for (const root of trusted(current.issuer).filter(issuer)) {
      const rootFault = datesFault(root, at)
      if (rootFault === null) return null
      fault = rootFault
    }
    const next = left.find(issuer)
    if (next === undefined) return fault
    const nextFault = datesFault(next, at)
    if (nextFault !== null) return nextFault
    left = left.filter((one) => one !== next)
    current = next
  }
}

const issued = (authority: X509Certificate, one: X509Certificate): boolean =>
  authority.ca && one.checkIssued(authority) && one.verify(authority.publicKey)

function datesFault(certificate: X509Certificate, at: Millis): string | null {
  const name = `the certificate of "${commonName(certificate)}"`
  if (at < certificate.validFromDate.getTime()) return `${name} is valid only from ${certificate.validFrom}`
  if (at > certificate.validToDate.getTime()) return `${name} was valid until ${certificate.validTo}`
  return null
}

// One line of `subject` for each attribute. Two common names are nobody's.
function commonName(certificate: X509Certificate): string {
  const names = certificate.subject.split('\n').filter((line) => line.startsWith('CN='))
  return names.length === 1 ? (names[0] ?? '').slice(3).toLowerCase() : ''
}

let known: { readonly from: readonly string[]; readonly bySubject: Map<string, readonly X509Certificate[]> } | null =
  null

// Those that TLS itself trusts, with NODE_EXTRA_CA_CERTS. Read when first needed: some 150, in about 30 ms.
const trustedByMachine: Trusted = (issuer) => {
  const from = getCACertificates('default')
  if (known?.from !== from) {
    const all = from.map((pem) => new X509Certificate(pem))
    known = { from, bySubject: Map.groupBy(all, ({ subject }) => subject) }
  }
  return known.bySubject.get(issuer) ?? []
}

const no = (detail: string): SignerKey => ({ ok: false, detail })
