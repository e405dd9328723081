import assert from 'node:assert/strict'
import { test } from 'node:test'
import prometheus from 'prom-client'
import { Histogram } from './histogram.ts'

test('a histogram reads as that of the usual client library does, whatever was observed', async () => {
  const bounds = [0.001, 0.01, 0.5, 1, 60]
  const own = new Histogram('some_seconds', 'What it was', bounds)
  const registry = new prometheus.Registry()
  const other = new prometheus.Histogram({
    ...{ name: 'some_seconds', help: 'What it was', buckets: bounds, registers: [registry] },
  })
  assert.equal(own.render(), (await registry.metrics()).trim())
  for (const value of [0, 0.001, 0.0011, 0.01, 0.25, 0.5, 0.75, 1, 59.9, 60, 61, 1e9, 0.1, 0.2]) {
    own.observe(value)
    other.observe(value)
  }
  assert.equal(own.render(), (await registry.metrics()).trim())
})
