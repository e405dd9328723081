import type { Facts, Rule } from '../model.ts'
import { breaker } from './breaker.ts'
import { canceled } from './canceled.ts'
import { inFlight } from './in-flight.ts'
import { lease } from './lease.ts'
import { memory } from './memory.ts'
import { once } from './once.ts'
import { order } from './order.ts'
import { pause } from './pause.ts'
import { rate } from './rate.ts'
import { recorded } from './recorded.ts'
import { retries } from './retries.ts'
import { settles } from './settles.ts'

/** What the engine promises, whatever happens to it. */
export const rules: readonly ((facts: Facts) => Rule)[] = [
  ...[lease, once, order, rate, inFlight, breaker, pause, recorded, retries, canceled, settles, memory],
]
