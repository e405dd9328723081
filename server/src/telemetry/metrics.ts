import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client'
import type { SchemaValidation } from '../domain/environment.ts'
import type { Millis } from '../domain/ids.ts'
import { Histogram } from './histogram.ts'

export interface Gauges {
  readonly inFlight: () => number
  readonly hot: () => number
  /** Deliveries in the store, hot ones included. */
  readonly stored: () => Promise<number>
  readonly commitsUnderWay: () => number
  /** Alive, this one included. */
  readonly nodes: () => number
  readonly leads: () => boolean
  readonly clockDifference: () => Millis
}

export interface Removals {
  readonly messages: number
  readonly attempts: number
  readonly payloads: number
  readonly deliveries: number
}

// Upper bounds in seconds: from what a quiet machine does to what a caller still waits for.
const latencyBuckets = [0.001, 0.0025, 0.005, 0.01, 0.015, 0.02, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60]

/** Everything `/metrics` shows (Prometheus text format). One registry a server: two in one process do not mix. */
export class Metrics {
  readonly #registry = new Registry()
  readonly #histograms: Histogram[] = []
  readonly #accepted = this.#counter('posthorn_messages_accepted_total', 'Messages stored and answered with 202')
  readonly #planned = this.#counter('posthorn_deliveries_planned_total', 'Deliveries made for accepted messages')
  readonly #attempts = new Counter({
    name: 'posthorn_attempts_total',
    help: 'Attempts by what became of them',
    labelNames: ['outcome'],
    registers: [this.#registry],
  })
  readonly #delivered = this.#attempts.labels('delivered')
  readonly #refused = this.#attempts.labels('refused')
  readonly #unreachable = this.#attempts.labels('unreachable')
  readonly #retried = this.#counter('posthorn_deliveries_retried_total', 'Deliveries put back to be tried again')
  readonly #failed = this.#counter(
    'posthorn_deliveries_failed_total',
    'Deliveries given up: schedule ended or receiver gone',
  )
  readonly #disabled = this.#counter('posthorn_endpoints_disabled_total', 'Endpoints disabled by Posthorn itself')
  readonly #messagesRemoved = this.#counter('posthorn_messages_removed_total', 'Messages removed by retention')
  readonly #attemptsRemoved = this.#counter('posthorn_attempts_removed_total', 'Attempts removed by retention')
  readonly #payloadsWiped = this.#counter(
    'posthorn_payloads_wiped_total',
    'Payloads removed by retention from messages that stay',
  )
  readonly #deliveriesDropped = this.#counter(
    'posthorn_deliveries_dropped_total',
    'Deliveries that still waited when retention removed their message or payload',
  )
  readonly #undecided = new Counter({
    name: 'posthorn_filters_undecided_total',
    help: 'Filters that could not be worked out for a message, by why',
    labelNames: ['because'] as const,
    registers: [this.#registry],
  })
  readonly #misfits = new Counter({
    name: 'posthorn_payload_misfits_total',
    help: 'Payloads that did not fit the schema of their event type, by what the environment does then',
    labelNames: ['mode'] as const,
    registers: [this.#registry],
  })
  readonly #received = new Counter({
    name: 'posthorn_requests_received_total',
    help: 'Requests that came to sources, by what became of them',
    labelNames: ['as'] as const,
    registers: [this.#registry],
  })
  readonly #quarantined = new Counter({
    name: 'posthorn_quarantine_requests_total',
    help: 'Refused requests of sources, by whether they were kept, or why not',
    labelNames: ['outcome'] as const,
    registers: [this.#registry],
  })
  readonly #commitFailures = this.#counter('posthorn_commit_failures_total', 'Commits the store refused')
  readonly #commitRows = this.#histogram(
    'posthorn_commit_rows',
    'Messages and attempts that shared one commit',
    [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000],
  )
  readonly #commitSeconds = this.#seconds('posthorn_commit_seconds', 'One commit, to the disk and back')
  readonly #claimed = this.#counter('posthorn_deliveries_claimed_total', 'Due deliveries taken from the store')
  readonly #claimSeconds = this.#seconds('posthorn_claim_seconds', 'One claim that took some, to the store and back')
  readonly #publishSeconds = this.#seconds('posthorn_publish_seconds', 'From a parsed publish to its 202')
  readonly #receiveSeconds = this.#seconds('posthorn_receive_seconds', 'From the last byte of a request to its answer')
  readonly #firstByteSeconds = this.#seconds(
    'posthorn_first_byte_seconds',
    'From acceptance to the first byte to the receiver',
  )
  readonly #attemptSeconds = this.#seconds('posthorn_attempt_seconds', 'One attempt, as the receiver made it last')

  constructor(gauges: Gauges) {
    collectDefaultMetrics({ register: this.#registry })
    this.#gauge('posthorn_in_flight', 'Requests on their way to receivers', gauges.inFlight)
    this.#gauge('posthorn_hot_deliveries', 'Deliveries held in memory', gauges.hot)
    this.#gauge('posthorn_stored_backlog', 'Deliveries waiting in the store only', async () =>
      Math.max(0, (await gauges.stored()) - gauges.hot()),
    )
    this.#gauge('posthorn_commits_in_flight', 'Commits on their way to the store', gauges.commitsUnderWay)
    this.#gauge('posthorn_nodes_alive', 'Nodes that share the database, this one included', gauges.nodes)
    this.#gauge('posthorn_leader', '1 where this node does what only one does', () => (gauges.leads() ? 1 : 0))
    this.#gauge(
      'posthorn_clock_difference_seconds',
      'By how much the clock of this machine is ahead of the database’s',
      () => gauges.clockDifference() / 1000,
    )
  }

  accepted(deliveries: number, tookMs: Millis): void {
    this.#accepted.inc()
    this.#planned.inc(deliveries)
    this.#publishSeconds.observe(tookMs / 1000)
  }

  attempted(outcome: 'delivered' | 'refused' | 'unreachable', durationMs: Millis, sinceAcceptMs: Millis | null): void {
    if (outcome === 'delivered') this.#delivered.inc()
    else if (outcome === 'refused') this.#refused.inc()
    else this.#unreachable.inc()
    this.#attemptSeconds.observe(durationMs / 1000)
    if (sinceAcceptMs !== null) this.#firstByteSeconds.observe(sinceAcceptMs / 1000)
  }

  received(as: string, tookMs: Millis): void {
    this.#received.inc({ as })
    this.#receiveSeconds.observe(tookMs / 1000)
  }

  retried(): void {
    this.#retried.inc()
  }

  gaveUp(): void {
    this.#failed.inc()
  }

  undecided(because: 'failed' | 'too-costly'): void {
    this.#undecided.inc({ because })
  }

  misfit(mode: SchemaValidation): void {
    this.#misfits.inc({ mode })
  }

  quarantined(outcome: 'kept' | 'too-large' | 'too-many' | 'too-busy'): void {
    this.#quarantined.inc({ outcome })
  }

  disabled(): void {
    this.#disabled.inc()
  }

  committed(rows: number, tookMs: Millis): void {
    this.#commitRows.observe(rows)
    this.#commitSeconds.observe(tookMs / 1000)
  }

  claimed(deliveries: number, tookMs: Millis): void {
    this.#claimed.inc(deliveries)
    this.#claimSeconds.observe(tookMs / 1000)
  }

  removed({ messages, attempts, payloads, deliveries }: Removals): void {
    this.#messagesRemoved.inc(messages)
    this.#attemptsRemoved.inc(attempts)
    this.#payloadsWiped.inc(payloads)
    this.#deliveriesDropped.inc(deliveries)
  }

  commitFailed(): void {
    this.#commitFailures.inc()
  }

  get contentType(): string {
    return this.#registry.contentType
  }

  async render(): Promise<string> {
    return [await this.#registry.metrics(), ...this.#histograms.map((histogram) => `${histogram.render()}\n`)].join(
      '\n',
    )
  }

  #counter(name: string, help: string): Counter {
    return new Counter({ name, help, registers: [this.#registry] })
  }

  #seconds(name: string, help: string): Histogram {
    return this.#histogram(name, help, latencyBuckets)
  }

  #histogram(name: string, help: string, bounds: readonly number[]): Histogram {
    const histogram = new Histogram(name, help, bounds)
    this.#histograms.push(histogram)
    return histogram
  }

  #gauge(name: string, help: string, read: () => number | Promise<number>): void {
    new Gauge({
      name,
      help,
      registers: [this.#registry],
      async collect() {
        try {
          this.set(await read())
        } catch {
          // Not known now, which is not the same as 0: it is left out, and everything else is shown.
          this.remove()
        }
      },
    })
  }
}
