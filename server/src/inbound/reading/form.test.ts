import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formFields } from './form.ts'

const encoded = 'application/x-www-form-urlencoded'

test('a form of ten thousand fields is read; one of more, which no provider sends, is not, and costs nothing', () => {
  assert.equal(formFields(encoded, Buffer.from(Array(10_000).fill('a=1').join('&')))?.length, 10_000)
  assert.equal(formFields(encoded, Buffer.from('&'.repeat(3 * 1024 * 1024))), null)
})

test('a boundary that does not begin its line is none', () => {
  const part = '--xx\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--xx--\r\n'
  assert.deepEqual(formFields('multipart/form-data; boundary=xx', Buffer.from(part)), [['a', '1']])
  assert.deepEqual(formFields('multipart/form-data; boundary=xx', Buffer.from(`before\r\n${part}`)), [['a', '1']])
  assert.deepEqual(formFields('multipart/form-data; boundary=xx', Buffer.from(`before${part}`)), [])
})
