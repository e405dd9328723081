// Every operation of the contract, and every caller who is not to see what the victim has.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { OperationId } from '@posthorn/contract'
import {
  type Answer,
  type Ask,
  ask,
  asked,
  leaks,
  namesInBody,
  nobodys,
  operationIds,
  operationOf,
  tellsTheSame,
  told,
} from './ask.ts'
import { openScene } from './opened.ts'
import { rows } from './rows.ts'
import type { Names, Stranger, Who } from './scene.ts'

const { server, victim, strangers } = await openScene()

const column = { elsewhere: 0, neighbour: 1, 'read-only key': 2, 'read-only token': 3 } as const

// What these show is not the victim's alone: neighbours come and go.
const shared: ReadonlySet<OperationId> = new Set(['v1.node.list', 'v1.application.list', 'v1.ingest.source.list'])

/** All that the victim's own key shows. */
async function holdings(): Promise<ReadonlyMap<OperationId, string>> {
  const own: Stranger = { credential: () => server.key, home: null }
  const held = new Map<OperationId, string>()
  for (const id of operationIds) {
    if (operationOf(id).method !== 'GET' || shared.has(id)) continue
    const { status, headers, body } = await ask(server.url, asked(id, victim.ids, own))
    assert.ok(status < 300, `${id}: ${status} ${body}`)
    held.set(id, `${status} ${headers.etag} ${body}`)
  }
  return held
}

test('every operation has its row', () => {
  assert.deepEqual(Object.keys(rows).toSorted(), [...operationIds].toSorted())
})

test('who shows no key or token that is valid is told the same by every operation, and nothing else', async () => {
  for (const who of [
    'nobody',
    'unknown key',
    'revoked key',
    'unknown token',
    'expired token',
    'logged out token',
  ] as const) {
    const stranger = await strangers[who]()
    const first = told(await ask(server.url, asked('v1.application.get', victim.ids, stranger)), victim.ids)
    for (const id of operationIds) {
      const answer = await ask(server.url, asked(id, victim.ids, stranger))
      assert.equal(answer.status, id === 'v1.health.get' ? 204 : 401, `${id} to ${who}: ${answer.body}`)
      if (id !== 'v1.health.get') assert.deepEqual(told(answer, victim.ids), first, `${id} to ${who}`)
    }
  }
})

test('what was never a key, and what is none any more, are answered in the same words', async () => {
  const answers = async (who: Who) =>
    told(await ask(server.url, asked('v1.application.get', victim.ids, await strangers[who]())), victim.ids)
  assert.deepEqual(await answers('unknown key'), await answers('revoked key'))
  assert.deepEqual(await answers('unknown token'), await answers('expired token'))
  assert.deepEqual(await answers('unknown token'), await answers('logged out token'))
})

test('a key or token that may only look is let do nothing else', async () => {
  for (const who of ['read-only key', 'read-only token'] as const) {
    for (const id of operationIds) {
      const stranger = await strangers[who]()
      const { status, body } = await ask(server.url, asked(id, victim.ids, stranger))
      assert.equal(status, rows[id][column[who]], `${id} to a ${who}: ${body}`)
    }
  }
})

/** Every way to name what is the victim's, each by a caller who has a name of his own to begin with. */
function variants(id: OperationId, home: Stranger['home']): readonly Names[] {
  const { ids, names } = victim
  const { path } = operationOf(id)
  const reaches = (parameters: RegExp): boolean => parameters.test(path)
  return [
    names,
    ...(path.includes('{') || namesInBody(id) ? [ids] : []),
    ...(reaches(/\{app_id\}/) ? [{ ...ids, app_id: ids.source_id }] : []),
    ...(reaches(/\{source_id\}/) ? [{ ...ids, source_id: ids.app_id }] : []),
    ...(home && reaches(/\{(app|source)_id\}/) && (namesInBody(id) || reaches(/\{.*\{/))
      ? [
          { ...ids, ...home },
          { ...names, ...home },
        ]
      : []),
  ]
}

for (const who of ['elsewhere', 'neighbour'] as const) {
  test(`a caller from ${who} who names what is the victim's is told what he is told of names that nobody has`, async () => {
    const before = await holdings()
    const wrong: string[] = []
    for (const id of operationIds) {
      const stranger = await strangers[who]()
      const compare = async (names: Names, headers: Ask['headers'] = {}): Promise<Answer> => {
        const others = nobodys(names, stranger.home)
        const about = { ...asked(id, names, stranger), headers }
        const answer = await ask(server.url, about)
        const twin = await ask(server.url, { ...asked(id, others, stranger), headers })
        const [said, wouldSay] = [told(answer, names), told(twin, others)]
        if (!tellsTheSame(said, wouldSay)) wrong.push(`${id}: ${JSON.stringify([about.path, said, wouldSay])}`)
        const leaked = leaks(answer, `${about.path} ${JSON.stringify(about.body)}`, victim)
        if (leaked.length > 0) wrong.push(`${id} tells ${leaked}: ${JSON.stringify(answer)}`)
        return answer
      }
      const [byName = victim.names, ...otherwise] = variants(id, stranger.home)
      const { status, body } = await compare(byName)
      if (status !== rows[id][column[who]]) wrong.push(`${id}: ${status}, not ${rows[id][column[who]]}: ${body}`)
      if (operationOf(id).method !== 'POST') await compare(victim.ids, { 'if-match': '*' })
      for (const names of otherwise) await compare(names)
    }
    assert.deepEqual(wrong, [])
    assert.deepEqual(await holdings(), before)
  })
}
