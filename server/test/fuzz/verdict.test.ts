import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { FuzzRequest } from './request.ts'
import { doorOperation, faultsOf, growthOf, slownessOf } from './verdict.ts'
import type { Heard } from './wire.ts'

const request = (more: Partial<FuzzRequest> = {}): FuzzRequest => ({
  ...{ operationId: 'v1.application.get', method: 'GET', target: '/api/v1/app/a', headers: [], body: null },
  ...{ twists: [], sentBytes: null, ...more },
})
const bentPath = request({ twists: [{ layer: 'path', what: 'a space' }] })

const answer = (status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): Heard => ({
  kind: 'answer',
  answer: {
    ...{ status, body: typeof body === 'string' ? body : JSON.stringify(body) },
    headers: new Map(
      Object.entries({
        ...{ 'x-request-id': 'req_1', 'content-type': 'application/problem+json; charset=utf-8' },
        ...headers,
      }),
    ),
  },
})
const problem = (status: number, code: string, more: object = {}) => ({
  ...{ type: `http://posthorn.test/docs/problems/${code}`, title: 'T', status, code, detail: 'D' },
  ...more,
})

test('a refusal that the document describes is right, and one that it does not is not', () => {
  assert.deepEqual(faultsOf(request(), answer(404, problem(404, 'not-found'))), [])
  assert.match(faultsOf(request(), answer(409, problem(409, 'uid-taken')))[0] ?? '', /status is not described/)
  assert.match(faultsOf(request(), answer(404, problem(404, 'uid-taken')))[0] ?? '', /code/)
  assert.match(faultsOf(request(), answer(404, { code: 'not-found' }))[0] ?? '', /required/)
  assert.match(faultsOf(request(), answer(404, '<html>'))[0] ?? '', /not JSON/)
  const asText = answer(404, problem(404, 'not-found'), { 'content-type': 'text/plain' })
  assert.match(faultsOf(request(), asText)[0] ?? '', /text\/plain/)
})

test('what HTTP refuses must be a problem, whichever operation it was meant for', () => {
  assert.deepEqual(faultsOf(bentPath, answer(408, problem(408, 'request-timeout'))), [])
  assert.match(faultsOf(request(), answer(408, problem(408, 'request-timeout')))[0] ?? '', /not described/)
  assert.notDeepEqual(faultsOf(bentPath, answer(404, 'Not Found')), [])
})

test('no status of 500 and above is right but a documented 503 or 501, and nothing that has an incident is', () => {
  const unavailable = answer(503, problem(503, 'unavailable'), { 'retry-after': '1' })
  assert.deepEqual(faultsOf(request(), unavailable), [])
  assert.deepEqual(faultsOf(bentPath, answer(501, problem(501, 'not-built'))), [])
  for (const heard of [
    answer(500, problem(500, 'internal')),
    answer(503, problem(503, 'unavailable', { incident: 'inc_1' }), { 'retry-after': '1' }),
    answer(503, problem(503, 'internal')),
  ]) {
    assert.equal(faultsOf(request(), heard).length, 1)
    assert.equal(faultsOf(request({ operationId: doorOperation }), heard).length, 1)
  }
  assert.equal(faultsOf(request(), answer(502, '')).length, 1)
  assert.deepEqual(faultsOf(request({ operationId: doorOperation }), answer(502, '')), [], 'as a source may answer')
})

test('a connection may be closed on who did not speak HTTP, and on nobody else', () => {
  assert.deepEqual(faultsOf(bentPath, { kind: 'closed' }), [])
  assert.equal(faultsOf(request(), { kind: 'closed' }).length, 1)
  assert.equal(faultsOf(bentPath, { kind: 'silent' }).length, 1)
  assert.equal(faultsOf(bentPath, { kind: 'garbled', text: 'x' }).length, 1)
})

test('a request is slow where the gateway worked all the time, or answered others meanwhile; not where the machine is', () => {
  assert.equal(slownessOf({ ms: 999, cpuMs: 999, starvedMs: 0, besideMs: [] }), null)
  assert.match(slownessOf({ ms: 1_500, cpuMs: 1_400, starvedMs: 0, besideMs: [1_200] }) ?? '', /worked for 1400 ms/)
  assert.match(
    slownessOf({ ms: 1_500, cpuMs: 20, starvedMs: 0, besideMs: [10, 12, 11] }) ?? '',
    /3 others account for 0 ms/,
  )
  assert.equal(slownessOf({ ms: 1_500, cpuMs: 300, starvedMs: 900, besideMs: [2, 2] }), null)
  assert.notEqual(slownessOf({ ms: 3_000, cpuMs: 20, starvedMs: 0, besideMs: [1_500, 2, 2] }), null)
  assert.equal(slownessOf({ ms: 4_000, cpuMs: 300, starvedMs: 0, besideMs: [1_900, 1_800] }), null)
  assert.notEqual(slownessOf({ ms: 25_000, cpuMs: 0, starvedMs: 0, besideMs: [24_000] }), null)
})

test('memory may breathe, and not grow', () => {
  const mib = 1024 * 1024
  const before = { rss: 300 * mib, held: 60 * mib }
  assert.equal(growthOf(before, { rss: 400 * mib, held: 90 * mib }), null)
  assert.match(growthOf(before, { rss: 400 * mib, held: 93 * mib }) ?? '', /holds 93 MiB/)
  assert.match(growthOf(before, { rss: 600 * mib, held: 60 * mib }) ?? '', /memory is 600 MiB/)
})
