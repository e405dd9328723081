import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import type { PageSearch } from '../../domain/page.ts'
import type { QuarantinedRequest } from '../../ports/store.ts'
import type { Db, SqlParameters, SqlRow } from '../db.ts'
import { openConnection } from '../sqlite/connection.ts'
import { migrate } from '../sqlite/migrate.ts'
import { answers } from './answers.ts'
import { applications } from './applications.ts'
import { attempts } from './attempts.ts'
import { promote } from './commit.ts'
import { endpoints } from './endpoints.ts'
import { eventTypes } from './event-types.ts'
import { expunge } from './expunge.ts'
import { messages } from './messages.ts'
import { portalTokens } from './portal-tokens.ts'
import { quarantine } from './quarantine.ts'
import { received } from './received.ts'
import { retention } from './retention.ts'
import { road } from './road.ts'
import { sources } from './sources.ts'
import { tallies } from './tallies.ts'
import { tasks } from './tasks.ts'

const folder = mkdtempSync(join(tmpdir(), 'posthorn-plans-'))
const connection = openConnection(join(folder, 'plans.db'), 'writer', 'plans')
migrate(connection.database)
after(() => {
  connection.close()
  rmSync(folder, { recursive: true })
})

/** How SQLite means to go about each statement that `work` runs. */
async function plansOf(work: (db: Db) => Promise<unknown>): Promise<string[]> {
  const plans: string[] = []
  const explained = async (sql: string, parameters?: SqlParameters): Promise<void> => {
    const steps = await connection.all<{ detail: string }>(`explain query plan ${sql}`, parameters)
    plans.push(steps.map((step) => step.detail).join('\n'))
  }
  await work({
    ...connection,
    async all<Row extends SqlRow>(sql: string, parameters?: SqlParameters) {
      await explained(sql, parameters)
      return connection.all<Row>(sql, parameters)
    },
    async run(sql: string, parameters?: SqlParameters) {
      await explained(sql, parameters)
      return connection.run(sql, parameters)
    },
  })
  return plans
}

const anyMessage = { channel: null, tag: null, eventTypes: null, before: null, after: null }
const someMessage = { channel: 'c', tag: 't', eventTypes: ['e'], before: 2, after: 1 }
const more = { settled: null, statusCodeClass: null, endpointId: null }
const pages: Record<string, (db: Db, search: PageSearch) => Promise<unknown>> = {
  applications: (db, page) => applications.list(db, 'env_', { withEndpointsOnly: false }, page),
  'applications with endpoints': (db, page) => applications.list(db, 'env_', { withEndpointsOnly: true }, page),
  sources: (db, page) => sources.list(db, 'env_', page),
  'what a source has received': (db, page) =>
    received.list(db, 'src_', { eventTypes: null, before: null, after: null }, page),
  'what a source has received, filtered': (db, page) =>
    received.list(db, 'src_', { eventTypes: ['e'], before: 2, after: 1 }, page),
  'what is quarantined': (db, page) => quarantine.list(db, 'src_', page),
  endpoints: (db, page) => endpoints.list(db, 'app_', page),
  'event types': (db, page) => eventTypes.list(db, 'env_', { includeArchived: true }, page),
  messages: (db, page) => messages.list(db, 'app_', anyMessage, true, page),
  'messages, filtered': (db, page) => messages.list(db, 'app_', someMessage, true, page),
  'attempts by endpoint': (db, page) => attempts.listByEndpoint(db, 'ep_', { ...anyMessage, ...more }, page),
  'attempts by endpoint, filtered': (db, page) => attempts.listByEndpoint(db, 'ep_', { ...someMessage, ...more }, page),
  'attempts by message': (db, page) => attempts.listByMessage(db, 'msg_', { ...anyMessage, ...more }, page),
  'attempts by message, filtered': (db, page) => attempts.listByMessage(db, 'msg_', { ...someMessage, ...more }, page),
  'attempted messages': (db, page) => attempts.attemptedMessages(db, 'ep_', { ...anyMessage, state: null }, true, page),
  'waiting messages': (db, page) =>
    attempts.attemptedMessages(db, 'ep_', { ...anyMessage, state: 'waiting' }, true, page),
}

for (const [what, list] of Object.entries(pages)) {
  for (const descending of [false, true]) {
    test(`a page of ${what} is read off an index, ${descending ? 'descending' : 'ascending'}, and never sorted`, async () => {
      const plans = await plansOf((db) => list(db, { beyond: null, descending, limit: 51 }))
      assert.equal(plans.length, 1)
      // jsonb_each: the few values of a filter, not a table.
      assert.doesNotMatch(plans[0] ?? '', /TEMP B-TREE|SCAN (?!jsonb_each)/)
    })
  }
}

