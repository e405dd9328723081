import type { Chance } from '../faults/chance.ts'

/** The parameters of a path that lead to one thing. */
export type Names = Readonly<Record<string, string>>

interface Thing {
  /** Which part of the API it is reached by. */
  readonly area: string
  readonly names: Names
}

const parameterOf: Readonly<Record<string, string>> = {
  app: 'app_id',
  src: 'source_id',
  ep: 'endpoint_id',
  msg: 'msg_id',
  atmpt: 'attempt_id',
  qtask: 'task_id',
  qrtn: 'quarantine_id',
}
const mostThings = 200

const areaOf = (path: string): string =>
  path.startsWith('/ingest/') ? 'ingest' : path.includes('/operational-webhook/') ? 'operational' : 'api'

/** What the caller has been told of: what is there, what was deleted, and what others have. */
export class Stock {
  readonly #there: Thing[] = []
  readonly #gone: Thing[] = []
  readonly #foreign: readonly string[]
  /** Where lists go on, of whatever list. */
  readonly iterators: string[] = []

  constructor(foreign: readonly string[]) {
    this.#foreign = foreign
  }

  /** Learns what an answer to that path showed. */
  learn(path: string, names: Names, body: unknown): void {
    const { data, iterator, id, name } = Object(body)
    if (typeof iterator === 'string') this.iterators.push(iterator)
    for (const row of Array.isArray(data) ? data.slice(0, 5) : []) this.learn(path, names, row)
    const parameter = typeof id === 'string' ? parameterOf[id.split('_', 1)[0] ?? ''] : undefined
    if (parameter !== undefined) {
      const { msgId, endpointId } = Object(body)
      const beside = {
        ...(typeof msgId === 'string' ? { msg_id: msgId } : {}),
        ...(typeof endpointId === 'string' ? { endpoint_id: endpointId } : {}),
      }
      this.#add(path, { ...names, ...beside, [parameter]: id })
    } else if (typeof name === 'string' && path.includes('/event-type')) {
      this.#add(path, { event_type_name: name })
    }
  }

  #add(path: string, names: Names): void {
    this.#there.push({ area: areaOf(path), names })
    if (this.#there.length > mostThings) this.#there.shift()
  }

  /** What these names lead to, and all that stood in it, is gone. */
  forget(path: string, names: Names): void {
    const leadsThere = (thing: Thing): boolean =>
      thing.area === areaOf(path) && Object.entries(names).every(([name, value]) => thing.names[name] === value)
    for (const thing of this.#there.filter(leadsThere)) {
      this.#there.splice(this.#there.indexOf(thing), 1)
      this.#gone.push(thing)
    }
  }

  /** Names for all parameters of a path: mostly of something that is there, else of what was, or is another's, or nothing's. */
  namesFor(path: string, parameters: readonly string[], chance: Chance): Names {
    const holding = (things: readonly Thing[]): readonly Thing[] =>
      things.filter(({ area, names }) => area === areaOf(path) && parameters.every((name) => name in names))
    const luck = chance.random()
    const fallen = luck < 0.85 ? holding(this.#there) : luck < 0.92 ? holding(this.#gone) : []
    const thing = fallen[chance.between(0, fallen.length - 1)]
    const named = (name: string): string => {
      if (name === 'name') return chance.of(['github', 'stripe', 'generic-webhook', 'no-such'])
      const known = thing?.names[name]
      if (known !== undefined) return known
      return this.#foreign[chance.between(0, this.#foreign.length - 1)] ?? 'nothing'
    }
    return Object.fromEntries(parameters.map((name) => [name, named(name)]))
  }

  /** One id of anything, for where it does not belong. */
  any(chance: Chance): string {
    const ids = [...this.#there, ...this.#gone].flatMap(({ names }) => Object.values(names))
    return ids[chance.between(0, ids.length - 1)] ?? 'nothing'
  }

  /** Ids of all that is there. */
  ids(): readonly string[] {
    return [...new Set(this.#there.flatMap(({ names }) => Object.values(names)))]
  }
}
