import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { DeliveryKey, Ending, NewDelivery, NewMessage } from '../../ports/store.ts'
import { everyMessage } from './messages.ts'
import { type OpenStore, openedEach } from './opened.ts'
import { wholeList } from './paging.ts'
import { batch, samples } from './samples.ts'

/** What removes content, messages, and what waits of them. */
export function retentionConformance(open: OpenStore): void {
  const store = openedEach(open)
  const make = samples()
  const lease = make.id('lease')
  const ending = (ended: Ending['ended']): Ending => ({
    ...{ ended, response: 'Not sent.', at: make.now(), id: make.id('attempt') },
  })

  async function opened() {
    const environment = await store().environments.ensure(make.environment('e'))
    const application = make.application(environment.id)
    await store().applications.insert(application)
    const endpoint = make.endpoint(application.id)
    await store().endpoints.insert(endpoint)
    const message = (changes: Partial<NewMessage> = {}) =>
      make.message(application.id, { payload: '{"a":1}', ...changes })
    const delivery = (of: NewMessage, changes: Partial<NewDelivery> = {}): NewDelivery => ({
      ...{ messageId: of.id, endpointId: endpoint.id, dueAt: make.now(), lease: null },
      ...changes,
    })
    const ids = async () =>
      (await store().messages.list(application.id, everyMessage, false, wholeList)).map((row) => row.id)
    return { applicationId: application.id, endpointId: endpoint.id, message, delivery, ids }
  }

  /** Repeats steps as whoever calls them does. */
  async function until<Step>(step: () => Promise<Step>, over: (step: Step) => boolean): Promise<readonly Step[]> {
    const steps: Step[] = []
    do steps.push(await step())
    while (!over(steps.at(-1) as Step) && steps.length < 100)
    return steps
  }

  describe('expunging', () => {
    test('takes payload and answers of the messages named, of any size and number, step by step', async () => {
      const { applicationId, endpointId, message } = await opened()
      const large = Array.from({ length: 5 }, () => message({ payload: `"${'x'.repeat(700_000)}"` }))
      const other = message()
      const key: DeliveryKey = { messageId: large[0]?.id ?? 'msg_', endpointId }
      const attempts = Array.from({ length: 450 }, () => make.attempt(key, { response: 'said '.repeat(1_000) }))
      const kept = make.attempt({ messageId: other.id, endpointId })
      await store().road.commit(batch({ lease, messages: [...large, other], attempts: [...attempts, kept] }))
      let left = large.map((row) => row.id)
      const steps = await until(
        async () => {
          const step = await store().expunge.messages(applicationId, left, ending('canceled'))
          left = [...step.left]
          return step
        },
        () => left.length === 0,
      )
      assert.ok(steps.length >= 5, `${steps.length} steps`)
      assert.equal(
        steps.reduce((sum, { wiped }) => sum + wiped, 0),
        5,
      )
      for (const { id } of large) assert.equal((await store().messages.find(applicationId, id, true))?.payload, null)
      for (const { id } of attempts) assert.equal((await store().attempts.find(key.messageId, id))?.response, '')
      assert.equal((await store().messages.find(applicationId, other.id, true))?.payload, '{"a":1}')
      assert.deepEqual(await store().attempts.find(other.id, kept.id), kept)
    })

    test('touches no message of another application, and passes over ids that are none', async () => {
      const { applicationId, message } = await opened()
      const one = message()
      await store().road.commit(batch({ lease, messages: [one] }))
      const foreign = await store().expunge.messages(make.id('application'), [one.id], ending('canceled'))
      const unknown = await store().expunge.messages(applicationId, [make.id('message')], ending('canceled'))
      assert.deepEqual(
        [foreign, unknown],
        [
          { left: [], wiped: 0 },
          { left: [], wiped: 0 },
        ],
      )
      assert.equal((await store().messages.find(applicationId, one.id, true))?.payload, '{"a":1}')
    })

    test('ends what waits with an attempt each, makes due who was behind it, and leaves what is under lease', async () => {
      const { applicationId, endpointId, message, delivery } = await opened()
      const [head, behind, sending] = [message(), message(), message()] as const
      await store().road.commit(
        batch({
          ...{ lease, now: make.now(), messages: [head, behind, sending] },
          deliveries: [
            delivery(head, { orderKey: 'k' }),
            delivery(behind, { orderKey: 'k' }),
            delivery(sending, { lease, dueAt: make.now() + 60_000 }),
          ],
        }),
      )
      await store().expunge.messages(applicationId, [head.id, sending.id], ending('canceled'))
      const [attempt, ...others] = await store().attempts.listByMessage(
        head.id,
        { ...everyMessage, settled: null, statusCodeClass: null, endpointId: null },
        wholeList,
      )
      assert.deepEqual([attempt?.ended, attempt?.response, others.length], ['canceled', 'Not sent.', 0])
      assert.match(attempt?.id ?? '', /^atmpt_\w{27}$/)
      const { deliveries } = await store().road.claim({
        ...{ now: make.now() + 1_000, until: make.now() + 2_000, lease, after: '', visits: 10, share: 10 },
        ...{ shares: new Map(), room: 10, bytes: 1_000 },
      })
      assert.deepEqual(
        deliveries.map(({ messageId }) => messageId),
        [behind.id],
      )
      assert.equal(await store().road.backlog(10), 2)
      assert.equal(endpointId, deliveries[0]?.endpointId)
    })
  })

  describe('retention', () => {
    test('removes messages made before a moment with all that belongs to them, and frees their eventIds', async () => {
      const { applicationId, endpointId, message, delivery, ids } = await opened()
      const old = Array.from({ length: 450 }, (_, n) => message({ eventId: `evt-${n}` }))
      const young = message({ eventId: 'evt-young' })
      const attempts = old.flatMap(({ id: messageId }) => [make.attempt({ messageId, endpointId })])
      await store().road.commit(
        batch({ lease, messages: [...old, young], deliveries: [...old, young].map((row) => delivery(row)), attempts }),
      )
      let above: NewMessage['id'] | '' = ''
      const steps = await until(
        async () => {
          const step = await store().retention.deleteMessages(applicationId, above, young.id, make.now())
          above = step.last ?? above
          return step
        },
        ({ last }) => last === null,
      )
      const sum = (count: 'messages' | 'attempts' | 'deliveries') =>
        steps.reduce((all, { removed }) => all + removed[count], 0)
      assert.deepEqual([sum('messages'), sum('attempts'), sum('deliveries')], [450, 450, 450])
      assert.deepEqual(await ids(), [young.id])
      assert.equal(await store().road.backlog(10), 1)
      const { taken } = await store().road.commit(
        batch({ lease, messages: [message({ eventId: 'evt-7' }), message({ eventId: 'evt-young' })] }),
      )
      assert.deepEqual([...taken.values()], [young.id])
    })

    test('removes payloads only, once, and goes on where it stopped', async () => {
      const { applicationId, message, ids } = await opened()
      const old = Array.from({ length: 230 }, () => message())
      const own = message({ payloadUntil: make.now() + 1_000_000 })
      const young = message()
      await store().road.commit(batch({ lease, messages: [...old, own, young] }))
      const wipe = () => store().retention.wipePayloads(applicationId, young.id, ending('expired'))
      const steps = await until(wipe, ({ more }) => !more)
      assert.equal(
        steps.reduce((all, { removed }) => all + removed.payloads, 0),
        230,
      )
      assert.equal((await ids()).length, 232)
      const [kept] = await store().retention.applications('', 10)
      assert.deepEqual([kept?.oldest, kept?.unwiped], [old[0]?.id, young.id])
      assert.deepEqual((await wipe()).removed.payloads, 0)
      const lapsed = (at: number) => store().retention.wipeLapsed({ ...ending('expired'), at })
      assert.equal((await lapsed((own.payloadUntil ?? 0) - 1)).removed.payloads, 0)
      assert.equal((await lapsed(own.payloadUntil ?? 0)).removed.payloads, 1)
      assert.equal((await lapsed(own.payloadUntil ?? 0)).removed.payloads, 0)
    })

    test('removes a payload in the commit that delivers it to the last endpoint, where it is asked to', async () => {
      const { applicationId, endpointId, message, delivery } = await opened()
      const second = make.endpoint(applicationId)
      await store().endpoints.insert(second)
      const one = message()
      const to = [endpointId, second.id]
      await store().road.commit(
        batch({ lease, messages: [one], deliveries: to.map((id) => delivery(one, { endpointId: id, lease })) }),
      )
      const settle = (id: DeliveryKey['endpointId'], succeeded: boolean) => {
        const key = { messageId: one.id, endpointId: id }
        return store().road.commit(
          batch({
            ...{ lease, attempts: [make.attempt(key, { succeeded })] },
            settlements: [{ kind: 'finish', tried: 0, ...key, ...(succeeded ? { wipeIn: applicationId } : {}) }],
          }),
        )
      }
      const payload = async () => (await store().messages.find(applicationId, one.id, true))?.payload
      await settle(second.id, false)
      await settle(endpointId, true)
      assert.equal(await payload(), '{"a":1}', 'one endpoint has not got it')
      await store().road.commit(batch({ lease, deliveries: [delivery(one, { endpointId: second.id, lease })] }))
      await settle(second.id, true)
      assert.equal(await payload(), null)
    })

    test('removes what was deleted only when nothing refers to it any more', async () => {
      const { applicationId, endpointId, message } = await opened()
      const one = message()
      await store().road.commit(
        batch({ lease, messages: [one], attempts: [make.attempt({ messageId: one.id, endpointId })] }),
      )
      await store().applications.delete(applicationId, make.now())
      const later = make.now() + 1
      assert.equal(await store().retention.deleteApplication(applicationId), false)
      await store().retention.deleteEndpoints('', later)
      assert.notEqual(await store().endpoints.any(), null)
      await store().retention.deleteMessages(applicationId, '', 'msg_z', later)
      await store().retention.deleteEndpoints('', later)
      assert.equal(await store().endpoints.any(), null)
      assert.equal(await store().retention.deleteApplication(applicationId), true)
      assert.deepEqual(await store().retention.applications('', 10), [])
    })
  })
}
