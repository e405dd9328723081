import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { NewMessage } from '../../ports/store.ts'
import { type OpenStore, openedOnce } from './opened.ts'
import { pagesThrough, wholeList } from './paging.ts'
import { batch, samples } from './samples.ts'

export const everyMessage = { channel: null, tag: null, eventTypes: null, before: null, after: null } as const

// What is valid JSON and gets lost when text is parsed and printed, counted in the wrong unit, or escaped by hand.
const nastyPayloads = {
  'numbers no double holds': '{"id":12345678901234567890,"a":1.0,"b":1e3,"c":-0,"d":1E+400}',
  'duplicate keys and odd spacing': ' { "a" : 1 ,\t"a":\r\n2 } ',
  'escapes as text': '{"a":"\\u0041\\u0000\\ud800\\/\\"\\\\ \\\\u0041"}',
  'characters outside of the basic plane': '{"🦄":"👩‍👩‍👧 𝔘𝔫𝔦 \u{10ffff}"}',
  'line separators, a byte order mark and a delete': '{"a":"\u2028\u2029\ufeff\u007f\u0085"}',
  'combined and right-to-left': '{"a":"e\u0301 é שלום \u202e ﷽"}',
  'quotes of SQL and of formats': `{"a":"'; drop table message; -- %s $1 :now ?1 @each(x) \${x}"}`,
  'a mebibyte': JSON.stringify({ a: '€x'.repeat(256 * 1024) }),
}

