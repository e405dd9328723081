import { setTimeout as wait } from 'node:timers/promises'
import { makeLatency, type Quantiles } from './latency.ts'
import { openConsole } from './postgres.ts'

const everyMs = 50

/** Asks PostgreSQL for nothing, now and then, until `ended`: what the way there and back costs this moment, and whatever waits on it. */
export async function roundTrips(url: string, ended: AbortSignal): Promise<Quantiles> {
  await using console = await openConsole(url)
  const latency = makeLatency()
  while (!ended.aborted) {
    const from = performance.now()
    await console.rows('select 1')
    latency.record((performance.now() - from) * 1000)
    await wait(everyMs)
  }
  return latency.quantiles()
}
