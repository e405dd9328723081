import { setTimeout as pause } from 'node:timers/promises'
import type { Cluster } from './cluster.ts'
import type { FleetNode } from './node.ts'
import type { DatabaseFault, Fault, NodeFault } from './script.ts'
import type { Timeline } from './timeline.ts'

/** A span in which a node (null: every node) could not be expected to reach the database, or to run at all. */
export interface Disturbance {
  readonly node: string | null
  readonly what: string
  readonly from: number
  until: number
}

interface MischiefParts {
  readonly cluster: Cluster
  readonly nodes: readonly FleetNode[]
  readonly timeline: Timeline
  /** Which sessions of the database a node has now, by the port they come from. */
  readonly sessionsOf: (node: FleetNode) => readonly number[]
  /** Nodes have a list of both servers and find the primary themselves; otherwise their wires are led to it. */
  readonly findsPrimary: boolean
}

/** Does what a script says. */
export class Mischief {
  readonly disturbances: Disturbance[] = []
  readonly #parts: MischiefParts
  /** What is being done to it, and what was to be done by now. */
  #database: Promise<void> = Promise.resolve()

  constructor(parts: MischiefParts) {
    this.#parts = parts
  }

  /** Resolves when all of it was done and is over. Rejects when something could not be put right again. */
  async run(script: readonly Fault[]): Promise<void> {
    const startedAt = performance.now()
    const under: Promise<void>[] = []
    for (const fault of script) {
      await pause(Math.max(0, fault.atMs - (performance.now() - startedAt)))
      under.push(fault.of === 'node' ? this.#toNode(fault.node, fault.fault) : this.#toDatabaseNext(fault.fault))
    }
    await Promise.all(under)
  }

  async #toNode(place: number, fault: NodeFault): Promise<void> {
    const node = this.#parts.nodes[place]
    if (node === undefined) throw new RangeError(`there is no node ${place}`)
    if (!node.listens) {
      this.#parts.timeline.note(`${node.name} does not listen yet: spared a ${fault.kind}`)
      return
    }
    const { kind, ...how } = fault
    await this.#disturb(node.name, `${kind}${said(how)}`, () => this.#inflict(node, fault))
  }

  async #inflict(node: FleetNode, fault: NodeFault): Promise<void> {
    switch (fault.kind) {
      case 'kill':
        await node.kill()
        await pause(fault.downMs)
        return node.start()
      case 'stop': {
        const code = await node.stop()
        this.#parts.timeline.note(`${node.name} stopped with ${code}`)
        await pause(fault.downMs)
        return node.start()
      }
      case 'freeze':
        node.freeze()
        await pause(fault.forMs)
        return node.thaw()
      case 'terminate':
        return this.#terminate(node)
      case 'cut':
        for (const wire of node.wires) wire.cut()
        return
      case 'refuse':
        for (const wire of node.wires) {
          wire.refuse(true)
          wire.cut()
        }
        await pause(fault.forMs)
        for (const wire of node.wires) wire.refuse(false)
        return
      case 'delay':
        for (const wire of node.wires) wire.delay(fault.byMs)
        await pause(fault.forMs)
        for (const wire of node.wires) wire.delay(0)
        return
      case 'stall':
        for (const wire of node.wires) wire.stall({ requests: fault.way === 'both', answers: true })
        await pause(fault.forMs)
        for (const wire of node.wires) {
          if (fault.thenCut) wire.cut()
          wire.stall({ requests: false, answers: false })
        }
    }
  }

  async #terminate(node: FleetNode): Promise<void> {
    const text = 'select pg_terminate_backend(pid) from pg_stat_activity where client_port = any($1::int[])'
    // The database may be down just now, which does it as well.
    await this.#parts.cluster.ask('postgres', text, [this.#parts.sessionsOf(node)]).catch(() => {})
  }

  /** One at a time: a server that is still starting cannot be ended, nor fail over. */
  #toDatabaseNext(fault: DatabaseFault): Promise<void> {
    this.#database = this.#database.then(() => this.#toDatabase(fault))
    return this.#database
  }

  async #toDatabase(fault: DatabaseFault): Promise<void> {
    const { cluster, nodes, findsPrimary } = this.#parts
    const { kind, ...how } = fault
    await this.#disturb(null, `${kind}${said(how)}`, async () => {
      if (fault.kind === 'restart') return cluster.restart(fault.how, fault.downMs)
      await cluster.failOver(fault.how)
      if (findsPrimary) return
      await pause(fault.followMs)
      for (const node of nodes) for (const wire of node.wires) wire.lead(cluster.primaryPort)
    })
  }

  async #disturb(node: string | null, what: string, inflict: () => Promise<void>): Promise<void> {
    const disturbance: Disturbance = { node, what, from: Date.now(), until: Number.POSITIVE_INFINITY }
    this.disturbances.push(disturbance)
    this.#parts.timeline.note(`${node ?? 'database'}: ${what}`)
    await inflict()
    disturbance.until = Date.now()
    if (disturbance.until - disturbance.from > 100) this.#parts.timeline.note(`${node ?? 'database'}: ${what} is over`)
  }
}

const said = (how: object): string => {
  const words = Object.entries(how).map(([name, value]) => `${name} ${String(value)}`)
  return words.length === 0 ? '' : ` (${words.join(', ')})`
}
