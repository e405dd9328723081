// A thread that counts as fast as it can between two moments (microseconds since 1970 UTC), and posts how far it came.
import { parentPort, workerData } from 'node:worker_threads'
import { nowUs } from './message.ts'

const { startUs, endUs }: { startUs: number; endUs: number } = workerData
let rounds = 0
let sum = 0
while (nowUs() < startUs);
for (; nowUs() < endUs; rounds += 1) for (let i = 0; i < 10_000; i += 1) sum = (sum + i) | 0
// The sum goes along only so that the loop cannot be optimised away.
parentPort?.postMessage([rounds, sum])
