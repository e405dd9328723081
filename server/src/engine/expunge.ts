import { whyEnded } from '../domain/attempt.ts'
import type { ApplicationId, MessageId, makeIds } from '../domain/ids.ts'
import type { Ending, Store } from '../ports/store.ts'
import type { World } from '../ports/world.ts'
import type { Dispatcher } from './dispatch.ts'
import type { GroupCommit } from './group-commit.ts'

/** Removes content from the store and from what the road holds in memory. */
export class Expunger {
  readonly #store: Pick<Store, 'expunge'>
  readonly #dispatcher: Dispatcher
  readonly #commits: GroupCommit
  readonly #world: World
  readonly #newId: ReturnType<typeof makeIds>

  constructor(parts: {
    store: Pick<Store, 'expunge'>
    dispatcher: Dispatcher
    commits: GroupCommit
    world: World
    newId: ReturnType<typeof makeIds>
  }) {
    this.#store = parts.store
    this.#dispatcher = parts.dispatcher
    this.#commits = parts.commits
    this.#world = parts.world
    this.#newId = parts.newId
  }

  /**
   * Takes the content of these messages: payloads, receivers' answers, what waits to be sent. Resolves to how many
   * payloads there were. The bytes are gone from the files when `forGood` has resolved afterwards.
   */
  async expunge(applicationId: ApplicationId, messageIds: readonly MessageId[]): Promise<number> {
    let wiped = 0
    const ending: Ending = {
      ended: 'canceled',
      response: whyEnded.canceled,
      at: this.#world.now(),
      id: this.#newId('attempt'),
    }
    const wipe = async (): Promise<void> => {
      for (let left = messageIds; left.length > 0; ) {
        const step = await this.#store.expunge.messages(applicationId, left, ending)
        left = step.left
        wiped += step.wiped
      }
    }
    await wipe()
    // First the store, so that nothing is claimed from it any more; then memory; then what memory had handed over already.
    if (await this.#dispatcher.messages.expunge(applicationId, messageIds)) {
      await this.#commits.written()
      await wipe()
    }
    return wiped
  }

  /**
   * The next step of expunging all messages of an application: up to `limit` of those between two ids, oldest first.
   * `last`: where to go on; null: there were none. `count`: payloads among the messages `seen`. Whoever runs the steps calls `forGood` after the last one.
   */
  async expungeBetween(
    applicationId: ApplicationId,
    above: MessageId | '',
    below: MessageId,
    limit: number,
  ): Promise<{ readonly last: MessageId | null; readonly seen: number; readonly count: number }> {
    const ids = await this.#store.expunge.idsBetween(applicationId, above, below, limit)
    return { last: ids.at(-1) ?? null, seen: ids.length, count: await this.expunge(applicationId, ids) }
  }
}
