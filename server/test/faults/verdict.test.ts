import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Touch } from './audit.ts'
import type { Evidence } from './evidence.ts'
import { type EndpointState, type Fact, Ledger, statesWithin } from './ledger.ts'
import type { FleetNode, Life } from './node.ts'
import type { Request } from './receiver.ts'
import { Starvation } from './slowness.ts'
import { rules } from './verdict.ts'

const at = Date.UTC(2026, 0, 1)
const wanting: EndpointState = { eventTypes: ['plain', 'ordered', 'limited'], disabled: false, version: 1 }

const life = (name: string, parts: Partial<Life> = {}): Life => ({
  ...{
    name,
    startedAt: at - 9_000,
    listeningAt: at - 8_000,
    toldToEndAt: null,
    ended: null,
    frozen: [],
    complaints: [],
    mostRssBytes: 0,
    starved: new Starvation(),
  },
  ...parts,
})

const [one, two] = [life('node-1-life-1'), life('node-2-life-1')]
const nodeOf = (name: string, ...lives: Life[]): FleetNode => ({ name, lives }) as unknown as FleetNode

/** A world in which endpoint `plain` (`ep_1`) has been there for long, and `fact` was accepted as `msg_0`. */
function scene(parts: Partial<Evidence> = {}, endpoint = 'plain', orderingKey: string | null = null) {
  const ledger = new Ledger()
  const change = ledger.change('shop', endpoint, wanting)
  Object.assign(change, { beganAt: at - 5_000, ackedAt: at - 4_900 })
  const publish = (eventType = 'plain'): Fact => {
    const fact = ledger.begin({ application: 'shop', eventType, orderingKey, eventId: null }, 'x')
    Object.assign(fact, { beganAt: at, accepted: { at: at + 20, id: `msg_${fact.number}` } })
    return fact
  }
  const requests: Request[] = []
  const arrives = (fact: Fact, said: Partial<Request> = {}): Request => {
    const request: Request = {
      ...{ number: requests.length, endpoint, version: 1, messageId: `msg_${fact.number}`, life: one.name },
      ...{ body: fact.payload, signedAt: at, at: at + 100, answered: { at: at + 110, status: 200 } },
      reset: false,
      ...said,
    }
    requests.push(request)
    return request
  }
  const evidence: Evidence = {
    ...{
      ledger,
      requests,
      disturbances: [],
      touches: [],
      attempts: [],
      messages: [],
      left: [],
      refusedAtTheEnd: [],
      pauses: [],
    },
    nodes: [nodeOf('node-1', one), nodeOf('node-2', two)],
    endpointIds: new Map([[endpoint, 'ep_1']]),
    ...parts,
  }
  return { ledger, change, publish, arrives, evidence }
}

const breaches = (name: RegExp, evidence: Evidence): readonly string[] => {
  const rule = rules.find((one) => name.test(one.name))
  assert.ok(rule, `there is a rule ${name}`)
  return rule.broken(evidence)
}

const touch = (what: Touch['what'], by: Life, ms: number, before: Touch['before'], after: Touch['after']): Touch => ({
  ...{ messageId: 'msg_0', endpointId: 'ep_1', what, at: at + ms, life: by, before, after },
})
const under = (lease: string | null, dueMs: number) => ({ lease, dueAt: at + dueMs })

