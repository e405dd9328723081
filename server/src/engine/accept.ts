// ENGINE: the fast road — accept, dispatch, deliver, record. It knows ports and domain, and no engine, framework or
// wire: those are handed to it by main.

import {
  answersKeptMs,
  demandSameAsk,
  type FirstPublish,
  partOfAsk,
  type RepeatableAsk,
} from '../domain/idempotency.ts'
import type { EndpointId, EnvironmentId, MessageId, Millis, makeIds, SourceId } from '../domain/ids.ts'
import type { Message } from '../domain/message.ts'
import { type Fault, Problem } from '../domain/problem.ts'
import type { Facts } from '../ports/judge.ts'
import type { PublishKey } from '../ports/store.ts'
import type { World } from '../ports/world.ts'
import type { Directory, Routes } from './directory.ts'
import type { Dispatcher } from './dispatch.ts'
import type { GroupCommit, Kept } from './group-commit.ts'
import type { Observer } from './observer.ts'
import { makePlan, type NewFact, type Plan } from './plan.ts'
import type { SeenEventTypes } from './seen-event-types.ts'
import { nothingAgainst, type Vet, type Vetted } from './vetting.ts'

// An application that is changed this often while one message waits is not what the next reading brings either.
const mostReadings = 5

/** `repeated`: the ask was answered before, with this message. */
interface Accepted {
  readonly message: Message
  readonly repeated: boolean
  /** Where the payload does not fit its schema, in an environment that wants to be warned. */
  readonly warnings: readonly Fault[]
}

/**
 * Accepts one fact: resolves when the message and every delivery of it are on disk. `only`: goes to this endpoint and no
 * other, whatever it wants to get. The same `ask` is accepted once.
 * Throws Problem `not-found`, `request-invalid`, `event-id-taken`, `idempotency-key-reused`, `event-type-unknown`,
 * `payload-invalid` or `unavailable`.
 */
export type Publish = (
  environmentId: EnvironmentId,
  applicationIdOrUid: string,
  fact: NewFact,
  options?: { readonly only?: EndpointId; readonly ask?: RepeatableAsk | null },
) => Promise<Accepted>

/**
 * Accepts what came to a source: as `publish`, but that it was accepted before is no problem of whoever repeats it.
 * Throws Problem `not-found` when the source has just been deleted, or `unavailable`.
 */
export type Take = (
  environmentId: EnvironmentId,
  sourceId: SourceId,
  fact: NewFact,
) => Promise<
  { readonly kind: 'stored'; readonly message: Message } | { readonly kind: 'duplicate'; readonly of: MessageId }
>

/** What became of one fact of many: it is on disk, or was refused while others were accepted. */
type AcceptedOrRefused = Omit<Accepted, 'repeated'> | { readonly refused: Problem }

/**
 * Accepts many facts of one application in one commit, each of them once for the same `ask`. Throws Problem `not-found`,
 * `idempotency-key-reused` and `unavailable`; others are told for each.
 */
export type PublishAll = (
  environmentId: EnvironmentId,
  applicationIdOrUid: string,
  facts: readonly NewFact[],
  ask: RepeatableAsk | null,
) => Promise<readonly AcceptedOrRefused[]>

export interface AcceptParts {
  readonly world: World
  readonly newId: ReturnType<typeof makeIds>
  readonly directory: Directory
  readonly commits: GroupCommit
  readonly dispatcher: Dispatcher
  readonly observer: Observer
  readonly seen: SeenEventTypes
  readonly vet: Vet
}

