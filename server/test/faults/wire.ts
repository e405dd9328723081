import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'

/** What a wire does to what passes. `stalled`: nothing passes that way, and nobody is told. */
interface Condition {
  delayMs: number
  readonly stalled: { requests: boolean; answers: boolean }
}

/** One direction of a connection: what came in and is not through yet, in order. */
class Direction {
  readonly #into: Socket
  readonly #condition: Condition
  readonly #way: keyof Condition['stalled']
  readonly #waiting: { readonly what: Buffer | 'end'; readonly dueAt: number }[] = []
  #timer: NodeJS.Timeout | null = null

  constructor(into: Socket, condition: Condition, way: keyof Condition['stalled']) {
    this.#into = into
    this.#condition = condition
    this.#way = way
  }

  pass(what: Buffer | 'end'): void {
    this.#waiting.push({ what, dueAt: performance.now() + this.#condition.delayMs })
    this.flow()
  }

  /** Lets through what may go. Also the end waits for its turn: who gave up on a stalled wire is not known of behind it. */
  flow(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    while (!this.#condition.stalled[this.#way]) {
      const [first] = this.#waiting
      if (first === undefined) return
      const wait = first.dueAt - performance.now()
      if (wait > 0) {
        this.#timer = setTimeout(() => this.flow(), Math.ceil(wait))
        return
      }
      this.#waiting.shift()
      if (this.#into.destroyed) continue
      if (first.what === 'end') this.#into.end()
      else this.#into.write(first.what)
    }
  }

  drop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#waiting.length = 0
  }
}

/** Of a session at both its ends: what one server has from a port, another may have from the same port. */
export interface SessionPorts {
  readonly client: number
  readonly database: number
}

interface Connection {
  readonly client: Socket
  readonly server: Socket
  readonly requests: Direction
  readonly answers: Direction
}

/**
 * The wire between one node and the database, which can be cut, slowed, stalled and led elsewhere. It is TCP of this
 * process: what it does is done to bytes, and neither side is told more than a real network would tell.
 */
export class Wire {
  readonly #server: Server
  readonly #connections = new Set<Connection>()
  readonly #condition: Condition = { delayMs: 0, stalled: { requests: false, answers: false } }
  readonly #onSession: (session: SessionPorts) => void
  #target: number
  #refuses = false

  private constructor(server: Server, target: number, onSession: (session: SessionPorts) => void) {
    this.#server = server
    this.#target = target
    this.#onSession = onSession
    server.on('connection', (client: Socket) => this.#take(client))
  }

  /** `target`: a port of 127.0.0.1. `onSession` is told between which ports each connection reaches the database. */
  static async listen(target: number, onSession: (session: SessionPorts) => void): Promise<Wire> {
    const server = createServer({ noDelay: true })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return new Wire(server, target, onSession)
  }

  get port(): number {
    const address = this.#server.address()
    if (address === null || typeof address === 'string') throw new Error('the wire does not listen')
    return address.port
  }

  /** Ends all connections at once. What the node has written before may or may not have reached the database. */
  cut(): void {
    for (const connection of this.#connections) this.#end(connection)
  }

  refuse(refuses: boolean): void {
    this.#refuses = refuses
  }

  delay(ms: number): void {
    this.#condition.delayMs = ms
  }

  stall(stalled: Readonly<Condition['stalled']>): void {
    Object.assign(this.#condition.stalled, stalled)
    for (const { requests, answers } of this.#connections) {
      requests.flow()
      answers.flow()
    }
  }

  /** From now on leads there; who is connected elsewhere is cut off. */
  lead(target: number): void {
    if (this.#target === target) return
    this.#target = target
    this.cut()
  }

  heal(): void {
    this.refuse(false)
    this.delay(0)
    this.stall({ requests: false, answers: false })
  }

  async close(): Promise<void> {
    this.#server.close()
    this.cut()
    await once(this.#server, 'close')
  }

  #take(client: Socket): void {
    if (this.#refuses) {
      client.resetAndDestroy()
      return
    }
    const server = connect({ port: this.#target, host: '127.0.0.1', noDelay: true })
    const connection: Connection = {
      client,
      server,
      requests: new Direction(server, this.#condition, 'requests'),
      answers: new Direction(client, this.#condition, 'answers'),
    }
    this.#connections.add(connection)
    server.on('connect', () => {
      const { localPort: client, remotePort: database } = server
      if (client !== undefined && database !== undefined) this.#onSession({ client, database })
    })
    client.on('data', (bytes: Buffer) => connection.requests.pass(bytes))
    server.on('data', (bytes: Buffer) => connection.answers.pass(bytes))
    for (const socket of [client, server]) socket.on('error', () => {})
    client.on('close', () => connection.requests.pass('end'))
    server.on('close', () => connection.answers.pass('end'))
    const gone = (): void => {
      if (client.destroyed && server.destroyed) this.#connections.delete(connection)
    }
    client.on('close', gone)
    server.on('close', gone)
  }

  #end({ client, server, requests, answers }: Connection): void {
    requests.drop()
    answers.drop()
    client.resetAndDestroy()
    server.resetAndDestroy()
  }
}
