import type { ApplicationId, MessageId } from '../domain/ids.ts'
import type { Store } from '../ports/store.ts'
import type { Dispatcher } from './dispatch.ts'
import type { GroupCommit } from './group-commit.ts'

/** Removes content from the store and from what the road holds in memory. */
export class Expunger {
  readonly #store: Pick<Store, 'expunge'>
  readonly #dispatcher: Dispatcher
  readonly #commits: GroupCommit

  constructor(parts: { store: Pick<Store, 'expunge'>; dispatcher: Dispatcher; commits: GroupCommit }) {
    this.#store = parts.store
    this.#dispatcher = parts.dispatcher
    this.#commits = parts.commits
  }

  /**
   * Takes the content of these messages: payloads, receivers' answers, what waits to be sent. Resolves to how many
   * payloads there were. The bytes are gone from the files when `forGood` has resolved afterwards.
   */
  async expunge(applicationId: ApplicationId, messageIds: readonly MessageId[]): Promise<number> {
    let wiped = 0
    const wipe = async (): Promise<void> => {
      for (let left = messageIds; left.length > 0; ) {
        const step = await this.#store.expunge.messages(applicationId, left)
        left = step.left
        wiped += step.wiped
      }
    }
    await wipe()
    // First the store, so that nothing is claimed from it any more; then memory; then what memory had handed over already.
    if (this.#dispatcher.expunge(applicationId, messageIds)) {
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
