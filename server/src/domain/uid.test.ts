import assert from 'node:assert/strict'
import { test } from 'node:test'
import { metadataFault } from './metadata.ts'
import { uidFault } from './uid.ts'

test('a name that looks like an id of ours is refused, whatever kind it looks like', () => {
  for (const prefix of ['app_', 'ep_', 'msg_', 'atmpt_', 'env_', 'key_', 'ptok_', 'qtask_', 'lease_', 'batch_']) {
    assert.match(uidFault(prefix + '0'.repeat(27), '/uid')?.message ?? '', /must not look like/)
    assert.equal(uidFault(prefix + '0'.repeat(26), '/uid'), null)
  }
})

test('a name is 1 to 256 plain characters', () => {
  for (const uid of ['a', 'A-1_b.c', '...', 'x'.repeat(256)]) assert.equal(uidFault(uid, '/uid'), null)
  // "." and ".." are no names in a URL: deleting the endpoint ".." would delete its application.
  for (const uid of ['', 'x'.repeat(257), 'a b', 'a/b', 'ä', 'a\n', 'a\0', '.', '..'])
    assert.deepEqual(uidFault(uid, '/uid')?.pointer, '/uid')
})

test('metadata is measured in bytes, not characters', () => {
  assert.equal(metadataFault({ a: 'x'.repeat(4000) }, '/metadata'), null)
  assert.match(metadataFault({ a: 'ä'.repeat(2100) }, '/metadata')?.message ?? '', /4096 bytes/)
})
