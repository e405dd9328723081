// Loaded into the gateway's process before anything else: what a test cannot do from outside. On SIGUSR2 it reads its orders,
// sets the clock, has the garbage collected, and writes down that it has.

import { readFileSync, writeFileSync } from 'node:fs'
import { isMainThread } from 'node:worker_threads'

const file = process.env.HARDSHIP_ORDERS
if (isMainThread && file !== undefined) {
  const realNow = Date.now
  let aheadMs = 0
  Date.now = () => realNow() + aheadMs
  process.on('SIGUSR2', () => {
    const orders = JSON.parse(readFileSync(file, 'utf8')) as { readonly number: number; readonly aheadMs: number }
    aheadMs = orders.aheadMs
    // Twice: what a first collection lets go of may hold memory outside of the heap.
    globalThis.gc?.()
    globalThis.gc?.()
    const { heapUsed, external } = process.memoryUsage()
    writeFileSync(`${file}.done`, JSON.stringify({ number: orders.number, heapUsed, external }))
  })
}
