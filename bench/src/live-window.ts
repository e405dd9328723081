import { setTimeout as wait } from 'node:timers/promises'
import type { Target } from './gateway.ts'
import { fixedRate, type LoadAsk } from './generator.ts'
import type { Quantiles } from './latency.ts'
import { audit } from './ledger.ts'
import type { CountingReceiver } from './receiver.ts'
import { whole } from './table.ts'

/** One window of a fixed rate to a receiver that is well, whatever else the gateway has to do meanwhile. */
export interface LiveWindow {
  readonly publish: Quantiles
  readonly receiver: Quantiles
  readonly late: Quantiles
  readonly faults: readonly string[]
}

const arrivesWithinMs = 120_000

/** The receiver is asked, and not the gateway: others' deliveries may be waiting for long. */
export async function liveWindow(
  receiver: CountingReceiver,
  target: Target,
  ratePerS: number,
  ask: Pick<LoadAsk, 'seconds' | 'connections'>,
): Promise<LiveWindow> {
  await receiver.reset()
  const { ids, failed, publish, late } = await fixedRate(target, ratePerS, ask)
  const end = performance.now() + arrivesWithinMs
  while ((await receiver.received()) < ids.length && performance.now() < end) await wait(25)
  const found = await audit(receiver, ids, 0)
  const { latency } = await receiver.seen()
  const refused = failed > 0 ? [`${whole(failed)} publish calls were not answered 202`] : []
  return { publish, late, receiver: latency, faults: [...refused, ...found.faults] }
}
