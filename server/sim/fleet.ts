import type { Millis } from '../src/domain/ids.ts'
import type { World } from '../src/ports/world.ts'
import { type Chance, chanceOf } from '../test/faults/chance.ts'
import type { Life } from './life.ts'
import type { Model } from './model.ts'
import { type SimulatedNode, startNode } from './node.ts'
import type { Receivers } from './receivers.ts'
import { storeOf } from './store/store.ts'
import type { Tables } from './store/tables.ts'
import { Wire } from './wire.ts'

/** A node in its place, dead ones not among them. */
interface Placed {
  readonly life: Life
  /** Null: it is still starting. */
  readonly node: SimulatedNode | null
}

/** The nodes, and what is done to them. */
export interface Fleet {
  readonly nodes: readonly Placed[]
  /** The one in this place; else any that takes calls; null: none does. */
  serving(place: number): { readonly life: Life; readonly node: SimulatedNode } | null
  /** Where nothing runs, something does. */
  start(place: number): void
  /** Dropped with all its timers and promises; of what it had sent to the store, some arrives. */
  crash(place: number): void
  /** Asked to stop, as by a service manager. */
  stop(place: number): void
  sleep(place: number, ms: Millis): void
  clock(place: number, ms: Millis): void
  /** Nobody sleeps, nobody is down. */
  calm(): void
}

// As a service manager does it.
const startAgainMs: Millis = 300

export function makeFleet(model: Model, tables: Tables, receivers: Receivers): Fleet {
  const { scenario, timeline } = model
  const places: { life: Life; node: SimulatedNode | null; wire: Wire }[] = []
  const lived = new Map<number, number>()

  const at = (place: number) => places.find(({ life }) => life.place === place && !life.dead)

  const start = (place: number): void => {
    if (at(place)) return
    const count = (lived.get(place) ?? 0) + 1
    lived.set(place, count)
    const life: Life = {
      name: `${String.fromCharCode(97 + place)}${count}`,
      ...{ place, nodeId: null, lease: null, dead: false, asleepUntil: 0, closed: false, holds: null },
      ...{ clock: scenario.clocks[place] ?? 0, bornAt: timeline.now, troubledAt: 0 },
    }
    model.lives.push(life)
    model.note(() => `${life.name} starts`)
    const chance = chanceOf(scenario.seed, life.name)
    const wire = new Wire({
      ...{ timeline, life, weather: scenario.weather, chance: chanceOf(scenario.seed, `wire of ${life.name}`) },
      oneByOne: !scenario.fleet,
    })
    const placed = { life, node: null as SimulatedNode | null, wire }
    places.push(placed)
    const store = storeOf(tables, wire, scenario, {
      committed: (batch) => model.committed(life, batch),
      heard: (number) => void model.heard.set(life, number),
      ruled: (endpointId) => ruledBy(model, life, endpointId),
    })
    startNode({
      ...{ scenario, life, store, world: worldOf(model, life, chance), transport: receivers.transportOf(life) },
      observed: {
        turned: (turn) => model.turned(life, turn),
        recordRefused: (_, why) =>
          model.violated('defect', `the store can never keep what ${life.name} has to record: ${why}`),
      },
    }).then(
      (node) => {
        placed.node = node
        life.holds = () => node.dispatcher.hot
        model.note(() => `${life.name} serves`)
      },
      (error) => {
        model.note(() => `${life.name} does not start: ${error instanceof Error ? error.stack : error}`)
        end(placed)
        timeline.after(startAgainMs, null, () => start(place))
      },
    )
  }

  const end = ({ life, wire }: { life: Life; wire: Wire }): void => {
    if (life.dead) return
    life.dead = true
    life.closed = true
    wire.cut()
    places.splice(
      places.findIndex((placed) => placed.life === life),
      1,
    )
  }

  const stopping = new Set<Life>()
  const serving = () =>
    places.flatMap(({ life, node }) => (node === null || life.closed || stopping.has(life) ? [] : [{ life, node }]))

  return {
    nodes: places,
    start,
    serving: (place) => serving().find(({ life }) => life.place === place) ?? serving()[0] ?? null,
    crash(place) {
      const placed = at(place)
      if (!placed) return
      model.note(() => `${placed.life.name} crashes`)
      end(placed)
    },
    stop(place) {
      const placed = at(place)
      if (!placed?.node || stopping.has(placed.life)) return
      stopping.add(placed.life)
      model.note(() => `${placed.life.name} stops`)
      const closed = (): void => {
        placed.life.closed = true
      }
      placed.node.stop(closed).then(
        () => {
          end(placed)
          if (timeline.elapsed >= scenario.calmAt) start(place)
        },
        (error) => model.violated('defect', `${placed.life.name} did not stop: ${error}`),
      )
    },
    sleep(place, ms) {
      const placed = at(place)
      if (!placed) return
      placed.life.asleepUntil = timeline.now + ms
      placed.life.troubledAt = timeline.now + ms
      model.note(() => `${placed.life.name} sleeps for ${ms} ms`)
    },
    clock(place, ms) {
      const placed = at(place)
      if (placed) placed.life.clock += ms
    },
    calm() {
      for (const { life } of places) life.asleepUntil = Math.min(life.asleepUntil, timeline.now)
      for (let place = 0; place < scenario.nodes; place++) start(place)
    },
  }
}

function worldOf({ timeline }: Model, life: Life, chance: Chance): World {
  const now = (): Millis => timeline.now + life.clock
  return {
    now,
    machineNow: now,
    random: chance.random,
    randomBytes(size) {
      const words = new Uint32Array(Math.ceil(size / 4))
      for (let at = 0; at < words.length; at++) words[at] = chance.random() * 2 ** 32
      return new Uint8Array(words.buffer, 0, size)
    },
    after: (delayMs, run) => timeline.after(delayMs, life, run),
    // Before or after what else arrives in this millisecond.
    atTurnEnd: (run) => void timeline.after(0, life, run, chance.random()),
  }
}

function ruledBy(model: Model, life: Life, endpointId: `ep_${string}`): (inDoubt: boolean) => void {
  const { tables, timeline } = model
  const row = tables.endpoints.get(endpointId)
  const ruling = {
    ...{ endpointId, by: life, number: tables.changeNumber, at: timeline.now },
    closed: row !== undefined && (row.pausedAt !== null || row.disabledBecause !== null),
    perSecond: row?.throttleRate ?? 0,
    toldAt: null as Millis | null,
    inDoubt: false,
  }
  model.ruled(ruling)
  return (inDoubt) => {
    ruling.toldAt = timeline.now
    ruling.inDoubt = inDoubt
  }
}
