// What operators paste is held to what the program knows: nobody runs these files here every day.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { parse } from 'yaml'
import { commands } from '../../src/cli/commands.ts'
import { loadSettings, type Settings, settingVariables, unknownVariables } from '../../src/config.ts'
import { parseDuration } from '../../src/domain/duration.ts'
import { startTestServer } from '../support/server.ts'

const root = fileURLToPath(new URL('../../..', import.meta.url))
const read = (path: string): string => readFileSync(join(root, path), 'utf8')
const json = (path: string) => JSON.parse(read(path))

const dockerfile = read('Dockerfile').replaceAll('\\\n', ' ')
const unit = read('deploy/posthorn.service')
const caddyfile = read('deploy/Caddyfile')

/** `NAME=value` words, as after `ENV` and `Environment=`. */
const variables = (text: string): Record<string, string> =>
  Object.fromEntries([...text.matchAll(/\b([A-Z_]+)=(\S+)/g)].map(([, name = '', value = '']) => [name, value]))

const grouped = (text: string, pattern: RegExp): readonly string[] =>
  [...text.matchAll(pattern)].map(([, one]) => one ?? '')

const span = (text: string): number => parseDuration(text) ?? assert.fail(`${text} is no span`)

/** The settings as the server would read them; a stop must be over before somebody loses patience. */
function runnable(env: Record<string, string>, patience: string): Settings {
  assert.deepEqual(unknownVariables(env), [])
  const settings = loadSettings({ env, flags: {} })
  assert.ok(span(patience) > settings.shutdownDrain + settings.shutdownGrace, `${patience} is too short for a stop`)
  return settings
}

test('what the Dockerfile copies exists, is not kept back, and holds every workspace that npm wants to see', () => {
  const copied = grouped(dockerfile, /^COPY (?!--from)(.+) \S+$/gm).flatMap((sources) => sources.split(' '))
  assert.ok(copied.length >= 7)
  const kept = read('.dockerignore').split('\n')
  for (const path of copied) {
    assert.ok(existsSync(join(root, path)), path)
    const [folder = ''] = path.split('/')
    assert.ok(
      kept.includes(`!${path}`) || kept.includes(`!${folder}`),
      `${path} is kept from the image by .dockerignore`,
    )
  }
  for (const workspace of json('package.json').workspaces)
    assert.ok(copied.includes(`${workspace}/package.json`), workspace)
  assert.ok(dockerfile.includes(`--workspace=${json('server/package.json').name} `))
  const [major] = json('package.json').devDependencies.node.split('.')
  assert.deepEqual(
    new Set(grouped(dockerfile, /^FROM node:(\d+)/gm)),
    new Set([major]),
    'the Node that the tests ran on',
  )
})

test('the image listens for others, keeps its files in its volume, and its health check tells a live server from none', async () => {
  const { listen, database } = runnable(variables(grouped(dockerfile, /^ENV (.+)$/gm).join(' ')), '1h')
  assert.deepEqual(listen, { host: '0.0.0.0', port: 8071 })
  const [volume] = grouped(dockerfile, /^VOLUME (.+)$/gm)
  assert.ok(database.engine === 'sqlite' && database.path.startsWith(`${volume}/`))
  assert.match(dockerfile, /^EXPOSE 8071$/m)

  const [check = ''] = grouped(dockerfile, /^HEALTHCHECK .*CMD (\[.+\])$/gm)
  const [, ...words]: string[] = JSON.parse(check)
  const server = await startTestServer()
  const ends = async (): Promise<number | null> => {
    const child = spawn(
      process.execPath,
      words.map((word) => word.replace('http://127.0.0.1:8071', server.url)),
    )
    return new Promise((resolve) => child.on('exit', resolve))
  }
  assert.equal(await ends(), 0)
  await server.stop()
  assert.equal(await ends(), 1)
})