test('whether an attempt is the last one is asked of its message, not of everything its endpoint ever got', async () => {
  const page = { beyond: null, descending: true, limit: 51 }
  const [attempted] = await plansOf((db) =>
    attempts.attemptedMessages(db, 'ep_', { ...anyMessage, state: null }, false, page),
  )
  assert.match(attempted ?? '', /SEARCH later USING (COVERING )?INDEX attempt_message \(message_id=\? AND id>\?\)/)
  const [destinations] = await plansOf((db) => attempts.destinations(db, 'msg_', page))
  assert.doesNotMatch(destinations ?? '', /attempt_endpoint|SCAN (?!seen)/)
})

test('an eventId leads to its latest message along its index, however many had it before', async () => {
  const [plan] = await plansOf((db) => messages.find(db, 'app_', 'order-1', true))
  assert.match(plan ?? '', /SEARCH message USING INDEX message_event_id \(application_id=\? AND event_id=\?\)/)
  assert.doesNotMatch(plan ?? '', /TEMP B-TREE|SCAN/)
})

test('what POSTs are remembered by is swept along the index of its time', async () => {
  const [plan] = await plansOf((db) => answers.sweepLapsed(db, 1, 500))
  assert.match(plan ?? '', /SEARCH idempotency_key USING (COVERING )?INDEX idempotency_key_until \(until<\?\)/)
  assert.doesNotMatch(plan ?? '', /TEMP B-TREE|SCAN/)
})

test('portal tokens are ended and removed along an index, never by looking at all there are', async () => {
  const [all] = await plansOf((db) => portalTokens.endAll(db, 'app_', null, 1, 10))
  assert.match(all ?? '', /INDEX portal_token_application \(application_id=\? AND expires_at>\?\)/)
  const [ofSessions] = await plansOf((db) => portalTokens.endAll(db, 'app_', ['a', 'b'], 1, 10))
  assert.match(ofSessions ?? '', /portal_token_session \(application_id=\? AND session_id=\? AND expires_at>\?\)/)
  const [expired] = await plansOf((db) => portalTokens.sweepExpired(db, 1, 10))
  assert.match(expired ?? '', /INDEX portal_token_expires \(expires_at<\?\)/)
  for (const plan of [all, ofSessions, expired]) assert.doesNotMatch(plan ?? '', /SCAN (?!jsonb_each)/)
})

test('a request finds its source by two seeks, and what is quarantined is summed up without reading any', async () => {
  const [byToken] = await plansOf((db) => sources.byToken(db, 'hash', 1))
  assert.match(byToken ?? '', /SEARCH source_token USING PRIMARY KEY \(hash=\?\)/)
  const [totals] = await plansOf((db) => quarantine.totals(db, 'src_'))
  assert.match(totals ?? '', /SEARCH quarantine USING COVERING INDEX quarantine_id \(source_id=\?\)/)
  const [tokens] = await plansOf((db) => sources.sweepTokens(db, 1, 10))
  assert.match(tokens ?? '', /INDEX source_token_until \(until<\?\)/)
  const kept: QuarantinedRequest = {
    ...{ id: 'qrtn_', sourceId: 'src_', payload: '', encoding: null, bytes: 0, acknowledged: false },
    request: {} as QuarantinedRequest['request'],
  }
  const [, capped] = await plansOf((db) => quarantine.keep(db, [kept], { count: 1, bytes: 1 }))
  assert.match(capped ?? '', /SEARCH quarantine USING COVERING INDEX quarantine_capped \(source_id=\?\)/)
  const [old] = await plansOf((db) => quarantine.sweep(db, 1, 10))
  assert.match(old ?? '', /INDEX quarantine_age \(id<\?\)/)
  for (const plan of [byToken, totals, tokens, old]) assert.doesNotMatch(plan ?? '', /SCAN |TEMP B-TREE/)
})

const walks: Record<string, (db: Db) => Promise<unknown>> = {
  'a replay': (db) =>
    tasks.look(db, {
      ...{ applicationId: 'app_', endpointId: 'ep_', after: '', below: 'msg_~', limit: 500, standings: ['failed'] },
    }),
  'the usage of an application': (db) => tasks.countAttempts(db, 'app_', null, 0, 1, 500),
  'event types asked for': (db) => tasks.subscriptions(db, ['app_']),
  'what an endpoint has settled': (db) => tallies.settled(db, 'ep_', { since: 0, until: 1 }, '', 500),
  'what waits for an endpoint': (db) => tallies.waiting(db, 'ep_', { since: 0, until: 1 }, null, 500),
  'tasks that run': (db) => tasks.running(db, 10),
}

for (const [what, walk] of Object.entries(walks)) {
  test(`a step through ${what} seeks in indexes and reads no table from end to end`, async () => {
    const plans = await plansOf(walk)
    assert.ok(plans.length > 0)
    for (const plan of plans) {
      assert.doesNotMatch(
        plan,
        /SCAN (message|attempt|delivery|endpoint|application|task|own|later)\b(?! USING INDEX task_running)/,
      )
    }
  })
}

