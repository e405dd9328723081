import type { Trigger } from '../../src/domain/attempt.ts'
import type { Held } from '../../src/domain/delivery.ts'
import type { EndpointId, LeaseId, MessageId, Millis } from '../../src/domain/ids.ts'
import type { DeliveryKey, HeldDelivery, NewDelivery, ReleasedDelivery, Settlement } from '../../src/ports/store.ts'

/** A delivery as it stands in the store. */
export interface Row extends DeliveryKey {
  attempts: number
  dueAt: Millis
  lease: LeaseId | null
  trigger: Trigger
  orderKey: string | null
  held: Held | null
}

/** Whoever follows what happens to deliveries. */
export interface QueueWatch {
  added(row: Readonly<Row>): void
  /** Under `lease`, by a claim. */
  claimed(row: Readonly<Row>): void
  /** What a settlement did, under the lease that it named; `row`: as it stood before. */
  settled(row: Readonly<Row>, settlement: Settlement): void
  /** Without a settlement: it was ended while nobody held it. */
  ended(row: Readonly<Row>): void
  resent(key: DeliveryKey): void
}

type Order = readonly [endpointId: EndpointId, orderKey: string]

/** The due time of what is held: behind another, or parked. */
const inNoTime: Millis = Date.UTC(9999, 11, 31, 23, 59, 59, 999)

export const keyOf = ({ messageId, endpointId }: DeliveryKey): string => `${messageId} ${endpointId}`

const byDue = (a: Row, b: Row): number => a.dueAt - b.dueAt || (a.messageId < b.messageId ? -1 : 1)

/** What was asked for by hand is due since ever, and holds up nobody. */
const isLetGo = ({ held, lease, dueAt }: Row): boolean => held === null && (lease !== null || dueAt > 0)

/** The table of deliveries, as `stores/queries/` keeps it; each method is one moment. */
export class Queue {
  readonly #rows = new Map<string, Row>()
  readonly #ofEndpoint = new Map<EndpointId, Set<Row>>()
  /** By id. */
  #endpoints: readonly EndpointId[] = []
  readonly #watch: QueueWatch
  #parked = 0

  constructor(watch: QueueWatch) {
    this.#watch = watch
  }

  find(messageId: MessageId, endpointId: EndpointId): Readonly<Row> | undefined {
    return this.#rows.get(`${messageId} ${endpointId}`)
  }

  get all(): Iterable<Readonly<Row>> {
    return this.#rows.values()
  }

  get size(): number {
    return this.#rows.size
  }

  /** Those that wait for somebody to resend them. */
  get parked(): number {
    return this.#parked
  }

  /** Endpoints that have deliveries, by id. */
  get endpoints(): readonly EndpointId[] {
    return this.#endpoints.filter((id) => (this.#ofEndpoint.get(id)?.size ?? 0) > 0)
  }

  ofEndpoint(endpointId: EndpointId): Iterable<Readonly<Row>> {
    return this.#ofEndpoint.get(endpointId) ?? []
  }

