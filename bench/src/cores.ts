import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import { nowUs } from './message.ts'

const startWithinUs = 500_000 // threads need a moment to be there
const spinUs = 200_000

async function spin(threads: number): Promise<number> {
  const startUs = nowUs() + startWithinUs
  const workerData = { startUs, endUs: startUs + spinUs }
  const counts = Array.from({ length: threads }, () => {
    const worker = new Worker(new URL('./spinner.ts', import.meta.url), { workerData })
    return new Promise<number>((resolve, reject) =>
      worker.once('message', ([rounds]: [number]) => resolve(rounds)).once('error', reject),
    )
  })
  return (await Promise.all(counts)).reduce((sum, count) => sum + count, 0)
}

/**
 * How fast one core is while all of them work, as a share of one alone. Near 1: cores of our own. Near 1/cores: they
 * are one core in truth, or the host has other guests, and the numbers of the day are lower than those of a quiet one.
 */
export async function coreShare(): Promise<number> {
  const alone = await spin(1)
  const threads = availableParallelism()
  return (await spin(threads)) / threads / alone
}
