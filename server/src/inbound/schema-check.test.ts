import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { payloadOf } from '../domain/payload-text.ts'
import type { Source, SourceSettings } from '../domain/source.ts'
import { makeJudge } from '../judge/judge.ts'
import { realWorld } from '../world.ts'
import { makeSchemaCheck } from './schema-check.ts'

const judge = makeJudge(realWorld)
after(() => judge.close())

const schemas = {
  'invoice.paid': { type: 'object', properties: { total: { type: 'integer' } }, required: ['total'] },
  '*': { type: 'object' },
}
const check = (said: Partial<Pick<SourceSettings, 'schemaCheck' | 'schemas' | 'mode'>>) =>
  makeSchemaCheck(judge, {
    id: 'src_1' as Source['id'],
    settings: { schemaCheck: 'quarantine', schemas, mode: 'enforce', ...said },
  })
const payload = (text: string | Uint8Array) => payloadOf(Buffer.from(text))

test('a payload is held against the schema of its event type, else against the one for all others', async () => {
  const of = check({})
  const kind = async (type: string, text: string | Uint8Array) => (await of?.(type, payload(text)))?.kind
  assert.equal(await kind('invoice.paid', '{"total":12345678901234567890}'), 'passes')
  assert.equal(await kind('invoice.paid', '{"total":"1"}'), 'quarantine')
  assert.equal(await kind('invoice.sent', '{"total":"1"}'), 'passes')
  assert.equal(await kind('invoice.sent', '[]'), 'quarantine')
  assert.equal(await kind('invoice.sent', 'a=1'), 'quarantine')
  assert.equal(await kind('invoice.sent', Uint8Array.of(0xff, 0xfe)), 'quarantine')
  assert.equal(await kind('constructor', '[]'), 'quarantine')
})

test('where there is no schema for an event type, everything passes', async () => {
  const of = check({ schemas: { 'invoice.paid': { type: 'object' } } })
  assert.deepEqual(await of?.('toString', payload('[]')), { kind: 'passes' })
})

test('what does not fit is explained with the places', async () => {
  const outcome = await check({})?.('invoice.paid', payload('{"total":"1"}'))
  assert.ok(outcome?.kind === 'quarantine' && outcome.verification.reason === 'schema-violated')
  assert.match(outcome.verification.explanation.join(' '), /schema of this source for invoice\.paid.*\/total .*integer/)
})

test('a source that warns, or only observes, lets it through with the faults', async () => {
  for (const said of [{ schemaCheck: 'warn' }, { mode: 'observe' }] as const) {
    const outcome = await check(said)?.('invoice.paid', payload('{"total":"1"}'))
    assert.ok(outcome?.kind === 'warned', JSON.stringify(outcome))
    assert.equal(outcome.faults[0]?.pointer, '/total')
  }
})

test('nothing is asked where nothing is to be checked', () => {
  assert.equal(check({ schemaCheck: 'off' }), null)
  assert.equal(check({ schemas: null }), null)
})

test('a payload that cannot be checked is kept apart, not lost and not let through', async () => {
  const outcome = await check({})?.('invoice.paid', payload(JSON.stringify({ total: 1, s: 'x'.repeat(5 << 20) })))
  assert.ok(outcome?.kind === 'quarantine')
  assert.match(outcome.verification.explanation.join('\n'), /could not be checked/)
})