  /** In order of their due times. */
  dueOf(endpointId: EndpointId, now: Millis): Row[] {
    return [...(this.#ofEndpoint.get(endpointId) ?? [])].filter(({ dueAt }) => dueAt <= now).sort(byDue)
  }

  add({ messageId, endpointId, dueAt, lease, orderKey = null }: NewDelivery): void {
    const ordered = orderKey !== null
    const row: Row = {
      ...{ messageId, endpointId, attempts: 0, trigger: 'scheduled', orderKey },
      ...(ordered ? { dueAt: inNoTime, lease: null, held: 'behind' } : { dueAt, lease, held: null }),
    }
    if (this.#rows.has(keyOf(row))) throw new Error(`the delivery ${keyOf(row)} is there already`)
    this.#put(row)
    this.#watch.added(row)
  }

  /** Only under the lease that claimed, and as often tried as it was then. */
  settle(lease: LeaseId, settlement: Settlement): void {
    const row = this.#rows.get(keyOf(settlement))
    if (row === undefined || row.lease !== lease || row.attempts !== settlement.tried) return
    const before = { ...row }
    switch (settlement.kind) {
      case 'finish':
        this.#remove(row)
        break
      case 'retry':
        Object.assign(row, {
          dueAt: settlement.dueAt,
          attempts: settlement.attempts,
          lease: null,
          trigger: 'scheduled',
        })
        if (settlement.outOfOrder === true) row.orderKey = null
        break
      case 'park':
        Object.assign(row, { dueAt: inNoTime, attempts: settlement.attempts, lease: null, trigger: 'scheduled' })
        this.#hold(row, 'parked')
        row.orderKey = null
    }
    this.#watch.settled(before, settlement)
  }

  /** Makes the first of each order due, as `promote` in `stores/queries/commit.ts`. */
  promote(now: Millis, orders: readonly Order[]): void {
    for (const [endpointId, orderKey] of orders) {
      const rows = [...(this.#ofEndpoint.get(endpointId) ?? [])]
        .filter((row) => row.orderKey === orderKey)
        .sort((a, b) => (a.messageId < b.messageId ? -1 : 1))
      const underWay = rows.find(
        ({ held, lease, trigger }) => held === null && lease === null && trigger === 'scheduled',
      )
      const behind = rows.find(({ held }) => held === 'behind')
      if (underWay !== undefined && behind !== undefined && behind.messageId < underWay.messageId) {
        underWay.dueAt = inNoTime
        this.#hold(underWay, 'behind')
      }
      const [first] = rows
      if (first?.held !== 'behind' || rows.some(isLetGo)) continue
      first.dueAt = now
      this.#hold(first, null)
    }
  }

  claim(row: Row, lease: LeaseId, until: Millis): void {
    row.lease = lease
    row.dueAt = until
    this.#watch.claimed(row)
  }

  renew(lease: LeaseId, until: Millis, keys: readonly DeliveryKey[]): readonly DeliveryKey[] {
    return keys.filter((key) => {
      const row = this.#rows.get(keyOf(key))
      if (row?.lease !== lease) return true
      row.dueAt = until
      return false
    })
  }

  release(lease: LeaseId, released: readonly ReleasedDelivery[]): void {
    for (const one of released) {
      const row = this.#rows.get(keyOf(one))
      if (row?.lease === lease) Object.assign(row, { dueAt: one.dueAt, lease: null })
    }
  }

  /** Whatever is claimed is due now. */
  recover(now: Millis): number {
    const leased = [...this.#rows.values()].filter(({ lease }) => lease !== null)
    for (const row of leased) Object.assign(row, { dueAt: now, lease: null })
    return leased.length
  }

  resend(key: DeliveryKey): void {
    const row = this.#rows.get(keyOf(key))
    if (row !== undefined && row.lease !== null) return
    if (row === undefined) {
      this.#put({ ...key, attempts: 0, dueAt: 0, lease: null, trigger: 'manual', orderKey: null, held: null })
    } else {
      Object.assign(row, { dueAt: 0, trigger: 'manual' })
      this.#hold(row, null)
    }
    this.#watch.resent(key)
  }

  /** Whether it was there, and nobody's. */
  end(key: DeliveryKey, now: Millis): boolean {
    const row = this.#rows.get(keyOf(key))
    if (row === undefined || row.lease !== null) return false
    this.#remove(row)
    this.#watch.ended(row)
    if (row.orderKey !== null) this.promote(now, [[row.endpointId, row.orderKey]])
    return true
  }

  heldByOthers(lease: LeaseId, messageIds: readonly MessageId[]): readonly HeldDelivery[] {
    return [...this.#rows.values()].flatMap((row): readonly HeldDelivery[] =>
      row.lease !== null && row.lease !== lease && messageIds.includes(row.messageId)
        ? [{ messageId: row.messageId, endpointId: row.endpointId, lease: row.lease, dueAt: row.dueAt }]
        : [],
    )
  }

  #put(row: Row): void {
    this.#rows.set(keyOf(row), row)
    const siblings = this.#ofEndpoint.get(row.endpointId)
    if (siblings) siblings.add(row)
    else {
      this.#ofEndpoint.set(row.endpointId, new Set([row]))
      this.#endpoints = [...this.#endpoints, row.endpointId].toSorted()
    }
  }

  #remove(row: Row): void {
    this.#hold(row, null)
    this.#rows.delete(keyOf(row))
    this.#ofEndpoint.get(row.endpointId)?.delete(row)
  }

  #hold(row: Row, held: Held | null): void {
    if (row.held === 'parked') this.#parked -= 1
    if (held === 'parked') this.#parked += 1
    row.held = held
  }
}
