import type { Application } from '../../src/domain/application.ts'
import type { Attempt } from '../../src/domain/attempt.ts'
import type { ChangeScope } from '../../src/domain/change.ts'
import type { Endpoint } from '../../src/domain/endpoint.ts'
import type { Environment } from '../../src/domain/environment.ts'
import type { ApplicationId, AttemptId, EndpointId, MessageId, Millis, NodeId } from '../../src/domain/ids.ts'
import type { Changes, DeliveryKey, NewMessage, NodeLife, SeenNode, WriteResult } from '../../src/ports/store.ts'
import { keyOf, Queue, type QueueWatch } from './queue.ts'

interface Change {
  readonly scope: ChangeScope
  /** Who noted it. */
  readonly origin: object
}

/** All that is kept, but for the queue each with its key. Every method is one moment, as a transaction is. */
export class Tables {
  readonly queue: Queue
  readonly messages = new Map<MessageId, NewMessage>()
  readonly attempts = new Map<AttemptId, Attempt>()
  readonly #attemptsOf = new Map<string, Attempt[]>()
  readonly eventIds = new Map<string, MessageId>()
  readonly endpoints = new Map<EndpointId, Endpoint>()
  readonly applications = new Map<ApplicationId, Application>()
  readonly #routes = new Map<ApplicationId, number>()
  readonly environment: Environment
  readonly #changes: Change[] = []
  readonly #nodes = new Map<NodeId, NodeLife & { readonly startedAt: Millis; seenAt: Millis }>()
  readonly #leaders = new Map<string, { readonly id: NodeId; readonly until: Millis }>()
  /** The store's own clock. */
  readonly #now: () => Millis

  constructor(environment: Environment, now: () => Millis, watch: QueueWatch) {
    this.environment = environment
    this.#now = now
    this.queue = new Queue(watch)
  }

  insertApplication(row: Application, endpoints: readonly Endpoint[]): void {
    this.applications.set(row.id, row)
    for (const endpoint of endpoints) this.endpoints.set(endpoint.id, endpoint)
  }

  /** Both counts of `RoutesCounts`; that of the environment never changes here. */
  routesOf(id: ApplicationId): number {
    return this.#routes.get(id) ?? 0
  }

  endpointsOf(id: ApplicationId): readonly Endpoint[] {
    return [...this.endpoints.values()].filter(({ applicationId }) => applicationId === id)
  }

  /** Streaks are the road's: people end one, but never bring back one that ended since they read the row. */
  updateEndpoint(row: Endpoint, origin: object): WriteResult {
    const before = this.endpoints.get(row.id)
    if (before === undefined || before.revision !== row.revision - 1) return 'stale'
    this.endpoints.set(row.id, {
      ...row,
      failingSince: row.failingSince === null ? null : before.failingSince,
      breakerOpenedAt: row.breakerOpenedAt === null ? null : before.breakerOpenedAt,
    })
    this.noteRoutes(row.applicationId, origin)
    return 'done'
  }

  noteRoutes(id: ApplicationId, origin: object): void {
    this.#routes.set(id, this.routesOf(id) + 1)
    this.note(id, origin)
  }

  note(scope: ChangeScope, origin: object): void {
    this.#changes.push({ scope, origin })
  }

  /** Where the count of changes stands. */
  get changeNumber(): number {
    return this.#changes.length
  }

  changesSince(number: number | null, origin: object): Changes {
    const latest = this.#changes.length
    if (number === null) return { number: latest, scopes: null }
    const others = this.#changes.slice(number).filter((change) => change.origin !== origin)
    return { number: latest, scopes: [...new Set(others.map(({ scope }) => scope))] }
  }

  addAttempt(attempt: Attempt): void {
    if (this.attempts.has(attempt.id)) return
    this.attempts.set(attempt.id, attempt)
    const siblings = this.#attemptsOf.get(keyOf(attempt)) ?? []
    siblings.push(attempt)
    this.#attemptsOf.set(keyOf(attempt), siblings)
  }

  attemptsOf(key: DeliveryKey): readonly Attempt[] {
    return this.#attemptsOf.get(keyOf(key)) ?? []
  }

  beat(node: NodeLife, aliveMs: Millis): { readonly now: Millis; readonly alive: number } {
    const now = this.#now()
    this.#nodes.set(node.id, { ...node, startedAt: this.#nodes.get(node.id)?.startedAt ?? now, seenAt: now })
    return { now, alive: this.#seenWithin(aliveMs).length }
  }

  leave(id: NodeId): void {
    this.#nodes.delete(id)
    for (const [chore, leader] of this.#leaders) if (leader.id === id) this.#leaders.delete(chore)
  }

  alive(aliveMs: Millis): readonly SeenNode[] {
    const leads = (id: NodeId) => [...this.#leaders.values()].some((one) => one.id === id && one.until > this.#now())
    return this.#seenWithin(aliveMs)
      .map((node) => ({ ...node, leads: leads(node.id) }))
      .toSorted((a, b) => (a.id < b.id ? -1 : 1))
  }

  lead(chore: string, id: NodeId, forMs: Millis): boolean {
    const leader = this.#leaders.get(chore)
    if (leader !== undefined && leader.id !== id && leader.until > this.#now()) return false
    this.#leaders.set(chore, { id, until: this.#now() + forMs })
    return true
  }

  #seenWithin(aliveMs: Millis) {
    return [...this.#nodes.values()].filter(({ seenAt }) => seenAt > this.#now() - aliveMs)
  }
}
