// What could be told beside the answer itself: in what was remembered of others, in where a list goes on, in what is shown
// to some and hidden from others.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { OperationId } from '@posthorn/contract'
import { type Answer, ask, asked, leaks, nobodys, operationIds, operationOf, told } from './ask.ts'
import { openScene } from './opened.ts'
import { hiddenFlag, mark, type Names, type Stranger, sender } from './scene.ts'

const { server, receiver, victim, strangers } = await openScene()

const operator: Stranger = { credential: () => server.key, home: null }

test('an Idempotency-Key that another caller has used means nothing: each is answered for himself', async () => {
  const headers = { 'idempotency-key': `${mark}-key` }
  const asksWithIt: readonly (readonly [path: string, body: object])[] = [
    ['/api/v1/app', { name: `${mark} remembered`, uid: `${mark}-remembered` }],
    [`/api/v1/app/${mark}-remembered/msg`, { eventType: 'a', payload: { note: mark } }],
    ['/api/v1/operational-webhook/endpoint', { url: receiver.url, description: mark }],
  ]
  const elsewhere = await strangers.elsewhere()
  const sent = async (who: Stranger, path: string, body: object): Promise<Answer> =>
    ask(server.url, { method: 'POST', path, body, headers, credential: who.credential(path) })
  for (const [path, body] of asksWithIt) {
    const first = await sent(operator, path, body)
    assert.ok(first.status < 300, `${path}: ${first.body}`)
    const other = await sent(elsewhere, path, body)
    assert.equal(other.headers['idempotent-replayed'], undefined, path)
    assert.equal(other.status, first.status, `${path}: ${other.body}`)
    assert.notEqual(JSON.parse(other.body).id, JSON.parse(first.body).id)
    assert.equal((await sent(operator, path, body)).headers['idempotent-replayed'], 'true', path)
    assert.equal((await sent(operator, path, { ...body, name: 'other', eventType: 'b' })).status, 422, path)
  }
  // Nor does it tell that the other's body was another one.
  const [path = '', body = {}] = asksWithIt[0] ?? []
  const third = await sent(await strangers.elsewhere(), path, { ...body, name: 'Unlike' })
  assert.equal(third.status, 201, third.body)
})

/** One of each kind of thing that lists stand under. */
async function furnished(stranger: Stranger): Promise<Names> {
  const send = sender(server.url, stranger.credential('') ?? '')
  const { app_id = '', source_id = '' } = stranger.home ?? {}
  const at = `/api/v1/app/${app_id}`
  const idOf = async (path: string, body: object): Promise<string> => Object(await send('POST', path, body)).id
  return {
    ...victim.ids,
    ...{ app_id, source_id, msg_id: await idOf(`${at}/msg`, { eventType: 'a', payload: {} }) },
    endpoint_id: await idOf(`${at}/endpoint`, { url: receiver.url }),
    source_endpoint_id: await idOf(`/ingest/api/v1/source/${source_id}/endpoint`, { url: receiver.url }),
  }
}

const isList = (id: OperationId): boolean => 'iterator' in operationOf(id).query.properties

test("where another's list goes on is no place in one's own: what is shown is what a made-up place would show", async () => {
  const elsewhere = await strangers.elsewhere()
  const home = await furnished(elsewhere)
  const others = nobodys(victim.ids)
  let tried = 0
  for (const id of operationIds) {
    if (!isList(id) || id === 'v1.ingest.preset.list') continue
    const about = asked(id, victim.ids, operator)
    const { iterator, prevIterator } = JSON.parse((await ask(server.url, about)).body)
    for (const place of [iterator, prevIterator]) {
      if (typeof place !== 'string') continue
      // The same place of the list, but of a row that nobody has.
      const key = Buffer.from(place, 'base64url').toString()
      const [kind, name] = Object.entries(victim.ids).find(([, one]) => key.endsWith(`:${one}`)) ?? ['', '']
      const madeUp = key.slice(0, key.length - name.length) + (Object(others)[kind] ?? '')
      const ofNobody = Buffer.from(madeUp).toString('base64url')
      const { path, ...rest } = asked(id, home, elsewhere)
      const answer = await ask(server.url, { ...rest, path: `${path}?iterator=${place}` })
      const twin = await ask(server.url, { ...rest, path: `${path}?iterator=${ofNobody}` })
      const names = { ...home, place }
      assert.equal(answer.status, 200, `${id}: ${answer.body}`)
      assert.deepEqual(told(answer, names), told(twin, { ...home, ...{ place: ofNobody } }), id)
      const said = `${Object.values(home)} ${key} ${place}`
      assert.deepEqual(leaks(answer, said, victim), [], id)
      tried += 1
    }
  }
  assert.ok(tried > 15, `${tried} places`)
})

test('an event type that is hidden from a token is not there for it, whatever it does with the name', async () => {
  const neighbour = await strangers.neighbour()
  const at = `/api/v1/app/${neighbour.home?.app_id}`
  const credential = neighbour.credential(at)
  const send = (path: string, body: object) => ask(server.url, { method: 'POST', path, body, credential })
  const { id } = JSON.parse((await send(`${at}/endpoint`, { url: receiver.url })).body)
  const hidden = `${mark}.hidden`
  const nobodysType = 'nobody.has'
  for (const [path, bodyOf] of [
    [`${at}/endpoint/${id}/send-example`, (eventType: string) => ({ eventType })],
    [`${at}/endpoint`, (eventType: string) => ({ url: receiver.url, eventTypes: [eventType] })],
    [`${at}/endpoint/${id}/filter/test`, (eventType: string) => ({ filter: 'true', eventType, payload: {} })],
  ] as const) {
    const [answer, twin] = [await send(path, bodyOf(hidden)), await send(path, bodyOf(nobodysType))]
    const naming = (name: string): Names => ({ ...victim.ids, event_type_name: name })
    assert.deepEqual(told(answer, naming(hidden)), told(twin, naming(nobodysType)), path)
    assert.deepEqual(leaks(answer, hidden, victim), [], path)
  }
  assert.equal(
    receiver.received.some(({ body }) => body.includes(`${mark}-example`)),
    false,
  )
})

test('the OpenAPI document describes event types to those who may see them, and to nobody else', async () => {
  const document = async (credential: string | undefined): Promise<Answer> =>
    ask(server.url, { method: 'GET', path: '/openapi.json', credential })
  assert.ok((await document(server.key)).body.includes(`${mark}.hidden`))
  for (const [who, make] of Object.entries(strangers)) {
    const answer = await document((await make()).credential('/openapi.json'))
    const sees = who.startsWith('read-only')
    assert.equal(answer.body.includes(`${mark}.hidden`), sees, who)
    if (!sees) assert.deepEqual(leaks(answer, '', victim), [], who)
    const welcome = sees || who === 'nobody' || who === 'elsewhere' || who === 'neighbour'
    assert.equal(answer.status, welcome ? 200 : 401, who)
  }
  assert.equal(hiddenFlag.startsWith(mark), true)
})
