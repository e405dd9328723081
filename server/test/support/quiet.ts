import pg from 'pg'
import type { Store } from '../../src/ports/store.ts'
import type { TestWorld } from './world.ts'

const turnsOfQuiet = 20
const patienceMs = 30_000 // of real time: as for `eventually`

/** What this process has asked a PostgreSQL for and not been answered: its answers come when that server gets round to them. */
let unanswered = 0
const counted = {
  apply(method: (...asked: never[]) => unknown, client: unknown, asked: unknown[]): unknown {
    const answer: unknown = Reflect.apply(method, client, asked)
    if (!(answer instanceof Promise)) return answer
    unanswered += 1
    const answered = (): void => {
      unanswered -= 1
    }
    answer.then(answered, answered)
    return answer
  },
}
pg.Client.prototype.connect = new Proxy<typeof pg.Client.prototype.connect>(pg.Client.prototype.connect, counted)
pg.Client.prototype.query = new Proxy<typeof pg.Client.prototype.query>(pg.Client.prototype.query, counted)

/** Where a commit can be seen, whoever made it may not have been told yet: to move the clock then makes it a late one. */
export const nothingUnanswered = (): boolean => unanswered === 0

/** Lets whatever is due now happen, so that what has not happened then is not due. */
export async function quiet(world: TestWorld, store: Store): Promise<void> {
  const deadline = performance.now() + patienceMs
  for (let turn = 0; turn < turnsOfQuiet; ) {
    await world.advance(0)
    // A file's store does one thing after the other: what it was asked for before is done.
    await store.ping()
    turn = nothingUnanswered() ? turn + 1 : 0
    if (performance.now() > deadline) throw new Error(`${unanswered} questions to the database unanswered for too long`)
  }
}
