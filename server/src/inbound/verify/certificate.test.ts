import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type Certified, certify } from '../../../test/support/certificates.ts'
import { readCertificates, signerKey, type Trusted } from './certificate.ts'

const names = ['messageverificationcerts.paypal.com', 'messageverificationcerts.sandbox.paypal.com']
const name = names[0] ?? ''
const at = Date.UTC(2026, 0, 1)
const past = new Date('2025-06-01')
const future = new Date('2026-06-01')

const root = certify({ name: 'Root', authority: true })
const between = certify({ name: 'Between', authority: true, by: root })
const signer = certify({ name, by: between })

const trusting =
  (trusted: readonly Certified[]): Trusted =>
  (issuer) =>
    trusted.map(({ certificate }) => certificate).filter(({ subject }) => subject === issuer)

/** What comes of a file with these certificates, where `root` is all that the machine trusts. */
function judged(file: readonly Certified[], trusted: readonly Certified[] = [root]): string {
  const certificates = readCertificates(file.map(({ pem }) => pem).join(''))
  assert.ok(certificates)
  const signed = signerKey(certificates, at, names, trusting(trusted))
  return signed.ok ? 'trusted' : signed.detail
}

describe('a certificate that must be issued to a name', () => {
  test('is believed when every step to a trusted authority is right, in whatever order the file has them', () => {
    const file = readCertificates(`${signer.pem}${between.pem}`)
    assert.ok(file)
    const signed = signerKey(file, at, names, trusting([root]))
    assert.ok(signed.ok && signed.key.equals(signer.certificate.publicKey))
    const lower = certify({ name: 'Lower', authority: true, by: between })
    const low = certify({ name: 'MessageVerificationCerts.Sandbox.PayPal.com', by: lower })
    const stranger = certify({ name: 'Stranger', authority: true })
    assert.equal(judged([low, stranger, between, root, lower]), 'trusted')
    assert.equal(judged([certify({ name, by: root })]), 'trusted')
    assert.equal(judged([signer], [root, between]), 'trusted')
  })

  const untrusted = 'the certificate cannot be trusted: no authority that this machine trusts has issued it'
  test('is not, when it is its own authority or comes from one that nobody trusts', () => {
    assert.equal(judged([certify({ name })]), untrusted)
    assert.equal(judged([certify({ name, authority: true })]), untrusted)
    const other = certify({ name: 'Other', authority: true })
    assert.equal(judged([certify({ name, by: other }), other]), untrusted)
    assert.equal(judged([signer]), untrusted)
    assert.equal(judged([signer, between], []), untrusted)
  })

  test('is not, when an authority has only the name of a trusted one', () => {
    const namesake = certify({ name: 'Root', authority: true })
    assert.equal(judged([certify({ name, by: namesake }), namesake]), untrusted)
    const false2 = certify({ name: 'Between', authority: true })
    assert.equal(judged([certify({ name, by: false2 }), between]), untrusted)
  })

  test('is not, when whoever issued it is no authority', () => {
    const customer = certify({ name: 'evil.example', by: between })
    assert.equal(judged([certify({ name, by: customer }), customer, between]), untrusted)
  })

  test('is not, when any certificate on the way was not valid when the request came', () => {
    const text = (subject: string) =>
      new RegExp(
        `^(?:the certificate cannot be trusted: )?the certificate of "${subject}" (?:was valid until|is valid only from) `,
      )
    const expired = certify({ name: 'Between', authority: true, by: root, until: past })
    assert.match(judged([certify({ name, by: expired }), expired]), text('between'))
    assert.match(judged([certify({ name, by: between, until: past }), between]), text(name))
    assert.match(judged([certify({ name, by: between, from: future }), between]), text(name))
    const oldRoot = certify({ name: 'Old root', authority: true, until: past })
    assert.match(judged([certify({ name, by: oldRoot })], [oldRoot]), /^the certificate cannot be trusted: .*old root/)
  })

  test('is not, when it is issued to somebody else', () => {
    for (const other of ['evil.example', `${name}.evil.example`, `evil-${name}`, 'paypal.com', `${name}\nCN=${name}`]) {
      assert.match(judged([certify({ name: other, by: between }), between]), /^the certificate is issued to /, other)
    }
    for (const [first, secondName] of [
      [name, 'evil.example'],
      ['evil.example', name],
    ] as const) {
      const two = certify({ name: first, secondName, by: between })
      assert.match(judged([two, between]), /^the certificate is issued to "", not to /)
    }
  })
})

test('a certificate that is believed for where it came from needs nobody else, but its dates count', () => {
  const own = certify({ name: 'sns.amazonaws.com', until: future })
  assert.ok(signerKey([own.certificate], at).ok)
  assert.ok(signerKey([own.certificate], own.certificate.validToDate.getTime()).ok)
  const late = signerKey([own.certificate], own.certificate.validToDate.getTime() + 1)
  assert.ok(!late.ok && /^the certificate of "sns\.amazonaws\.com" was valid until Jun {2}1 /.test(late.detail))
  assert.ok(!signerKey([], at).ok)
})

test('a file is read with whatever stands around its certificates; what is none, or too many, is refused', () => {
  assert.equal(
    readCertificates(`subject=a\r\n${signer.pem}\nissuer=b\n${between.pem}`.replaceAll('\n', '\r\n'))?.length,
    2,
  )
  const broken = signer.pem.replace(/\nMII./, '\nAAAA')
  for (const text of ['', 'x', '<html>', signer.keyPem, broken, `${signer.pem}${broken}`, signer.pem.repeat(7)]) {
    assert.equal(readCertificates(text), null, text.slice(0, 40))
  }
})
