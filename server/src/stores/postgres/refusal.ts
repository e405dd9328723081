import type { PostgresTls } from '../../domain/database-target.ts'
import { sqlState } from './lost.ts'

// The server's certificate was signed by nobody we know (nodejs.org/api/tls.html, "X509 certificate error codes").
const unknownAuthority = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
])
const noTlsThere = 'The server does not support SSL connections'
const notLetIn = '28000'

/** Why a connection could not be made, and what to do where that is a matter of TLS or of a pooler. Never holds a password. */
export function refusalOf(error: unknown, tls: PostgresTls): string {
  const state = sqlState(error)
  const said = (error instanceof Error ? error.message : '') || state || 'it does not say why'
  const remedy = remedyOf(state ?? '', said, tls)
  return remedy === null ? said : `${said.replace(/\.$/, '')}. ${remedy}`
}

function remedyOf(code: string, said: string, tls: PostgresTls): string | null {
  if (/^unsupported startup parameter/.test(said))
    return 'That is a pooler, as PgBouncer: say POSTHORN_DATABASE_POOLER=transaction.'
  if (said === noTlsThere) return 'Set ssl = on there, or say sslmode=disable. Sockets of files have no TLS.'
  if (unknownAuthority.has(code))
    return tls.rootCertificate === null
      ? 'No authority known here has signed its certificate: name the file of the one that has with sslrootcert.'
      : `${tls.rootCertificate} (sslrootcert) is not the authority that has signed its certificate.`
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID')
    return 'Name the host as its certificate does; or say sslmode=verify-ca, where its authority signs for nobody else.'
  if (code === 'CERT_HAS_EXPIRED' || code === 'CERT_NOT_YET_VALID')
    return 'Renew the certificate of the server, or mend the clock of this machine.'
  if (/^ERR_OSSL_/.test(code))
    return 'sslcert and sslkey must be a certificate and its own key without a passphrase, both in PEM.'
  if (/^ERR_SSL_.*_ALERT_/.test(code)) return 'The server does not take the certificate of sslcert.'
  if (code !== notLetIn) return null
  if (tls.mode === 'disable')
    return 'Where pg_hba.conf lets in only what is encrypted (hostssl), say sslmode=verify-full, with sslrootcert.'
  return tls.certificate === null
    ? 'Where pg_hba.conf asks for a certificate, name it with sslcert, and its key with sslkey.'
    : 'Where pg_hba.conf asks for a certificate, the name in that of sslcert must be that of the user.'
}