test('the unit of systemd starts a file that exists, with settings that can be used, and waits long enough for a stop', () => {
  const [patience = ''] = grouped(unit, /^TimeoutStopSec=(.+)$/gm)
  const { database } = runnable(variables(grouped(unit, /^Environment=(.+)$/gm).join(' ')), patience)
  const [folder] = grouped(unit, /^StateDirectory=(.+)$/gm)
  assert.ok(database.engine === 'sqlite' && database.path.startsWith(`/var/lib/${folder}/`))
  const [node = '', script = '', command = ''] = (grouped(unit, /^ExecStart=(.+)$/gm)[0] ?? '').split(' ')
  assert.ok(existsSync(join(root, node.replace('/opt/posthorn/', ''))), node)
  assert.ok(existsSync(join(root, script)), script)
  assert.ok(command in commands)
})

test('compose gives each node settings that can be used, and the proxy asks every node in time', () => {
  const { services, volumes } = parse(read('compose.yaml'), { merge: true })
  // What people put into .env.
  const chosen: Record<string, string> = {
    POSTGRES_PASSWORD: 'a'.repeat(48),
    POSTHORN_MASTER_KEY: Buffer.alloc(32, 1).toString('base64'),
    POSTHORN_API_KEY: 'b'.repeat(48),
  }
  const filled = (text: string): string =>
    text.replaceAll(
      /\$\{(\w+)(?::([?-])([^}]*))?\}/g,
      (_, name, kind, word) => chosen[name] ?? (kind === '-' ? word : assert.fail(name)),
    )
  const nodes = Object.keys(services).filter((name) => services[name].build !== undefined)
  assert.ok(nodes.length >= 2)
  const [interval = ''] = grouped(caddyfile, /health_interval (\S+)/g)
  for (const name of nodes) {
    const { environment, stop_grace_period: patience } = services[name]
    const env = Object.fromEntries(Object.entries<string>(environment).map(([name, value]) => [name, filled(value)]))
    const { database, shutdownDrain, masterKey } = runnable(env, patience)
    assert.ok(masterKey !== null)
    assert.ok(database.engine === 'postgres')
    const { POSTGRES_USER, POSTGRES_DB, POSTGRES_PASSWORD } = services.database.environment
    assert.deepEqual(
      [database.user, database.database, database.password, database.hosts],
      [POSTGRES_USER, POSTGRES_DB, filled(POSTGRES_PASSWORD), [{ host: 'database', port: 5432 }]],
    )
    assert.ok(shutdownDrain > 2 * span(interval), 'the proxy may not have asked by then')
  }
  const [upstreams = ''] = grouped(caddyfile, /reverse_proxy \{\$NODES:([^}]+)\}/g)
  assert.deepEqual(
    upstreams.split(' '),
    nodes.map((name) => `${name}:8071`),
  )
  assert.match(caddyfile, /health_uri \/api\/v1\/health$/m)
  for (const [name, { depends_on: needed = [], volumes: mounts = [] }] of Object.entries<{
    depends_on?: object
    volumes?: string[]
  }>(services)) {
    for (const one of Array.isArray(needed) ? needed : Object.keys(needed))
      assert.ok(one in services, `${name} needs ${one}`)
    for (const mount of mounts) {
      const [source = ''] = mount.split(':')
      assert.ok(source.startsWith('.') ? existsSync(join(root, source)) : source in volumes, `${name} mounts ${source}`)
    }
  }
})

test('every command and every setting that the documents name exists', () => {
  const texts = ['README.md', 'compose.yaml', ...globSync('{docs,deploy}/*.*', { cwd: root })].map(
    (path) => [path, read(path)] as const,
  )
  const known = new Set(settingVariables)
  let seen = 0
  for (const [path, text] of texts) {
    for (const name of grouped(text, /\b(POSTHORN_[A-Z][A-Z_]*[A-Z])\b/g)) {
      assert.ok(known.has(name), `${path} names ${name}, which is no setting`)
      seen++
    }
    for (const line of grouped(text, /(?:npx posthorn|posthorn\.mjs|`posthorn|^posthorn) ([a-z-]+)\b/gm)) {
      assert.ok(line in commands || line === 'help', `${path} names the command ${line}, which is none`)
      seen++
    }
  }
  assert.ok(seen > 50)
})
