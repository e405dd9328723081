import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { readJson } from './read-json.ts'

const nested = (levels: number, open = '[', close = ']'): string => `${open.repeat(levels)}1${close.repeat(levels)}`

test('text is read up to a thousand levels deep, and refused beyond, before the engine sees it', () => {
  assert.doesNotThrow(() => readJson(nested(1_000)))
  assert.throws(() => readJson(nested(1_001)), /SyntaxError: it is nested deeper than 1000 levels/)
  assert.throws(() => readJson(nested(501, '[{"a":', '}]')), /nested deeper/)
  assert.throws(() => readJson('['.repeat(1_001)), /nested deeper/, 'also where it breaks off')
})

test('what stands in texts, or is closed again, does not make it deep', () => {
  for (const text of [
    JSON.stringify('['.repeat(5_000)),
    `"\\"${'{'.repeat(5_000)}\\\\"`,
    `[${'[],{},'.repeat(5_000)}1]`,
  ])
    assert.deepEqual(readJson(text), JSON.parse(text))
})

// What is told by tools, by our own store, or by us; everything else comes from strangers.
const ours = new Set([
  ...['domain/read-json.ts', 'domain/endpoint-seal.ts', 'domain/source-seal.ts'],
  // A single text between quotes, or a word.
  ...['domain/escaped-keys.ts', 'domain/payload.ts', 'inbound/reading/json-text.ts', 'inbound/trigger/place.ts'],
  // Our files and the operator's, our document.
  ...['inbound/recorded.ts', 'inbound/presets.ts', 'api/reference.ts'],
])

test('wherever the text of strangers is read, it is read so', () => {
  const root = fileURLToPath(new URL('..', import.meta.url))
  const found = ['api', 'domain', 'engine', 'inbound', 'judge', 'manage', 'transports'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .map((name) => `${folder}/${name}`)
      .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
      .filter((name) => readFileSync(join(root, name), 'utf8').includes('JSON.parse(')),
  )
  assert.deepEqual(new Set(found), ours)
})
