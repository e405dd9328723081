/** A defect that somebody could make: what `find` (there exactly once) becomes, and which promise that breaks. */
export interface Mutant {
  readonly name: string
  /** In server/src/. */
  readonly file: string
  readonly find: string
  readonly replace: string
  /** This was a defect once, and that seed found it: it must find it again, and `sim.test.ts` runs it. */
  readonly foundBy?: number
}

export const mutants: readonly Mutant[] = [
  {
    name: 'no look at the lease before a send',
    file: 'engine/lane.ts',
    find: 'if (!mayStillSend(next.leasedUntil, now, leaseMs)) {',
    replace: 'if (!mayStillSend(Number.POSITIVE_INFINITY, now, leaseMs)) {',
  },
  {
    name: 'one token for all nodes, so that each settles what others hold',
    file: 'domain/lease.ts',
    find: "node.slice('node_'.length)",
    replace: "node.slice('node_'.length, 0)",
  },
  {
    name: 'a failure is recorded, and its delivery not given another due time',
    file: 'engine/deliver.ts',
    find: '            settlementOf(delivery, destination.control, step, attempts),',
    replace: "            step.kind === 'retry' ? null : settlementOf(delivery, destination.control, step, attempts),",
  },
  {
    name: 'a failure is tried again at once',
    file: 'engine/deliver.ts',
    find: "return { kind: 'retry', ...key, dueAt: step.dueAt,",
    replace: "return { kind: 'retry', ...key, dueAt: 1,",
  },
  {
    name: 'leases are not renewed',
    file: 'engine/chores.ts',
    find: 'if (soon.length === 0) return',
    replace: 'if (soon.length >= 0) return',
  },
  {
    name: 'a stop ends the renewal of leases before it ends the requests',
    file: 'engine/chores.ts',
    find: 'if (name !== leases) timer.cancel()',
    replace: 'timer.cancel()',
    foundBy: 300,
  },
  {
    name: 'what is in memory goes out to a paused endpoint',
    file: 'engine/dispatch.ts',
    find: 'if (lane.destination.disabledBecause !== null || lane.destination.paused) {',
    replace: 'if (lane.destination.disabledBecause !== null) {',
  },
  {
    name: 'what other nodes change is not noticed',
    file: 'engine/chores.ts',
    find: 'this.#changedElsewhere(changedOf(scopes))',
    replace: '',
  },
  {
    name: 'a change does not reach what is in memory',
    file: 'engine/lanes.ts',
    find: '      lane.destination = null\n',
    replace: '',
  },
  {
    name: 'requests in flight to an endpoint are not counted',
    file: 'engine/dispatch.ts',
    find: '    lane.inFlight += 1\n',
    replace: '',
  },
  {
    name: 'what stands in an order is sent as soon as it is stored',
    file: 'engine/plan.ts',
    find: 'const reserved = orderKey === null && deliverAt === null &&',
    replace: 'const reserved = deliverAt === null &&',
  },
  {
    name: 'the end of one does not let the next of its order go',
    file: 'engine/deliver.ts',
    find: 'const key = { messageId: message.id, endpointId: lane.endpointId, tried, orderKey }',
    replace: 'const key = { messageId: message.id, endpointId: lane.endpointId, tried, orderKey: null }',
  },
  {
    name: 'an attempt is a new one when its commit is sent again',
    file: 'engine/commit-batch.ts',
    find: 'if (record.attempt) attempts.push(record.attempt)',
    replace:
      'if (record.attempt) attempts.push(record.sentBefore ? { ...record.attempt, id: record.attempt.id.concat(record.attempt.id) } : record.attempt)',
  },
  {
    name: 'records are forgotten when their commit fails',
    file: 'engine/group-commit.ts',
    find: '      this.#queue.putBack(load, records)\n      if (this.#closed)',
    replace: '      this.#queue.ended(load)\n      if (this.#closed)',
  },
  {
    name: 'a breaker never closes',
    file: 'domain/breaker.ts',
    find: 'return rate >= wellAgainRate ? null : rate',
    replace: 'return rate',
  },
  {
    name: 'an open breaker probes all the time',
    file: 'engine/lane.ts',
    find: "const gate = this.breaker.kind === 'open' ? this.breaker.probeAt : this.window.opensAt",
    replace: 'const gate = this.window.opensAt',
  },
  {
    name: 'a draining breaker lets everything go',
    file: 'engine/lane.ts',
    find: 'const draining = drainRate(this.breaker.from, now, this.destination.control) ?? 0',
    replace: 'const draining = 0',
  },
  {
    name: 'each node takes the whole rate',
    file: 'engine/dispatch.ts',
    find: 'this.#send(deliveries, lane, lane.destination, nodes ?? 1, now)',
    replace: 'this.#send(deliveries, lane, lane.destination, 1, now)',
  },
  {
    name: 'a batch counts as one message of the rate',
    file: 'engine/dispatch.ts',
    find: 'lane.spend(deliveries.length, nodes, now)',
    replace: 'lane.spend(1, nodes, now)',
  },
  {
    name: 'the rate of an application forgets itself and is saved up twice',
    file: 'engine/application-pace.ts',
    find: '    if (lane === undefined) return\n',
    replace: '    if (lane === undefined) {\n      this.#paces.delete(applicationId)\n      return\n    }\n',
    foundBy: 38,
  },
  {
    name: 'memory of what was claimed is not freed',
    file: 'engine/dispatch.ts',
    find: '    this.#memory.drop(delivery)\n',
    replace: '    if (delivery.fresh) this.#memory.drop(delivery)\n',
  },
  {
    name: 'places kept for a commit that failed are not given back',
    file: 'engine/accept.ts',
    find: '      for (const one of plans) drop(one)\n',
    replace: '',
  },
  {
    name: 'a message is accepted before it is stored',
    file: 'engine/group-commit.ts',
    find: '    this.#add(alone)\n    return kept\n',
    replace: '    this.#add(alone)\n    return Promise.resolve(stored)\n',
  },
  {
    name: 'what was not stored, because it was before, is sent',
    file: 'engine/accept.ts',
    find: "if (kept.kind !== 'stored') {",
    replace: "if (kept.kind === 'stale') {",
  },
  {
    name: 'what a receiver asks for is not heard',
    file: 'domain/retry.ts',
    find: "const asked = outcome.kind === 'refused' ? Math.min(outcome.retryAfterMs ?? 0, longestAskedMs) : 0",
    replace: 'const asked = 0',
  },
  {
    name: 'the claimer goes round in a circle while memory is full',
    file: 'engine/claimer.ts',
    find: 'const dueAt = this.#full ? Number.POSITIVE_INFINITY : ',
    replace: 'const dueAt = ',
    foundBy: 229,
  },
  {
    name: 'a node that has slept sends what was canceled while the others took it for dead',
    file: 'engine/fleet.ts',
    find: 'return this.#alone || (!this.#doubted && this.#world.machineNow() < this.#share.until)',
    replace: 'return true',
    foundBy: 1488,
  },
  {
    name: 'a lease is renewed when a third of it is left, and is over for a node with another clock',
    file: 'engine/chores.ts',
    find: 'this.#renewLeases((leaseMs * 3) / 4)',
    replace: 'this.#renewLeases(leaseMs / 3)',
    foundBy: 6755,
  },
  {
    name: 'a breaker that opens while its endpoint is changed is open in the store for good',
    file: 'engine/lane.ts',
    find: 'unlearned(this.breaker)',
    replace: 'closed',
    foundBy: 20455,
  },
  {
    name: 'a breaker that opens while the store is away is stored after it has closed again',
    file: 'engine/deliver.ts',
    find: 'if (turns.length > 0) teller.inTurn.when(destination.id, told, record)\n      else if',
    replace: 'if',
    foundBy: 30487,
  },
  {
    name: 'a newcomer looks once whether its share counts, and its clock was set back before',
    file: 'engine/fleet.ts',
    find: 'this.#world.after(opens, () => this.#tellWhenOpen())',
    replace: 'this.#world.after(opens, () => this.onShare())',
    foundBy: 36305,
  },
  {
    name: 'what was canceled while it was under way keeps its place in its order',
    file: 'engine/deliver.ts',
    find: "if (!delivery.canceled || (step.kind !== 'retry' && step.kind !== 'park')) return step",
    replace: "if (!delivery.canceled || delivery.orderKey !== null || step.kind !== 'retry') return step",
    foundBy: 3261,
  },
  {
    name: 'what was canceled before its failure was on disk is tried again',
    file: 'engine/hot-messages.ts',
    find: 'if (taken) await this.#parts.written()',
    replace: '',
    foundBy: 810,
  },
  {
    name: 'what another node put back and this one claimed, while that one was asked to cancel it, is sent',
    file: 'manage/cancel.ts',
    find: '\n  await context.cancelHot(applicationId, id)',
    replace: '',
    foundBy: 24939,
  },
]