test('where a message stands is asked of its own attempts, not of everything its endpoint ever got', async () => {
  const [looking] = await plansOf((db) => walks['a replay']?.(db) ?? Promise.reject())
  assert.match(looking ?? '', /SEARCH message USING COVERING INDEX message_id/)
  assert.doesNotMatch(looking ?? '', /attempt_endpoint/)
  const [settled] = await plansOf((db) => walks['what an endpoint has settled']?.(db) ?? Promise.reject())
  assert.match(settled ?? '', /SEARCH later USING (COVERING )?INDEX attempt_message \(message_id=\? AND id>\?\)/)
})

test('every statement that removes something finds it along an index, and never goes through a whole application', async () => {
  connection.database.exec(`
    insert into environment (id, name, created_at) values ('env_1', 'e', 1);
    insert into application (id, environment_id, name, metadata, created_at, updated_at, revision, deleted_at)
      values ('app_1', 'env_1', 'a', '{}', 1, 1, 1, 1)`)
  // Each statement has something to do, so that none is left out.
  const message = (id: string) =>
    connection.database.exec(`
      insert into message (id, application_id, event_type, event_id, payload, accepted_at, payload_until)
        values ('${id}', 'app_1', 'a', '${id}', '{}', 1, 1);
      insert into attempt (id, message_id, endpoint_id, succeeded, trigger, url, status_code, duration_ms, response,
        response_cut, started_at) values ('atmpt_${id}', '${id}', 'ep_1', 1, 0, '', 200, 1, 'ok', 0, 1);
      insert into delivery (message_id, endpoint_id, attempts, due_at, trigger, order_key)
        values ('${id}', 'ep_1', 0, 1, 0, 'k')`)
  const ending = { ended: 'expired', response: '', at: 5, id: 'atmpt_0V70MWDg009w5hGeoKe2UGKXBqD' } as const
  const plans = await plansOf(async (db) => {
    await retention.applications(db, '', 10)
    message('msg_1')
    await expunge.messages(db, 'app_1', ['msg_1'], ending)
    message('msg_2')
    await retention.wipeLapsed(db, ending)
    connection.database.exec("update message set payload = '{}'")
    await retention.wipePayloads(db, 'app_1', 'msg_z', ending)
    message('msg_3')
    await retention.deleteMessages(db, 'app_1', '', 'msg_z', 5)
    await retention.deleteEndpoints(db, '', 9)
    await retention.deleteApplication(db, 'app_1')
  })
  assert.ok(plans.length > 25, `${plans.length} statements were seen`)
  for (const plan of plans) {
    assert.doesNotMatch(plan, /SCAN (?!jsonb_each|CONSTANT ROW|firsts|late)|TEMP B-TREE/)
    assert.doesNotMatch(plan, /SEARCH message USING INDEX message_id \(application_id=\?\)/)
  }
})

test('a claim takes what it picked by its keys, not by going through all that waits for the endpoint', async () => {
  connection.database.exec(
    "insert into delivery (message_id, endpoint_id, attempts, due_at, trigger) values ('msg_1', 'ep_1', 0, 1, 0)",
  )
  const ask = {
    now: 2,
    until: 3,
    lease: 'lease_1',
    after: '',
    visits: 2,
    share: 4,
    shares: new Map(),
    room: 4,
  } as const
  const [ring, pick, messages, take] = await plansOf((db) => road.claim(db, { ...ask, bytes: 100 }))
  assert.doesNotMatch(ring ?? '', /SCAN delivery|TEMP B-TREE/)
  assert.match(pick ?? '', /SEARCH delivery USING INDEX delivery_due \(endpoint_id=\? AND due_at<\?\)/)
  assert.match(pick ?? '', /SEARCH message USING INDEX message_id \(application_id=\? AND id=\?\)/)
  assert.match(messages ?? '', /SEARCH message USING INDEX message_id \(application_id=\? AND id=\?\)/)
  assert.match(take ?? '', /SEARCH delivery USING PRIMARY KEY \(message_id=\? AND endpoint_id=\?\)/)
})

test('the next of an order is found along the index of orders, not among all that waits', async () => {
  const [giveWay, plan] = await plansOf((db) => promote(db, 1, '[["ep_","key"]]'))
  assert.match(giveWay ?? '', /SEARCH delivery USING (COVERING )?INDEX delivery_order_under_way/)
  assert.match(plan ?? '', /SEARCH first USING COVERING INDEX delivery_order \(endpoint_id=\? AND order_key=\?\)/)
  assert.match(plan ?? '', /SEARCH delivery USING PRIMARY KEY \(message_id=\? AND endpoint_id=\?\)/)
  assert.doesNotMatch(plan ?? '', /LIST SUBQUERY/, 'not every message at every endpoint')
  assert.doesNotMatch(plan ?? '', /SCAN (delivery|first)\b/)
})
