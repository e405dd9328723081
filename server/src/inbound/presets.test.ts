import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { presetBook } from './presets.ts'
import { recordedRequests } from './recorded.ts'

const files = readdirSync(fileURLToPath(new URL('./presets', import.meta.url)))

test('the book has every preset of the folder, under the name of its file and sorted by it', () => {
  const named = files
    .filter((file) => !file.endsWith('.requests.json'))
    .map((file) => file.replace(/\.json$/, ''))
    .sort()
  assert.ok(named.length > 0, 'there are presets')
  assert.deepEqual(
    presetBook.all().map(({ name }) => name),
    named,
  )
  assert.deepEqual(
    named.filter((name) => presetBook.get(name)?.name !== name),
    [],
  )
  assert.equal(presetBook.get('no-such-provider'), null)
})

test('every preset has recorded requests, and no recorded requests are without a preset', () => {
  assert.deepEqual(
    presetBook.all().flatMap(({ name }) => (recordedRequests(name).length > 0 ? [] : [name])),
    [],
  )
  const orphans = files
    .filter((file) => file.endsWith('.requests.json'))
    .map((file) => file.replace('.requests.json', ''))
    .filter((name) => presetBook.get(name) === null)
  assert.deepEqual(orphans, [])
})

test('names within a preset are unique: those of its schemes, settings, challenges and recorded requests', () => {
  const doubled = presetBook.all().flatMap((preset) =>
    [preset.schemes, preset.settings ?? [], preset.challenges ?? [], recordedRequests(preset.name)].flatMap((named) => {
      const names = named.map(({ name }) => name)
      return names.filter((name, index) => names.indexOf(name) !== index).map((name) => `${preset.name}: ${name}`)
    }),
  )
  assert.deepEqual(doubled, [])
})

test('a preset speaks of no setting that it does not have, and has none that it does not speak of', () => {
  const wrong = presetBook.all().flatMap((preset) => {
    const { settings = [], ...rest } = preset
    const declared = settings.map(({ name }) => name)
    const spoken = [...JSON.stringify(rest).matchAll(/"setting":"([^"]*)"/g)].map((match) => match[1] ?? '')
    return [
      ...spoken.filter((name) => !declared.includes(name)).map((name) => `${preset.name}: ${name} is not declared`),
      ...declared.filter((name) => !spoken.includes(name)).map((name) => `${preset.name}: ${name} is not used`),
    ]
  })
  assert.deepEqual(wrong, [])
})

test('a provider that may repeat a request has a way to tell that it is the same, or says why nothing is taken for one', () => {
  const silent = presetBook
    .all()
    .filter(({ id, retryWindow }) => id.otherwise === 'none' && id.alternatives.length === 0 && retryWindow > 0)
    .filter(({ notes = [] }) => !notes.some((note) => note.includes('duplicate')))
    .map(({ name }) => name)
  assert.deepEqual(silent, [])
})
