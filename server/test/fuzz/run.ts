import { startReceiver } from '../support/receiver.ts'
import { readDocument } from './document.ts'
import { startGateway, type Weight } from './gateway.ts'
import { type RoundResult, round } from './round.ts'
import { growthOf } from './verdict.ts'

export interface RunOptions {
  readonly seeds: number
  readonly first: number
  readonly requests: number
  /** Gets each round as it is over. */
  readonly tell: (seed: number, result: RoundResult, weight: Weight, seconds: number) => void
}

export interface RunResult {
  /** How the environment was filled whose ids the seeds know: nothing bent, and held to the same. */
  readonly neighbour: RoundResult
  readonly rounds: readonly RoundResult[]
  /** How its memory grew, where it did beyond bounds. */
  readonly growth: string | null
}

/** One seed after the other on one gateway, each in an environment of its own, so that each can be run again alone. */
export async function run({ seeds, first, requests, tell }: RunOptions): Promise<RunResult> {
  const environments = Array.from({ length: seeds }, (_, n) => `seed-${first + n}`)
  const receiver = await startReceiver()
  receiver.answer = ({ body }, response) => response.writeHead(body.length % 5 === 0 ? 500 : 200).end()
  const gateway = await startGateway(['neighbour', ...environments])
  try {
    const document = await readDocument(gateway.url)
    const shared = { gateway, document, hook: receiver.url }
    const keyOf = (environment: string): string => gateway.keys.get(environment) ?? ''
    // The neighbour's are the same kinds of things, and no more is done with them.
    const neighbour = await round({
      ...shared,
      key: keyOf('neighbour'),
      seed: 0,
      requests: 0,
      timed: false,
      foreign: [],
    })
    const foreign = neighbour.ids
    const rounds: RoundResult[] = []
    let before: Weight | null = null
    let after: Weight | null = null
    for (const [at, environment] of environments.entries()) {
      const seed = first + at
      const startedAt = performance.now()
      const result = await round({ ...shared, seed, requests, timed: true, foreign, key: keyOf(environment) })
      rounds.push(result)
      if (!gateway.ended()) after = await gateway.weigh()
      before ??= after
      tell(seed, result, after ?? { rss: 0, held: 0 }, (performance.now() - startedAt) / 1_000)
      if (gateway.ended()) break
    }
    return { neighbour, rounds, growth: before === null || after === null ? null : growthOf(before, after) }
  } finally {
    await gateway.stop()
    await receiver.close()
  }
}
