import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sealHeaders, sealSecrets } from '../domain/endpoint-seal.ts'
import type { EndpointId } from '../domain/ids.ts'
import { samples } from '../stores/conformance/samples.ts'
import { Opened } from './opened.ts'

const masterKey = new Uint8Array(32).fill(3)

function sealed(id: EndpointId, secret: number, headers: Readonly<Record<string, string>> = {}) {
  const secrets = { current: `whsec_${Buffer.alloc(32, secret).toString('base64')}`, former: [] }
  return {
    id,
    sealedSecrets: sealSecrets(masterKey, id, secrets, new Uint8Array(12).fill(secret)),
    sealedHeaders: sealHeaders(masterKey, id, headers, new Uint8Array(12).fill(1)),
  }
}

test('an endpoint that is read again is not opened again, unless what is sealed in its row is another', () => {
  const opened = new Opened(masterKey)
  const id = samples().id('endpoint')
  const first = opened.of(sealed(id, 1))
  assert.equal(opened.of(sealed(id, 1)), first)

  const rotated = opened.of(sealed(id, 2))
  assert.notDeepEqual(rotated.signerAt(0).sign('msg_1', 1, '{}'), first.signerAt(0).sign('msg_1', 1, '{}'))
  assert.deepEqual(opened.of(sealed(id, 2, { 'x-one': 'two' })).extraHeaders, ['x-one', 'two'])
})

test('what was sealed for one endpoint does not open another, also when the first is open already', () => {
  const opened = new Opened(masterKey)
  const make = samples()
  const [one, other] = [make.id('endpoint'), make.id('endpoint')]
  const row = sealed(one, 1)
  opened.of(row)
  assert.throws(() => opened.of({ ...row, id: other }))
  assert.throws(() => new Opened(new Uint8Array(32)).of(row))
})
