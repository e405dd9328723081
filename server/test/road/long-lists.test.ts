import assert from 'node:assert/strict'
import { test } from 'node:test'
import { onSqliteAlone } from '../support/database.ts'
import { scene } from './scene.ts'

const messages = 100_000
const asked = 8

const onlySqlite = onSqliteAlone('PostgreSQL has its connections for the road, and others for everything else')

test(
  'who looks through everything for what is not there keeps nobody else from publishing and reading',
  onlySqlite,
  async (t) => {
    const { server, disk, publish, recorded, eventually } = await scene(t)
    const { svix } = server
    const { id: big } = await svix.application.create({ name: 'Big', uid: 'big' })
    await disk.exec(`
    insert into message (id, application_id, event_type, payload, accepted_at, tags)
      with recursive n(number) as (values (1) union all select number + 1 from n where number < ${messages})
      select 'msg_0V000000' || printf('%019d', number), '${big}', 'a.b', '{}', 1, '["some"]' from n`)
    let answered = 0
    const lists = Array.from({ length: asked }, () =>
      server.fetch('/api/v1/app/big/msg?tag=none').then(async (answer) => {
        await answer.text()
        answered += 1
        return answer.status
      }),
    )
    await publish()
    await recorded(1)
    await svix.application.get('shop')
    assert.ok(answered < asked, 'all lists were done before')
    await eventually('every list is answered', () => answered === asked)
    const statuses = await Promise.all(lists)
    assert.equal(statuses[0], 200)
    // Those that would have had to wait for too long.
    assert.ok(
      statuses.every((status) => status === 200 || status === 503),
      `${statuses}`,
    )
  },
)

test('content is gone from the files also while somebody goes through long lists', onlySqlite, async (t) => {
  const { server, publish, recorded } = await scene(t)
  const id = await publish('{"secret":"Zoë"}')
  await recorded(1)
  const lists = Array.from({ length: 20 }, () => server.svix.message.list('shop', { tag: 'none' }))
  await server.svix.message.expungeContent('shop', id)
  await Promise.all(lists)
  assert.equal((await server.svix.message.list('shop')).data.length, 1)
})
