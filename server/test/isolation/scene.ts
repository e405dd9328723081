// ISOLATION: who may not see what. A victim with something of every kind, and strangers who know all its names.

import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { makeIds } from '../../src/domain/ids.ts'
import type { Scope } from '../../src/domain/key.ts'
import { createKey, revokeKey } from '../../src/manage/keys.ts'
import { eventually } from '../api/receiver.ts'
import type { TestServer } from '../support/server.ts'

/** What the parameters of paths stand for, and what bodies name. */
export interface Names {
  readonly app_id: string
  readonly endpoint_id: string
  readonly msg_id: string
  readonly attempt_id: string
  readonly task_id: string
  readonly source_id: string
  /** In place of `endpoint_id` where the path leads into a source. */
  readonly source_endpoint_id: string
  /** In place of `endpoint_id` where the path is one of operational webhooks. */
  readonly operational_endpoint_id: string
  readonly quarantine_id: string
  /** Of the source's message. */
  readonly source_msg_id: string
  readonly event_type_name: string
}

export interface Victim {
  readonly ids: Names
  /** By its uids and eventIds, where a thing has such a name. */
  readonly names: Names
  /** Of its source's door. */
  readonly ingestPath: string
  /** Texts of which none may reach a stranger, unless he said it himself. */
  readonly secrets: readonly string[]
}

/** In every name and text of the victim's, and in nothing else on the server. */
export const mark = 'vctm'
export const hiddenFlag = `${mark}-flag`

export async function makeKey(
  { store, world }: Pick<TestServer, 'store' | 'world'>,
  environment: string,
  scopes: readonly Scope[],
): Promise<string> {
  const newId = makeIds(world.now, world.randomBytes)
  return (await createKey({ store, world, newId }, { environment, name: 'test', scopes })).text
}

async function makeRevokedKey({ store, world }: Pick<TestServer, 'store' | 'world'>): Promise<string> {
  const context = { store, world, newId: makeIds(world.now, world.randomBytes) }
  const { key, text } = await createKey(context, { environment: 'default', name: 'test', scopes: ['admin'] })
  await revokeKey(context, key.id)
  return text
}

type Send = (method: string, path: string, body?: unknown, headers?: Record<string, string>) => Promise<unknown>

