import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { same } from './compare.ts'

test('bytes are the same when all of them are, whatever their length', () => {
  const of = (text: string) => Buffer.from(text)
  assert.ok(same(of(''), of('')))
  assert.ok(same(of('ab'), of('ab')))
  for (const other of ['', 'a', 'ac', 'bb', 'abc']) assert.ok(!same(of('ab'), of(other)), other)
})

test('what is checked by a secret or signature is compared nowhere but here, in constant time', () => {
  const folder = new URL('..', import.meta.url)
  const files = [
    ...readdirSync(folder),
    ...readdirSync(new URL('.', import.meta.url)).map((file) => `primitives/${file}`),
  ]
  const checking = files.filter((file) => /^(?:primitives\/|scheme|signatures)[\w-]*\.ts$/.test(file))
  assert.ok(checking.length >= 8, `${checking.length} files`)
  for (const file of checking) {
    const text = readFileSync(new URL(file, folder), 'utf8')
    assert.doesNotMatch(text, /\.equals\(|Buffer\.compare|\.compare\(/, file)
    assert.equal(text.includes('timingSafeEqual'), file === 'primitives/compare.ts', file)
  }
})
