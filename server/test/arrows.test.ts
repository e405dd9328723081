import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const src = fileURLToPath(new URL('../src', import.meta.url))

/** What each part may import of ours, besides itself. */
const arrows: Readonly<Record<string, readonly string[]>> = {
  domain: ['@posthorn/contract/problems'],
  ports: ['domain'],
  engine: ['ports', 'domain'],
  manage: ['ports', 'domain'],
  stores: ['ports', 'domain'],
  transports: ['ports', 'domain'],
  judge: ['ports', 'domain'],
  telemetry: ['engine/observer.ts', 'domain'],
  inbound: ['engine', 'ports', 'domain'],
  api: ['@posthorn/contract', 'inbound', 'manage', 'engine', 'ports', 'domain', 'telemetry/log.ts'],
  'config.ts': ['config', 'domain'],
  config: ['domain'],
  'master-key.ts': [],
  'world.ts': ['ports'],
}
/** Only they know all. */
const outside: readonly string[] = ['main.ts', 'cli']

/** Node modules that touch the world: a decision that needs one is no decision. */
const worldly = [
  'node:fs',
  'node:net',
  'node:http',
  'node:https',
  'node:dns',
  'node:child_process',
  'node:worker_threads',
  'node:timers',
  'node:tls',
  'node:dgram',
  'node:http2',
  'node:sqlite',
]

interface Import {
  readonly from: string
  readonly to: string
}

const sources = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter(
  (file) => file.endsWith('.ts') && !file.endsWith('.test.ts'),
)

const imports: readonly Import[] = sources.flatMap((file) => {
  const text = readFileSync(join(src, file), 'utf8')
  const named = [
    ...text.matchAll(
      /(?:^|\n)\s*(?:import|export)\b[^'"`;]*?\bfrom\s+'([^']+)'|\bimport\(\s*'([^']+)'\s*\)|(?:^|\n)import\s+'([^']+)'/g,
    ),
  ]
  return named.map((match) => {
    const to = match[1] ?? match[2] ?? match[3] ?? ''
    return { from: file, to: to.startsWith('.') ? relative(src, resolve(src, dirname(file), to)) : to }
  })
})

const partOf = (path: string): string => path.split('/')[0] ?? path

test('every import runs along an arrow of ARCHITECTURE.md', () => {
  const offences = imports.filter(({ from, to }) => {
    if (outside.includes(partOf(from))) return false
    const allowed = arrows[partOf(from)] ?? []
    const ours = to.startsWith('@posthorn/') || sources.includes(to)
    return ours && partOf(to) !== partOf(from) && !allowed.some((arrow) => to === arrow || partOf(to) === arrow)
  })
  assert.deepEqual(offences, [])
})

test('every part is one of ARCHITECTURE.md', () => {
  const parts = new Set(sources.map(partOf))
  assert.deepEqual(
    [...parts].filter((part) => arrows[part] === undefined && !outside.includes(part)),
    [],
  )
})

test('engine and domain have neither clock nor dice of their own', () => {
  const own =
    /\b(Date\.now|new Date\(\)|Math\.random|performance\.now|randomUUID|setTimeout|setInterval|setImmediate)\b/
  const offences = sources
    .filter((file) => ['engine', 'domain'].includes(partOf(file)))
    .flatMap((file) =>
      readFileSync(join(src, file), 'utf8')
        .split('\n')
        .filter((line) => own.test(line) && !/^\s*(\/\/|\*|\/\*)/.test(line))
        .map((line) => `${file}: ${line.trim()}`),
    )
  assert.deepEqual(offences, [])
})

test('what is simulated is the engine on simulated ports: no store, no transport, no listener', () => {
  const sim = fileURLToPath(new URL('../sim', import.meta.url))
  const files = readdirSync(sim, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'))
  const ours = files.flatMap((file) =>
    [...readFileSync(join(sim, file), 'utf8').matchAll(/\bfrom '(\.[^']+)'/g)].flatMap(([, to = '']) => {
      const path = relative(src, resolve(sim, dirname(file), to))
      return path.startsWith('..') ? [] : [{ from: file, to: path }]
    }),
  )
  const allowed = ['domain', 'ports', 'engine', 'manage']
  assert.deepEqual(
    ours.filter(({ to }) => !allowed.includes(partOf(to))),
    [],
  )
  assert.ok(ours.length > 50, `${ours.length} imports were seen`)
})

test('the domain imports nothing that touches the world', () => {
  const offences = imports.filter(
    ({ from, to }) => partOf(from) === 'domain' && worldly.some((name) => to === name || to.startsWith(`${name}/`)),
  )
  assert.deepEqual(offences, [])
})

test('one transport knows nothing of another, nor one store of another', () => {
  const kindOf = (path: string): string => path.split('/').slice(0, 2).join('/')
  const kinds = ['transports/http', 'stores/sqlite', 'stores/postgres']
  const offences = imports.filter(
    ({ from, to }) =>
      kinds.includes(kindOf(from)) &&
      partOf(to) === partOf(from) &&
      kindOf(to) !== kindOf(from) &&
      !/^stores\/(queries|db\.ts|migrations\.ts)/.test(to),
  )
  assert.deepEqual(offences, [])
})

test('in receiving, reading knows none of the others, and what passes the door needs nothing that is for people to look at', () => {
  const knows: Readonly<Record<string, readonly string[]>> = {
    reading: [],
    decoded: ['reading'],
    verify: ['reading', 'presets.ts', 'sources.ts'],
    quarantine: ['reading', 'verify', 'addresses.ts', 'facts.ts', 'receive.ts', 'sources.ts', 'telling.ts'],
  }
  const forPeople = ['decoded', 'detect', 'trigger']
  const within = (path: string): string => path.split('/')[1] ?? ''
  const inner = imports.filter(({ from, to }) => partOf(from) === 'inbound' && partOf(to) === 'inbound')
  const offences = inner.filter(({ from, to }) => {
    const [at, other] = [within(from), within(to)]
    if (at === other || at === 'inbound.ts') return false
    return knows[at] ? !knows[at].includes(other) : !forPeople.includes(at) && forPeople.includes(other)
  })
  assert.deepEqual(offences, [])
  assert.ok(Object.keys(knows).every((folder) => inner.some(({ from }) => within(from) === folder)))
})

test('only config.ts reads the environment of the process', () => {
  const readers = sources.filter((file) => readFileSync(join(src, file), 'utf8').includes('process.env'))
  assert.deepEqual(
    readers.filter((file) => file !== 'config.ts' && partOf(file) !== 'cli'),
    [],
  )
})

test('the arrows are read from real imports: the engine is seen to use its ports', () => {
  assert.ok(imports.some(({ from, to }) => partOf(from) === 'engine' && partOf(to) === 'ports'))
  assert.ok(imports.length > 100, `${imports.length} imports were seen`)
})
