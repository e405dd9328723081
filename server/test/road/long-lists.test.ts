import assert from 'node:assert/strict'
import { test } from 'node:test'
import { onSqliteAlone, placesHolding } from '../support/database.ts'
import { type Scene, scene } from './scene.ts'

const messages = 100_000
const asked = 8

const onlySqlite = onSqliteAlone('PostgreSQL has its connections for the road, and others for everything else')

/** Asks for lists of a tag that no message of a large application has. */
async function longLists({ server, disk }: Scene) {
  const { id: big } = await server.svix.application.create({ name: 'Big', uid: 'big' })
  await disk.exec(`
    insert into message (id, application_id, event_type, payload, accepted_at, tags)
      with recursive n(number) as (values (1) union all select number + 1 from n where number < ${messages})
      select 'msg_0V000000' || printf('%019d', number), '${big}', 'a.b', '{}', 1, '["some"]' from n`)
  let answered = 0
  const statuses = Array.from({ length: asked }, async () => {
    const answer = await server.fetch('/api/v1/app/big/msg?tag=none')
    await answer.text()
    answered += 1
    return answer.status
  })
  return { answered: () => answered, statuses: Promise.all(statuses) }
}

test(
  'who looks through everything for what is not there keeps nobody else from publishing and reading',
  onlySqlite,
  async (t) => {
    const made = await scene(t)
    const lists = await longLists(made)
    await made.publish()
    await made.recorded(1)
    await made.server.svix.application.get('shop')
    assert.ok(lists.answered() < asked, 'all lists were done before')
    const [first, ...others] = await lists.statuses
    assert.equal(first, 200)
    // Those that would have had to wait for too long.
    assert.ok(
      others.every((status) => status === 200 || status === 503),
      `${others}`,
    )
  },
)

test('content is gone from the files also while somebody goes through long lists', onlySqlite, async (t) => {
  const made = await scene(t)
  const { server, publish, recorded } = made
  const text = 'a secret of somebody'
  const id = await publish(JSON.stringify({ text }))
  await recorded(1)
  const lists = await longLists(made)
  assert.ok((await placesHolding(server.databaseUrl, text)).length > 0, 'it was there')
  assert.ok(lists.answered() < asked, 'all lists were done before')
  await server.svix.message.expungeContent('shop', id)
  assert.deepEqual(await placesHolding(server.databaseUrl, text), [])
  await lists.statuses
})
