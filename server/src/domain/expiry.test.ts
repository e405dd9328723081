import assert from 'node:assert/strict'
import { test } from 'node:test'
import { expiresAt } from './expiry.ts'

const message = { acceptedAt: 1_000, deliverAt: null, expiresAt: null }

test('where nobody says otherwise a message never expires', () => {
  assert.equal(expiresAt(message, 0, 'scheduled'), Number.POSITIVE_INFINITY)
})

test('an endpoint counts from the acceptance, and from its moment where a message has one', () => {
  assert.equal(expiresAt(message, 500, 'scheduled'), 1_500)
  assert.equal(expiresAt({ ...message, deliverAt: 9_000 }, 500, 'scheduled'), 9_500)
})

test('of what the publisher says and what the endpoint says the earlier counts', () => {
  assert.equal(expiresAt({ ...message, expiresAt: 1_200 }, 500, 'scheduled'), 1_200)
  assert.equal(expiresAt({ ...message, expiresAt: 1_800 }, 500, 'scheduled'), 1_500)
  assert.equal(expiresAt({ ...message, expiresAt: 1_800 }, 0, 'scheduled'), 1_800)
})

test('what is asked for by hand is late for no endpoint, but not sent past what its publisher said', () => {
  assert.equal(expiresAt(message, 500, 'manual'), Number.POSITIVE_INFINITY)
  assert.equal(expiresAt({ ...message, expiresAt: 1_800 }, 500, 'manual'), 1_800)
})
