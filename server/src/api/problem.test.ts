import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Problem } from '../domain/problem.ts'
import { problemJson } from './problem.ts'

// Found by `npm run fuzz`: {"metadata":{"a\u0000":{}}} was answered with a pointer that the document does not allow.
test('what a problem says back of a request has no U+0000 in it, nor half of a pair', () => {
  const faults = [{ pointer: '/metadata/a\u0000', message: 'has no member \ud800' }]
  const problem = new Problem('request-invalid', '/metadata/a\u0000 must be string.', faults)
  const told = JSON.parse(problemJson(problem, 'http://localhost'))
  assert.equal(told.detail, '/metadata/a\ufffd must be string.')
  assert.deepEqual(told.errors, [{ pointer: '/metadata/a\ufffd', message: 'has no member \ufffd' }])
})
