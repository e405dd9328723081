import assert from 'node:assert/strict'
import { test } from 'node:test'
import fastify from 'fastify'
import { checked } from './contract-check.ts'

const application = {
  id: 'app_1',
  uid: null,
  name: 'A',
  throttleRate: null,
  rateLimit: null,
  metadata: {},
  control: {},
  createdAt: '2026-01-01T00:00:00.000Z',
  updatedAt: '2026-01-01T00:00:00.000Z',
}
const problem = { type: 'http://localhost/p', title: 'T', status: 404, code: 'not-found', detail: 'D' }
const { name, ...nameless } = application

interface Answer {
  readonly status: number
  readonly type?: string
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
}

/** What the check finds wrong with this answer of `v1.application.get`, or of a path that is none. */
async function breaches({ status, type = 'application/json', body, headers }: Answer, path = '/api/v1/app/a') {
  const { made, breaches } = await checked(async () => {
    const app = fastify({ exposeHeadRoutes: false })
    const answer = { 'x-request-id': 'r', 'content-type': type, ...headers }
    app.get('/api/v1/app/:app_id', (_, reply) => reply.code(status).headers(answer).send(JSON.stringify(body)))
    app.setNotFoundHandler((_, reply) => reply.code(status).headers(answer).send(JSON.stringify(body)))
    return app
  })
  await made.inject(path)
  await made.close()
  return breaches.found
}

const problemJson = 'application/problem+json; charset=utf-8'

test('an answer as it is described passes', async () => {
  assert.deepEqual(await breaches({ status: 200, body: application }), [])
  assert.deepEqual(await breaches({ status: 404, type: problemJson, body: problem }), [])
  assert.deepEqual(await breaches({ status: 404, type: problemJson, body: problem }, '/api/v1/nowhere'), [])
})

const wrong: readonly (readonly [what: string, answer: Answer, breach: RegExp])[] = [
  ['a status that is not described', { status: 418, body: {} }, /status is not described/],
  ['a content type that is not described', { status: 200, type: 'text/plain', body: application }, /text\/plain/],
  ['a member that is missing', { status: 200, body: nameless }, /required property 'name'/],
  ['a member of another type', { status: 200, body: { ...application, name: 1 } }, /\/name must be string/],
  ['a member that is not described', { status: 200, body: { ...application, more: 1 } }, /additionalProperty.*more/],
  ['a body that is missing', { status: 200 }, /no body/],
  [
    'a problem this operation does not have',
    { status: 404, type: problemJson, body: { ...problem, code: 'uid-taken' } },
    /\/code/,
  ],
  [
    'a header that is required',
    { status: 503, type: problemJson, body: { ...problem, code: 'unavailable' } },
    /Retry-After/,
  ],
  [
    'a header that is not as described',
    { status: 200, body: application, headers: { 'x-request-id': ' ' } },
    /X-Request-Id/,
  ],
]

for (const [what, answer, breach] of wrong) {
  test(`${what} is found`, async () => {
    const found = await breaches(answer)
    assert.equal(found.length, 1)
    assert.match(found[0] ?? '', breach)
  })
}

test('what is on no path of the table must be a problem', async () => {
  const [breach = ''] = await breaches({ status: 200, body: application }, '/api/v1/nowhere')
  assert.match(breach, /not described by any operation/)
})