describe('a round is found out', () => {
  test('when an accepted message did not reach an endpoint that wanted it all the while', () => {
    const { publish, arrives, evidence } = scene()
    const fact = publish()
    arrives(fact, { answered: { at: at + 110, status: 503 } })
    assert.equal(breaches(/reaches every endpoint/, evidence).length, 1)
    arrives(fact)
    assert.deepEqual(breaches(/reaches every endpoint/, evidence), [])
  })

  test('when an accepted message was delivered in time, but is not in the database that took over', () => {
    const { publish, arrives, evidence } = scene()
    const fact = publish()
    arrives(fact)
    const kept = /is stored, whatever/
    assert.equal(breaches(kept, evidence).length, 1)
    assert.deepEqual(breaches(kept, { ...evidence, messages: [{ id: 'msg_0', payload: fact.payload }] }), [])
  })

  test('when nobody can say of which node a touch was', () => {
    const { evidence } = scene()
    const known = touch('insert', one, 0, null, under('lease_1', 3_000))
    const touched = /it is known/
    assert.deepEqual(breaches(touched, { ...evidence, touches: [known] }), [])
    assert.equal(breaches(touched, { ...evidence, touches: [known, { ...known, life: null }] }).length, 1)
  })

  test('when a message reached an endpoint that had been disabled before its publish began, but not while that was under way', () => {
    const { ledger, publish, arrives, evidence } = scene()
    const change = ledger.change('shop', 'plain', { ...wanting, disabled: true })
    Object.assign(change, { beganAt: at - 100, ackedAt: at - 50 })
    arrives(publish())
    assert.equal(breaches(/was not for it/, evidence).length, 1)
    change.ackedAt = at + 5
    assert.deepEqual(breaches(/was not for it/, evidence), [])
  })

  test('when bytes were changed', () => {
    const { publish, arrives, evidence } = scene()
    const fact = publish()
    arrives(fact, { body: fact.payload.replace('": ', '":') })
    assert.equal(breaches(/bytes/, evidence).length, 1)
  })

  test('when one publish became two messages, also where only one was ever sent', () => {
    const { publish, arrives, evidence } = scene()
    const fact = publish()
    arrives(fact)
    assert.deepEqual(breaches(/stored once/, evidence), [])
    const messages = [{ id: 'msg_other', payload: fact.payload }]
    assert.equal(breaches(/stored once/, { ...evidence, messages }).length, 1)
  })

  test('when who had lost a delivery settled it, or who never had it took it too early', () => {
    const taken = [
      touch('insert', one, 0, null, under('lease_1', 3_000)),
      touch('update', two, 3_100, under('lease_1', 3_000), under('lease_2', 6_100)),
    ]
    const settledBy = (by: Life) => [...taken, touch('delete', by, 3_200, under('lease_2', 6_100), null)]
    const { evidence } = scene()
    const held = /touched by its holder/
    assert.deepEqual(breaches(held, { ...evidence, touches: settledBy(two) }), [])
    assert.equal(breaches(held, { ...evidence, touches: settledBy(one) }).length, 1)
    const early = touch('update', two, 2_900, under('lease_1', 3_000), under('lease_2', 6_100))
    assert.equal(
      breaches(held, { ...evidence, touches: [touch('insert', one, 0, null, under('lease_1', 3_000)), early] }).length,
      1,
    )
  })

  test('when a node sent what another had taken over or settled', () => {
    const touches = [
      touch('insert', one, 0, null, under('lease_1', 3_000)),
      touch('update', two, 3_100, under('lease_1', 3_000), under('lease_2', 6_100)),
      touch('delete', two, 3_300, under('lease_2', 6_100), null),
    ]
    const { publish, arrives, evidence } = scene({ touches })
    const fact = publish()
    arrives(fact, { signedAt: at + 2_000, at: at + 2_900 })
    arrives(fact, { signedAt: at + 3_000, at: at + 3_200, life: two.name })
    // Signed before its node was suspended, and on its way since.
    arrives(fact, { signedAt: at + 2_000, at: at + 5_000 })
    assert.deepEqual(breaches(/does not hold its lease/, evidence), [])
    arrives(fact, { signedAt: at + 5_000, at: at + 5_100 })
    arrives(fact, { signedAt: at + 4_000, at: at + 4_100, life: two.name })
    assert.equal(breaches(/does not hold its lease/, evidence).length, 2)
  })

  test('when a request was recorded twice or not at all, but not when its node was killed before it could', () => {
    const stored = {
      messageId: 'msg_0',
      endpointId: 'ep_1',
      statusCode: 200,
      response: 'request 0',
      startedAt: at + 90,
    }
    const { publish, arrives, evidence } = scene()
    arrives(publish())
    const recorded = /recorded once/
    assert.deepEqual(breaches(recorded, { ...evidence, attempts: [{ ...stored, id: 'a' }] }), [])
    assert.equal(
      breaches(recorded, {
        ...evidence,
        attempts: [
          { ...stored, id: 'a' },
          { ...stored, id: 'b' },
        ],
      }).length,
      1,
    )
    assert.equal(breaches(recorded, evidence).length, 1)
    const killed = life(one.name, { ended: { at: at + 150, how: 'killed', code: null } })
    assert.deepEqual(breaches(recorded, { ...evidence, nodes: [nodeOf('node-1', killed)] }), [])
  })

  test('when a request was lost beside a reset one, but not when one try sent both', () => {
    const recorded = /recorded once/
    const { publish, arrives, evidence } = scene()
    const fact = publish()
    arrives(fact, { answered: null, reset: true, at: at + 100 })
    arrives(fact, { at: at + 105 })
    const attempt = { messageId: 'msg_0', endpointId: 'ep_1', statusCode: 200, response: 'request 1', id: 'a' }
    const startedAt = (ms: number): Evidence => ({ ...evidence, attempts: [{ ...attempt, startedAt: at + ms }] })
    assert.deepEqual(breaches(recorded, startedAt(90)), [])
    // Begun when the first was there already: it is another try, and the first is nowhere.
    assert.equal(breaches(recorded, startedAt(102)).length, 1)
    // Neither was answered in the end.
    const [, second] = evidence.requests
    assert.ok(second)
    second.answered = null
    const unanswered = { ...attempt, statusCode: 0, response: 'timeout', startedAt: at + 90 }
    assert.deepEqual(breaches(recorded, { ...evidence, attempts: [unanswered] }), [])
    // Once more, and no oftener.
    arrives(fact, { answered: null, at: at + 110 })
    assert.equal(breaches(recorded, { ...evidence, attempts: [unanswered] }).length, 1)
  })

  test('when the second of a key came before the first was taken', () => {
    const { publish, arrives, evidence } = scene({}, 'ordered', 'k')
    const [first, second] = [publish('ordered'), publish('ordered')]
    arrives(first, { answered: { at: at + 110, status: 503 } })
    arrives(second, { at: at + 200 })
    arrives(first, { at: at + 300, answered: { at: at + 310, status: 200 } })
    assert.equal(breaches(/one after the other/, evidence).length, 1)
  })

  test('when more was sent than the rate allows, however long the stretch is', () => {
    const { publish, arrives, evidence } = scene({}, 'limited')
    const fact = publish('limited')
    for (let number = 0; number < 60; number++) arrives(fact, { at: at + number * 50 })
    assert.deepEqual(breaches(/rate/, evidence), [])
    for (let number = 0; number < 60; number++) arrives(fact, { at: at + 3_000 + number * 35 })
    assert.notEqual(breaches(/rate/, evidence).length, 0)
  })

  test('but not when too much was seen at once after the receiver stood still, or for as long as it had no processor', () => {
    const { ledger, publish, arrives, evidence } = scene({}, 'limited')
    const fact = publish('limited')
    for (let number = 0; number < 60; number++) arrives(fact, { at: at + 3_000 })
    const still = (ms: number): Evidence => ({ ...evidence, pauses: [{ from: at + 3_000 - ms, until: at + 2_990 }] })
    assert.deepEqual(breaches(/rate/, still(2_900)), [])
    assert.equal(breaches(/rate/, still(2_000)).length > 0, true)

    Object.assign(ledger.try('POST /msg', 'node-1'), { from: at, until: at + 4_000, became: 202 })
    const starved = (waitedMs: number): Evidence => {
      const starvation = new Starvation()
      starvation.add(at - 200, 100)
      starvation.add(at + 4_200, 100 + waitedMs)
      return { ...evidence, nodes: [nodeOf('node-1', life(one.name, { starved: starvation }))] }
    }
    const late = /callers get/
    assert.deepEqual(breaches(late, starved(1_100)), [])
    assert.equal(breaches(late, starved(900)).length, 1)
  })

  test('when a node that was left alone answered late, wrongly or not at all', () => {
    const { ledger, evidence } = scene()
    const call = (parts: object) =>
      Object.assign(ledger.try('POST /msg', 'node-1'), { from: at, until: at + 50 }, parts)
    const answers = /callers get/
    call({ became: 202 })
    call({ became: 503, retryAfter: '1' })
    assert.deepEqual(breaches(answers, evidence), [])
    call({ became: 503 })
    call({ became: 500 })
    call({ became: 202, until: at + 3_500 })
    call({ became: 'TypeError: fetch failed' })
    assert.equal(breaches(answers, evidence).length, 4)
    // It was told to end, and takes no more of what comes while it ends.
    const stopping = life(one.name, { toldToEndAt: at - 10, ended: { at: at + 9_000, how: 'stopped', code: 0 } })
    assert.equal(breaches(answers, { ...evidence, nodes: [nodeOf('node-1', stopping)] }).length, 2)
  })

  test('when the same ask was called running, but not where its caller had not waited for the answer', () => {
    const { ledger, publish, evidence } = scene()
    const fact = publish()
    const running = { became: 409, said: '{"code":"idempotency-key-running"}' }
    const call = (parts: object) => {
      const one = Object.assign(ledger.try('POST /msg', 'node-1'), { from: at, until: at + 50 }, parts)
      fact.tries.push(one)
      return one
    }
    const first = call({ became: 'TimeoutError: aborted', from: at - 60_000, until: at - 56_000 })
    call(running)
    const answers = /callers get/
    const ranThen = life(one.name, { listeningAt: at - 1_000 })
    const nodes = [nodeOf('node-1', ranThen)]
    assert.deepEqual(breaches(answers, { ...evidence, nodes }), [])
    first.became = 503
    first.retryAfter = '1'
    assert.equal(breaches(answers, { ...evidence, nodes }).length, 1)
  })

  test('when a node ended by itself, grew, or told of a defect', () => {
    const sick = life('node-1-life-1', {
      ended: { at: at + 50, how: 'by itself', code: 1 },
      complaints: ['2026-01-01T00:00:00.000Z | incident | x is null', 'TypeError: x is not a function'],
      mostRssBytes: 2 ** 30,
    })
    const { evidence } = scene({ nodes: [nodeOf('node-1', sick)] })
    assert.equal(breaches(/ends by itself/, evidence).length, 1)
    assert.equal(breaches(/memory/, evidence).length, 1)
    assert.equal(breaches(/unexpected/, evidence).length, 2)
  })
})

test('within a span an endpoint may have been what was acknowledged before it, and whatever was under way', () => {
  const state = (version: number): EndpointState => ({ ...wanting, version })
  const changes = [1, 2, 3, 4].map((version) => ({
    to: state(version),
    beganAt: version * 100,
    ackedAt: version * 100 + 50,
  }))
  const versions = (from: number, until: number) =>
    statesWithin(changes, from, until).map((one) => one?.version ?? null)
  assert.deepEqual(versions(10, 90), [null])
  assert.deepEqual(versions(160, 190), [1])
  assert.deepEqual(versions(160, 310), [1, 2, 3])
  assert.deepEqual(versions(320, 1_000), [2, 3, 4])
})
