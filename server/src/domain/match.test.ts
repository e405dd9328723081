import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { DisabledBecause } from './endpoint.ts'
import { matches } from './match.ts'

// Few names, so that they meet often.
const eventType = fc.constantFrom('invoice.paid', 'invoice.sent', 'invoice', 'user.created', 'Invoice.paid')
const channel = fc.constantFrom('eu', 'us', 'project_1', 'EU')
const listOf = (name: fc.Arbitrary<string>) => fc.option(fc.uniqueArray(name, { maxLength: 3 }))
const endpoints = fc.record({
  eventTypes: listOf(eventType),
  channels: listOf(channel),
  disabledBecause: fc.option(fc.constantFrom<DisabledBecause>('owner', 'gone', 'failing'), { freq: 3 }),
})
const messages = fc.record({ eventType, channels: listOf(channel) })
const open = { eventTypes: null, channels: null, disabledBecause: null }

test('an endpoint without filters gets every message', () => {
  fc.assert(fc.property(messages, (message) => assert.deepEqual(matches(open, message), { kind: 'yes' })))
})

test('a disabled endpoint gets nothing, whoever disabled it, and that is the reason told first', () => {
  fc.assert(
    fc.property(endpoints, messages, (endpoint, message) => {
      fc.pre(endpoint.disabledBecause !== null)
      assert.deepEqual(matches(endpoint, message), { kind: 'no', because: 'disabled' })
    }),
  )
})

test('invoice.* wants all that is called invoice. and something, and nothing else', () => {
  const endpoint = { ...open, eventTypes: ['user.created', 'invoice.*'] }
  const wanted = (eventType: string) => matches(endpoint, { eventType, channels: null }).kind === 'yes'
  for (const name of ['invoice.paid', 'invoice.line.added', 'user.created']) assert.ok(wanted(name), name)
  for (const name of ['invoice', 'invoice.', 'invoices.paid', 'Invoice.paid', 'my.invoice.paid', 'user.deleted']) {
    assert.ok(!wanted(name), name)
  }
})

test('* alone wants every event type', () => {
  fc.assert(
    fc.property(eventType, (eventType) => {
      assert.deepEqual(matches({ ...open, eventTypes: ['*'] }, { eventType, channels: null }), { kind: 'yes' })
    }),
  )
})

test('an event type is wanted by its whole name: not by a prefix, not in another case', () => {
  const endpoint = { ...open, eventTypes: ['invoice.paid'] }
  assert.deepEqual(matches(endpoint, { eventType: 'invoice.paid', channels: null }), { kind: 'yes' })
  for (const other of ['invoice', 'invoice.paid.eu', 'Invoice.paid', 'invoice.*']) {
    assert.deepEqual(
      matches(endpoint, { eventType: other, channels: null }),
      { kind: 'no', because: 'event-type' },
      other,
    )
  }
})

test('an endpoint with channels gets only what shares one, and nothing that has none', () => {
  const endpoint = { ...open, channels: ['eu', 'project_1'] }
  const verdict = (channels: readonly string[] | null) =>
    matches(endpoint, { eventType: 'invoice.paid', channels }).kind
  assert.equal(verdict(['us', 'eu']), 'yes')
  assert.equal(verdict(['us']), 'no')
  assert.equal(verdict([]), 'no')
  assert.equal(verdict(null), 'no')
})

test('a verdict is yes exactly when all three conditions hold, written as sets', () => {
  fc.assert(
    fc.property(endpoints, messages, (endpoint, message) => {
      const wantsType = endpoint.eventTypes === null || new Set(endpoint.eventTypes).has(message.eventType)
      const shared = new Set(endpoint.channels).intersection(new Set(message.channels))
      const wantsChannel = endpoint.channels === null || shared.size > 0
      const verdict = matches(endpoint, message)
      assert.equal(verdict.kind === 'yes', endpoint.disabledBecause === null && wantsType && wantsChannel)
      if (verdict.kind === 'no' && verdict.because === 'event-type') assert.ok(!wantsType)
      if (verdict.kind === 'no' && verdict.because === 'channel') assert.ok(wantsType && !wantsChannel)
    }),
    { numRuns: 500 },
  )
})
