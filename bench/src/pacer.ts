// A thread that keeps time for the fixed rate: timers of the event loop are a whole millisecond apart, and spinning
// would take a core from the gateway. Posts how many messages are due by now.
import { parentPort, workerData } from 'node:worker_threads'
import { nowUs } from './message.ts'

const { startUs, ratePerS, count }: { startUs: number; ratePerS: number; count: number } = workerData
const sleeper = new Int32Array(new SharedArrayBuffer(4))

for (let due = 0; due < count; ) {
  const waitMs = (startUs + (due * 1e6) / ratePerS - nowUs()) / 1000
  if (waitMs > 0) Atomics.wait(sleeper, 0, 0, waitMs)
  const now = Math.min(count, Math.floor(((nowUs() - startUs) * ratePerS) / 1e6) + 1)
  if (now > due) {
    due = now
    parentPort?.postMessage(due)
  }
}
