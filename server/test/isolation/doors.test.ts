// What is no operation of the contract: pages, probes, and the door for third parties.

import assert from 'node:assert/strict'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { test } from 'node:test'
import { notBuilt } from '@posthorn/contract'
import type { FastifyInstance } from 'fastify'
import { routePath } from '../../src/api/route.ts'
import { type Answer, ask, leaks, operationIds, operationOf, told } from './ask.ts'
import { openScene } from './opened.ts'
import { sender } from './scene.ts'

const routes = new Set<string>()
const watch = (made: unknown): void => {
  const { fastify } = made as { readonly fastify: FastifyInstance }
  fastify.addHook('onRoute', ({ url }) => void routes.add(url))
}

subscribe('fastify.initialization', watch)
const { server, victim, strangers } = await openScene()
unsubscribe('fastify.initialization', watch)

/** What is the same for everybody, and asks for no key. */
const open: readonly string[] = [
  '/',
  '/docs',
  '/docs/problems',
  '/docs/problems/:code',
  '/livez',
  '/metrics',
  '/portal',
]
/** Shows more to whoever has a key: between-lines.test.ts. */
const toCallers: readonly string[] = ['/openapi.json']

test('what stands outside the contract is known here by name', () => {
  const ofContract = [...operationIds.map(operationOf), ...notBuilt].map(routePath)
  const others = [...routes].filter((url) => !ofContract.includes(url) && !/^\/docs\/(static|json|yaml|\*)/.test(url))
  const named = (url: string): string => (url.length > 1 ? url.replace(/\/$/, '') : url)
  assert.deepEqual([...new Set(others.map(named))].toSorted(), [...open, ...toCallers].toSorted())
})

test('a page or probe that asks for no key says nothing of what anybody has, whoever looks', async () => {
  const credentials = [server.key]
  for (const make of Object.values(strangers)) credentials.push((await make()).credential('/') ?? '')
  for (const route of open) {
    const path = route.replace(':code', 'not-found')
    const answers: Answer[] = []
    for (const credential of credentials) {
      answers.push(await ask(server.url, { method: 'GET', path, ...(credential === '' ? {} : { credential }) }))
    }
    for (const answer of answers) {
      assert.deepEqual(leaks(answer, '', victim), [], path)
      if (path !== '/metrics') assert.deepEqual(told(answer, victim.ids), told(answers[0] ?? answer, victim.ids), path)
    }
  }
})

const doorOf = (path: string): string => `${path.slice(0, -8)}zzzzzzzz`

test('at the door, a token that was never one, that has ended, and that of a deleted source are answered alike', async () => {
  const send = sender(server.url, server.key)
  const made = Object(await send('POST', '/ingest/api/v1/source', { name: 'Gone', type: 'generic-webhook' }))
  const { pathname } = new URL(made.ingestUrl)
  await send('DELETE', `/ingest/api/v1/source/${made.id}`)
  const knock = (path: string) => ask(server.url, { method: 'POST', path, body: {} })
  const never = await knock(doorOf(victim.ingestPath))
  assert.equal(never.status, 404)
  const names = { ...victim.ids }
  for (const path of [pathname, `/in/${victim.ids.source_id}`, `/in/${server.key}`, '/in/x', '/in/']) {
    assert.deepEqual(told(await knock(path), names), told(never, names), path)
  }
  assert.deepEqual(leaks(never, '', victim), [])
})

test('the token of a door opens no operation, and a key opens no door', async () => {
  const token = victim.ingestPath.split('/').at(-1) ?? ''
  for (const credential of [token, victim.ids.source_id, victim.ids.app_id]) {
    const { status } = await ask(server.url, { method: 'GET', path: '/api/v1/app', credential })
    assert.equal(status, 401)
  }
  const { status } = await ask(server.url, {
    ...{ method: 'POST', path: doorOf(victim.ingestPath), body: {}, credential: server.key },
  })
  assert.equal(status, 404)
})

test('who lives on the database is told to admin keys alone', async () => {
  for (const [who, make] of Object.entries(strangers)) {
    const { credential } = await make()
    const answer = await ask(server.url, {
      method: 'GET',
      path: '/api/v1/node',
      credential: credential('/api/v1/node'),
    })
    assert.equal(answer.status === 200, who === 'elsewhere', who)
    assert.deepEqual(leaks(answer, '', victim), [], who)
  }
})