export function messagesConformance(open: OpenStore): void {
  const store = openedOnce(open)
  const make = samples()
  const lease = make.id('lease')
  const commit = (...messages: NewMessage[]) => store().road.commit(batch({ lease, messages }))

  test('a message comes back as it was given, by id and by eventId', async () => {
    const message = make.message(make.id('application'), {
      ...{ eventType: 'user/created', eventId: 'evt 1: "ä"', channels: ['eu:1', 'b'], tags: ['x"y', ''] },
      ...{ contentType: 'application/cloudevents+json', payload: '{"a": 1.0}' },
    })
    await commit(message)
    const { applicationId } = message
    assert.deepEqual(await store().messages.find(applicationId, message.id, true), message)
    assert.deepEqual(await store().messages.find(applicationId, 'evt 1: "ä"', true), message)
    assert.deepEqual(await store().messages.find(applicationId, message.id, false), { ...message, payload: null })
    assert.equal(await store().messages.find(applicationId, make.id('message'), true), null)
    assert.equal(await store().messages.find(applicationId, 'EVT 1: "ä"', true), null)
  })

  test('another application finds a message neither by id nor by eventId', async () => {
    const message = make.message(make.id('application'), { eventId: 'one' })
    await commit(message)
    assert.equal(await store().messages.find(make.id('application'), message.id, true), null)
    assert.equal(await store().messages.find(make.id('application'), 'one', true), null)
  })

  test('an eventId that looks like a message id is found, but never hides the message of that id', async () => {
    const applicationId = make.id('application')
    const byId = make.message(applicationId)
    const shadow = make.message(applicationId, { eventId: byId.id })
    const byEventId = make.message(applicationId, { eventId: make.id('message') })
    await commit(byId, shadow, byEventId)
    assert.equal((await store().messages.find(applicationId, byId.id, false))?.id, byId.id)
    assert.equal((await store().messages.find(applicationId, byEventId.eventId ?? '', false))?.id, byEventId.id)
  })

  for (const [what, payload] of Object.entries(nastyPayloads)) {
    test(`a payload keeps every character: ${what}`, async () => {
      const message = make.message(make.id('application'), { payload })
      await commit(message)
      const found = await store().messages.find(message.applicationId, message.id, true)
      assert.ok(found?.payload === payload, 'the payload found is the payload given')
      const listed = await store().messages.list(message.applicationId, everyMessage, true, wholeList)
      assert.ok(listed[0]?.payload === payload, 'and so is the one listed')
    })
  }

  test('a list goes both ways, page by page, and carries payloads only when asked to', async () => {
    const applicationId = make.id('application')
    const rows = Array.from({ length: 5 }, (_, n) => make.message(applicationId, { payload: `{"n":${n}}` }))
    await commit(...rows.toReversed(), make.message(make.id('application')))
    for (const withPayload of [true, false]) {
      await pagesThrough(
        (search) => store().messages.list(applicationId, everyMessage, withPayload, search),
        (row) => row.id,
        rows.map((row) => row.id),
      )
    }
    assert.deepEqual(await store().messages.list(applicationId, everyMessage, true, wholeList), rows)
    const bare = rows.map((row) => ({ ...row, payload: null }))
    assert.deepEqual(await store().messages.list(applicationId, everyMessage, false, wholeList), bare)
  })

  test('a filter by event type takes any of those named, and none when none is named', async () => {
    const applicationId = make.id('application')
    const rows = ['a', 'b', 'a.b', 'c', 'A'].map((eventType) => make.message(applicationId, { eventType }))
    await commit(...rows)
    const listed = async (eventTypes: string[]) => {
      const found = await store().messages.list(applicationId, { ...everyMessage, eventTypes }, false, wholeList)
      return found.map((row) => row.eventType)
    }
    assert.deepEqual(await listed(['c', 'a']), ['a', 'c'])
    assert.deepEqual(await listed(['a%', 'x']), [])
    assert.deepEqual(await listed([]), [])
  })

  test('a filter by channel or tag takes exactly that one, not what is spelled around it', async () => {
    const applicationId = make.id('application')
    // Each of these would be found for another one by some way of searching in the JSON text.
    const texts = ['a', 'A', 'aa', '%', '_', ',', '","', 'x,', '"', 'say "a"', '\\', 'ü', 'u0061', '[', '', '1', 'null']
    const rows = texts.flatMap((text) => [
      make.message(applicationId, { tags: [text], channels: ['first', text] }),
      make.message(applicationId, { tags: ['x,', text, ',y'] }),
    ])
    await commit(...rows, make.message(applicationId), make.message(applicationId, { tags: [], channels: [] }))
    for (const text of [...texts, 'say', 'b', ' ']) {
      const byTag = await store().messages.list(applicationId, { ...everyMessage, tag: text }, false, wholeList)
      assert.deepEqual(
        byTag.map((row) => row.id),
        rows.filter((row) => row.tags?.includes(text)).map((row) => row.id),
        `tag ${text}`,
      )
      const byChannel = await store().messages.list(applicationId, { ...everyMessage, channel: text }, false, wholeList)
      assert.deepEqual(
        byChannel.map((row) => row.id),
        rows.filter((row) => row.channels?.includes(text)).map((row) => row.id),
        `channel ${text}`,
      )
    }
  })

  test('the last of ten channels is found too', async () => {
    const channels = Array.from({ length: 10 }, (_, n) => `channel-${n}`)
    const message = make.message(make.id('application'), { channels })
    await commit(message)
    for (const channel of channels) {
      const found = await store().messages.list(message.applicationId, { ...everyMessage, channel }, false, wholeList)
      assert.equal(found.length, 1, channel)
    }
  })

  test('a span of time leaves out both of its moments, and goes together with filters and pages', async () => {
    const applicationId = make.id('application')
    const rows: NewMessage[] = []
    for (let n = 0; n < 7; n++) {
      make.pass(1_000)
      rows.push(make.message(applicationId, { channels: n === 3 ? null : ['c'] }))
    }
    await commit(...rows)
    const [after, before] = [rows[0]?.acceptedAt ?? 0, rows[6]?.acceptedAt ?? 0]
    const keys = (some: readonly NewMessage[]) => some.map((row) => row.id)
    const listed = (filter: Partial<Parameters<ReturnType<typeof store>['messages']['list']>[1]>, ids: string[]) =>
      pagesThrough(
        (search) => store().messages.list(applicationId, { ...everyMessage, ...filter }, false, search),
        (row) => row.id,
        ids,
      )
    await listed({ after }, keys(rows.slice(1)))
    await listed({ before }, keys(rows.slice(0, 6)))
    await listed({ after, before }, keys(rows.slice(1, 6)))
    await listed({ after, before, channel: 'c' }, keys([...rows.slice(1, 3), ...rows.slice(4, 6)]))
    assert.deepEqual(
      await store().messages.list(applicationId, { ...everyMessage, after: before }, false, wholeList),
      [],
    )
    const none = { ...everyMessage, after: before, before: after }
    assert.deepEqual(await store().messages.list(applicationId, none, false, wholeList), [])
  })
}