/** Sends JSON, and reads what must be a success. */
export const sender =
  (url: string, key: string): Send =>
  async (method, path, body, headers = {}) => {
    const answer = await fetch(`${url}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${key}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await answer.text()
    assert.ok(answer.ok, `${method} ${path}: ${answer.status} ${text}`)
    return text === '' ? null : JSON.parse(text)
  }

const textAt = (value: unknown, ...path: readonly (string | number)[]): string => {
  const found = path.reduce<unknown>((at, step) => Object(at)[step], value)
  assert.ok(typeof found === 'string', `${path.join('.')} of ${JSON.stringify(value)}`)
  return found
}

const sourceSecret = 'marked-secret-of-the-victims-source'

/** Something of every kind, in the environment of the server's own key. `url`: where somebody takes what is delivered. */
export async function makeVictim(server: TestServer, url: string): Promise<Victim> {
  const send = sender(server.url, server.key)
  const hook = `${url}/${mark}-hook`
  const app = await send('POST', '/api/v1/app', {
    ...{ name: `${mark} shop`, uid: `${mark}-app`, metadata: { note: `${mark}-metadata` } },
  })
  const app_id = textAt(app, 'id')
  await send('POST', '/api/v1/event-type', {
    ...{ name: `${mark}.hidden`, description: `${mark} told to few`, featureFlags: [hiddenFlag] },
    schemas: { 1: { type: 'object', description: `${mark}-schema`, examples: [{ note: `${mark}-example` }] } },
  })
  const at = `/api/v1/app/${app_id}`
  const endpoint = await send('POST', `${at}/endpoint`, {
    ...{ url: hook, uid: `${mark}-ep`, description: `${mark} accounting`, headers: { 'x-note': `${mark}-header` } },
    ...{ metadata: { note: `${mark}-metadata` }, channels: [`${mark}-channel`] },
  })
  const endpoint_id = textAt(endpoint, 'id')
  const message = await send('POST', `${at}/msg`, {
    ...{ eventType: `${mark}.hidden`, eventId: `${mark}-evt`, payload: { note: `${mark}-payload` } },
    channels: [`${mark}-channel`],
    tags: [`${mark}-tag`],
  })
  const msg_id = textAt(message, 'id')
  const attempts = await eventually(
    () => send('GET', `${at}/attempt/msg/${msg_id}`),
    (page) => (Object(page).data as unknown[]).length === 1,
  )
  const since = new Date(server.world.now() - 3_600_000).toISOString()
  const task = await send('POST', `${at}/endpoint/${endpoint_id}/recover`, { since })
  const task_id = textAt(task, 'id')
  await eventually(
    () => send('GET', `/api/v1/background-task/${task_id}`),
    (found) => Object(found).status === 'finished',
  )
  const operational = await send('POST', '/api/v1/operational-webhook/endpoint', {
    ...{ url: hook, uid: `${mark}-op`, description: `${mark} on call` },
  })
  const source = await send('POST', '/ingest/api/v1/source', {
    ...{ name: `${mark} payments`, uid: `${mark}-source`, type: 'github', config: { secret: sourceSecret } },
  })
  const source_id = textAt(source, 'id')
  const sourceEndpoint = await send('POST', `/ingest/api/v1/source/${source_id}/endpoint`, {
    ...{ url: hook, uid: `${mark}-source-ep`, description: `${mark} intake` },
  })
  const ingestPath = new URL(textAt(source, 'ingestUrl')).pathname
  const body = JSON.stringify({ note: `${mark}-received` })
  const signature = (secret: string): string => `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`
  const receive = async (secret: string): Promise<number> => {
    const answer = await fetch(`${server.url}${ingestPath}`, {
      ...{ method: 'POST', body },
      headers: {
        ...{ 'content-type': 'application/json', 'x-github-event': 'push', 'x-github-delivery': `${mark}-delivery` },
        'x-hub-signature-256': signature(secret),
      },
    })
    await answer.text()
    return answer.status
  }
  assert.equal(await receive('wrong'), 401)
  assert.ok((await receive(sourceSecret)) < 300)
  const quarantined = await send('GET', `/ingest/api/v1/source/${source_id}/quarantine`)
  const received = await send('GET', `/ingest/api/v1/source/${source_id}/message`)
  const secretOf = async (path: string): Promise<string> => textAt(await send('GET', `${path}/secret`), 'key')
  const ids = {
    ...{ app_id, endpoint_id, msg_id, task_id, source_id, event_type_name: `${mark}.hidden` },
    attempt_id: textAt(attempts, 'data', 0, 'id'),
    source_endpoint_id: textAt(sourceEndpoint, 'id'),
    operational_endpoint_id: textAt(operational, 'id'),
    quarantine_id: textAt(quarantined, 'data', 0, 'id'),
    source_msg_id: textAt(received, 'data', 0, 'id'),
  }
  return {
    ids,
    names: {
      ...ids,
      ...{ app_id: `${mark}-app`, endpoint_id: `${mark}-ep`, msg_id: `${mark}-evt`, source_id: `${mark}-source` },
      ...{ source_endpoint_id: `${mark}-source-ep`, operational_endpoint_id: `${mark}-op` },
      source_msg_id: `${mark}-delivery`,
    },
    ingestPath,
    secrets: [
      ...Object.values(ids),
      ...[mark, sourceSecret, ingestPath.split('/').at(-1) ?? ''],
      await secretOf(`${at}/endpoint/${endpoint_id}`),
      await secretOf(`/ingest/api/v1/source/${source_id}/endpoint/${ids.source_endpoint_id}`),
      await secretOf(`/api/v1/operational-webhook/endpoint/${ids.operational_endpoint_id}`),
    ],
  }
}

/** A caller, and where it is at home. */
export interface Stranger {
  /** For `Authorization`; undefined: he shows nothing. `path`: where to, since a portal token is for one thing alone. */
  readonly credential: (path: string) => string | undefined
  /** What stands first in a path that leads to something of his own; null: he has nothing. */
  readonly home: Pick<Names, 'app_id' | 'source_id'> | null
}

export type Who =
  | 'nobody'
  | 'unknown key'
  | 'revoked key'
  | 'unknown token'
  | 'expired token'
  | 'logged out token'
  | 'elsewhere'
  | 'neighbour'
  | 'read-only key'
  | 'read-only token'

/** Makes callers of each kind: whoever could change something is made anew each time. */
export type Strangers = Readonly<Record<Who, () => Promise<Stranger>>>

const hourMs = 3_600_000

/** Moves the clock, so that what is to have ended has. */
export async function makeStrangers(server: TestServer, victim: Victim): Promise<Strangers> {
  const { world, url } = server
  const operator = sender(url, server.key)
  const token = async (kind: 'app' | 'source', id: string, asked: object = {}): Promise<string> => {
    const path = kind === 'app' ? `/api/v1/auth/app-portal-access/${id}` : `/ingest/api/v1/source/${id}/dashboard`
    return textAt(await operator('POST', path, asked), 'token')
  }
  const home = async (send: Send): Promise<NonNullable<Stranger['home']>> => ({
    app_id: textAt(await send('POST', '/api/v1/app', { name: 'Own' }), 'id'),
    source_id: textAt(await send('POST', '/ingest/api/v1/source', { name: 'Own', type: 'generic-webhook' }), 'id'),
  })

  const revoked = await makeRevokedKey(server)
  const expired = await token('app', victim.ids.app_id, { expiry: 3_600 })
  const loggedOut = await token('app', victim.ids.app_id)
  await sender(url, loggedOut)('POST', '/api/v1/auth/logout')
  await world.leap(hourMs)
  const reader = await makeKey(server, 'default', ['read'])
  const always = (text: string | undefined) => async () => ({ credential: () => text, home: null })
  const either = (app: string, source: string) => (path: string) => (path.startsWith('/ingest/') ? source : app)
  let environments = 0
  return {
    nobody: always(undefined),
    'unknown key': always(`${revoked.slice(0, -4)}AAAA`),
    'revoked key': always(revoked),
    'unknown token': always(`${expired.slice(0, -4)}AAAA`),
    'expired token': always(expired),
    'logged out token': always(loggedOut),
    'read-only key': always(reader),
    async elsewhere() {
      const key = await makeKey(server, `elsewhere-${++environments}`, ['admin'])
      return { credential: () => key, home: await home(sender(url, key)) }
    },
    async neighbour() {
      const own = await home(operator)
      const credential = either(await token('app', own.app_id), await token('source', own.source_id))
      return { credential, home: own }
    },
    async 'read-only token'() {
      const app = await token('app', victim.ids.app_id, { readOnly: true, featureFlags: [hiddenFlag] })
      return { credential: either(app, await token('source', victim.ids.source_id, { readOnly: true })), home: null }
    },
  }
}
