import type { MessageId, Millis } from '../src/domain/ids.ts'
import type { Outcome } from '../src/domain/outcome.ts'
import type { OutgoingRequest, Transport } from '../src/ports/transport.ts'
import { type Chance, chanceOf } from '../test/faults/chance.ts'
import type { Life } from './life.ts'
import type { Model, Send } from './model.ts'
import { type EndpointPlan, type Mood, urlOf } from './scenario.ts'
import type { Timeline } from './timeline.ts'

const flappingMs: Millis = 700

interface Reply {
  readonly afterMs: Millis
  readonly outcome: (durationMs: Millis, said: string) => Outcome
}

const delivered =
  (status: number) =>
  (durationMs: Millis, response: string): Outcome => ({
    kind: 'delivered',
    status,
    durationMs,
    response,
    responseCut: false,
  })
const refused =
  (status: number, retryAfterMs: Millis | null = null) =>
  (durationMs: Millis, response: string): Outcome => ({
    ...{ kind: 'refused', status, retryAfterMs, durationMs, response, responseCut: false },
  })
const unreachable =
  (reason: 'timeout' | 'reset') =>
  (durationMs: Millis, detail: string): Outcome => ({ kind: 'unreachable', reason, detail, durationMs })

/** Those at the other end of the wire, each with its moods; and the wire itself. */
export class Receivers {
  readonly #timeline: Timeline
  readonly #model: Model
  readonly #byUrl: ReadonlyMap<string, { readonly plan: EndpointPlan; readonly chance: Chance }>
  #count = 0

  constructor(model: Model) {
    this.#model = model
    this.#timeline = model.timeline
    const { seed, endpoints } = model.scenario
    this.#byUrl = new Map(endpoints.map((plan) => [urlOf(plan.id), { plan, chance: chanceOf(seed, plan.id) }]))
  }

  /** What one life of a node sends through. */
  transportOf(life: Life): Transport {
    return {
      send: (request, onFirstByte) =>
        new Promise((resolve) => {
          const send = this.#begin(life, request)
          onFirstByte?.()
          const { afterMs, outcome } = this.#replyTo(send, request)
          this.#timeline.after(afterMs, life, () => {
            // Its node has given it up, and writes nothing down any more.
            if (life.closed) return
            send.endedAt = this.#timeline.now
            send.nodeEndedAt = this.#timeline.now + life.clock
            send.outcome = outcome(afterMs, `send ${send.number}`)
            this.#model.ends(send)
            resolve(send.outcome)
          })
        }),
      close: async () => {},
    }
  }

  #begin(life: Life, request: OutgoingRequest): Send {
    this.#count += 1
    const endpointId = this.#byUrl.get(request.url)?.plan.id
    if (endpointId === undefined) throw new Error(`nobody listens at ${request.url}`)
    const messageIds = messagesOf(request)
    for (const id of messageIds) {
      const payload = this.#model.tables.messages.get(id)?.payload
      const isWhole = messageIds.length === 1 ? `${request.body}`.includes(`${payload}`) : true
      if (payload === undefined || !isWhole) this.#model.violated('bytes', `${id} was sent as ${request.body}`)
    }
    const send: Send = {
      ...{ number: this.#count, life, endpointId, messageIds, startedAt: this.#timeline.now },
      ...{ startedIn: this.#model.moment, endedAt: null, nodeEndedAt: null, outcome: null },
    }
    this.#model.begins(send)
    return send
  }

  #replyTo(send: Send, { url, timeoutMs }: OutgoingRequest): Reply {
    const receiver = this.#byUrl.get(url)
    if (receiver === undefined) throw new Error(`nobody listens at ${url}`)
    const { plan, chance } = receiver
    const calm = this.#timeline.elapsed >= this.#model.scenario.calmAt
    const poisoned = !calm && send.messageIds.some((id) => numberOf(id) % 10 < plan.poisoned)
    const reply = poisoned ? failing(chance) : replyIn(calm ? 'ok' : this.#moodOf(plan), chance, this.#timeline.elapsed)
    return reply.afterMs < timeoutMs ? reply : { afterMs: timeoutMs, outcome: unreachable('timeout') }
  }

  #moodOf({ spells }: EndpointPlan): Mood {
    return spells.findLast(({ from }) => from <= this.#timeline.elapsed)?.mood ?? 'ok'
  }
}

const failing = (chance: Chance): Reply => ({ afterMs: chance.between(1, 20), outcome: refused(500) })

function replyIn(mood: Mood, chance: Chance, elapsed: Millis): Reply {
  const soon = chance.between(1, 30)
  switch (mood) {
    case 'ok':
      return { afterMs: soon, outcome: delivered(200) }
    case 'slow':
      return { afterMs: chance.between(300, 3_000), outcome: delivered(202) }
    case 'hangs':
      return { afterMs: Number.POSITIVE_INFINITY, outcome: unreachable('timeout') }
    case 'resets':
      return { afterMs: soon, outcome: unreachable('reset') }
    case 'busy': {
      const asked = chance.comesTrue(0.7) ? chance.between(1, 4) * 500 : null
      return { afterMs: soon, outcome: refused(chance.of([429, 503]), asked) }
    }
    case 'failing':
      return { afterMs: soon, outcome: refused(500) }
    case 'flapping': {
      const isUp = Math.floor(elapsed / flappingMs) % 2 === 0
      return { afterMs: soon, outcome: isUp ? delivered(200) : refused(502) }
    }
    case 'gone':
      return { afterMs: soon, outcome: refused(410) }
  }
}

function messagesOf({ headers, body }: OutgoingRequest): readonly MessageId[] {
  const value = (name: string): string | undefined => {
    const at = headers.indexOf(name)
    return at < 0 ? undefined : headers[at + 1]
  }
  if (value('webhook-batch') === undefined) return [value('webhook-id') as MessageId]
  return (JSON.parse(`${body}`) as readonly { readonly id: MessageId }[]).map(({ id }) => id)
}

/** Something that hangs on the message alone, and tells messages apart. */
const numberOf = (id: MessageId): number => id.charCodeAt(id.length - 1) + id.charCodeAt(id.length - 2)
