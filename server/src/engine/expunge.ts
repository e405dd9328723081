import { whyEnded } from '../domain/attempt.ts'
import type { ApplicationId, MessageId, makeIds } from '../domain/ids.ts'
import type { Ending, Store } from '../ports/store.ts'
import type { World } from '../ports/world.ts'
import type { Dispatcher } from './dispatch.ts'
import type { GroupCommit } from './group-commit.ts'
import type { Recall } from './recall.ts'

/** Removes content from the store and from what the road holds in memory. */
export class Expunger {
  readonly #store: Pick<Store, 'expunge'>
  readonly #dispatcher: Dispatcher
  readonly #commits: GroupCommit
  readonly #recall: Recall
  readonly #world: World
  readonly #newId: ReturnType<typeof makeIds>

  constructor(parts: {
    store: Pick<Store, 'expunge'>
    dispatcher: Dispatcher
    commits: GroupCommit
    recall: Recall
    world: World
    newId: ReturnType<typeof makeIds>
  }) {
    this.#store = parts.store
    this.#dispatcher = parts.dispatcher
    this.#commits = parts.commits
    this.#recall = parts.recall
    this.#world = parts.world
    this.#newId = parts.newId
  }

  /**
   * Takes the content of these messages: payloads, receivers' answers, what waits to be sent. Resolves to how many
   * payloads there were. The bytes are gone from the files when `forGood` has resolved afterwards.
   */
  async expunge(applicationId: ApplicationId, messageIds: readonly MessageId[]): Promise<number> {
    const wiped = await this.#wipe(applicationId, messageIds)
    // First the store, so that nothing is claimed from it any more; then memory, here and elsewhere; then what memory had
    // handed over already.
    const [held] = await Promise.all([
      this.#recall.fromOthers({ kind: 'expunge', applicationId, messageIds }),
      this.expungeHot(applicationId, messageIds),
    ])
    return held.length > 0 ? wiped + (await this.#wipe(applicationId, messageIds)) : wiped
  }

  /** Lets go of what is held here of messages whose content another node, or this one, has removed from the store. */
  async expungeHot(applicationId: ApplicationId, messageIds: readonly MessageId[]): Promise<void> {
    if (!(await this.#dispatcher.messages.expunge(applicationId, messageIds))) return
    await this.#commits.written()
    await this.#wipe(applicationId, messageIds)
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
  async #wipe(applicationId: ApplicationId, messageIds: readonly MessageId[]): Promise<number> {
    const ending: Ending = {
      ended: 'canceled',
      response: whyEnded.canceled,
      at: this.#world.now(),
      id: this.#newId('attempt'),
    }
    let wiped = 0
    for (let left = messageIds; left.length > 0; ) {
      const step = await this.#store.expunge.messages(applicationId, left, ending)
      left = step.left
      wiped += step.wiped
    }
    return wiped
  }
}