export function makePublish(parts: AcceptParts): {
  readonly publish: Publish
  readonly publishAll: PublishAll
  readonly take: Take
} {
  const { world, directory, commits, dispatcher, observer, seen, vet } = parts
  const plan = makePlan(parts)

  const routesTo = async (environmentId: EnvironmentId, applicationIdOrUid: string): Promise<Routes> => {
    const routes = await directory.load(environmentId, applicationIdOrUid)
    if (!routes) throw new Problem('not-found', `No application '${applicationIdOrUid}' in this environment.`)
    return routes
  }

  const drop = (plan: Plan): void => {
    for (const destination of plan.hot) dispatcher.unreserve(destination, plan.message.payload.length)
  }

  /** What was stored goes on its way; what was not gives its places back. */
  const follow = (environmentId: EnvironmentId, plan: Plan, kept: Kept): void => {
    if (kept.kind !== 'stored') {
      drop(plan)
      return
    }
    for (const destination of plan.hot) dispatcher.admitFresh(destination, plan.message)
    if (plan.hot.length < plan.deliveries.length) dispatcher.wake()
    // What third parties call their events is not what the environment declares.
    if (plan.message.request === null) seen.note(environmentId, plan.message.eventType)
    observer.accepted(plan.message, plan.deliveries.length, world.now() - plan.message.acceptedAt)
  }

  /**
   * Does what is to be done with what the application's messages are matched against, and again while that is not what
   * is committed: any node may have changed it, and been answered, since it was read.
   */
  const untilCurrent = async <Result>(
    environmentId: EnvironmentId,
    applicationIdOrUid: string,
    work: (routes: Routes, readAgain: () => Promise<Routes>) => Promise<Result | 'stale'>,
  ): Promise<Result> => {
    const readAgain = () => routesTo(environmentId, applicationIdOrUid)
    for (let reading = 1; reading <= mostReadings; reading++) {
      let routes = directory.cached(environmentId, applicationIdOrUid) ?? (await readAgain())
      const result = await work(routes, async () => {
        routes = await readAgain()
        return routes
      })
      if (result !== 'stale') return result
      directory.outdated(routes)
    }
    throw new Problem(
      'unavailable',
      'The application is changed faster than it can be read; nothing was accepted.',
      [],
      1,
    )
  }

  /** What speaks against it must be said of what is committed; `stale` where it may not be. */
  const refuse = async (routes: Routes, problem: Problem): Promise<'stale'> => {
    if (await directory.current(routes)) throw problem
    return 'stale'
  }

  const commit = async <Result>(plans: readonly Plan[], hand: () => Promise<Result>): Promise<Result> => {
    try {
      return await hand()
    } catch (error) {
      for (const one of plans) drop(one)
      throw error
    }
  }

  const taken = (message: Message, by: string): Problem =>
    new Problem('event-id-taken', `eventId '${message.eventId}' was accepted before, as message ${by}.`, [
      { pointer: '/eventId', message: `belongs to ${by}` },
    ])

  return {
    publish: (environmentId, applicationIdOrUid, fact, { only, ask = null } = {}) =>
      untilCurrent(environmentId, applicationIdOrUid, async (read, readAgain) => {
        let routes = read
        let vetted = nothingAgainst
        if (routes.asks) {
          const heard = await vet(routes, readAgain, [fact], only === undefined)
          routes = heard.routes
          const [own = nothingAgainst] = heard.vetted
          if (own instanceof Problem) return refuse(routes, own)
          vetted = own
        }
        const { refusedBy, warnings } = vetted
        const planned = plan(routes, fact, only, refusedBy)
        const { message } = planned
        const publishKey: PublishKey | null = ask && { ...ask, ...keyOf(message, message.acceptedAt) }
        const kept = await commit([planned], () => commits.publish(planned, publishKey))
        follow(environmentId, planned, kept)
        switch (kept.kind) {
          case 'stale':
            return 'stale'
          case 'event-id-taken':
            throw taken(message, kept.by)
          case 'repeated':
            if (ask) demandSameAsk(kept.first, ask)
            return { message: asFirst(message, kept.first), repeated: true, warnings }
          case 'stored':
            return { message, repeated: false, warnings }
        }
      }),

    take: (environmentId, sourceId, fact) =>
      untilCurrent(environmentId, sourceId, async (read, readAgain) => {
        let routes = read
        let refusedBy: Vetted['refusedBy'] = nothingAgainst.refusedBy
        if (routes.asks) {
          const heard = await vet(routes, readAgain, [factsOf(fact)], true)
          routes = heard.routes
          const [own = nothingAgainst] = heard.vetted
          if (own instanceof Problem) return refuse(routes, own)
          refusedBy = own.refusedBy
        }
        const planned = plan(routes, fact, undefined, refusedBy)
        const kept = await commit([planned], () => commits.publish(planned))
        follow(environmentId, planned, kept)
        if (kept.kind === 'stale') return 'stale'
        return kept.kind === 'event-id-taken'
          ? { kind: 'duplicate', of: kept.by }
          : { kind: 'stored', message: planned.message }
      }),

    publishAll: (environmentId, applicationIdOrUid, facts, ask) =>
      untilCurrent(environmentId, applicationIdOrUid, async (read, readAgain) => {
        const { routes, vetted } = read.asks ? await vet(read, readAgain, facts, true) : { routes: read, vetted: [] }
        if (vetted.some((own) => own instanceof Problem) && !(await directory.current(routes))) return 'stale'
        const unrefused = facts.flatMap((fact, at) => {
          const own = vetted[at] ?? nothingAgainst
          return own instanceof Problem
            ? []
            : [{ at, plan: plan(routes, fact, undefined, own.refusedBy), warnings: own.warnings }]
        })
        const planned = unrefused.map(({ plan }) => plan)
        const publishKeys =
          ask &&
          unrefused.map(({ at, plan: { message } }) => ({
            ...partOfAsk(ask, at),
            ...keyOf(message, message.acceptedAt),
          }))
        const kept = await commit(planned, () => commits.publishAll(planned, publishKeys))
        for (const [at, one] of planned.entries()) follow(environmentId, one, kept[at] as Kept)
        if (kept.some(({ kind }) => kind === 'stale')) return 'stale'
        let next = 0
        return facts.map((_, at): AcceptedOrRefused => {
          const own = vetted[at]
          if (own instanceof Problem) return { refused: own }
          const { plan, warnings } = unrefused[next] as (typeof unrefused)[number]
          const outcome = kept[next++] as Kept
          if (outcome.kind === 'event-id-taken') return { refused: taken(plan.message, outcome.by) }
          if (outcome.kind !== 'repeated') return { message: plan.message, warnings }
          if (ask) demandSameAsk(outcome.first, ask)
          return { message: asFirst(plan.message, outcome.first), warnings }
        })
      }),
  }
}

const factsOf = ({ received, ...fact }: NewFact): Facts => ({ ...fact, encoding: received?.encoding ?? null })

/** A repeated ask says all of the message but when it first came. */
const asFirst = (message: Message, { messageId: id, acceptedAt }: FirstPublish): Message => ({
  ...message,
  id,
  acceptedAt,
})

const keyOf = ({ id: messageId }: Message, acceptedAt: Millis) => ({
  messageId,
  acceptedAt,
  until: acceptedAt + answersKeptMs,
})
