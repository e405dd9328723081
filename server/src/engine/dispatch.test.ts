import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { testWorld } from '../../test/support/world.ts'
import { usualControl } from '../domain/control.ts'
import { sealHeaders, sealSecrets } from '../domain/endpoint-seal.ts'
import type { ClaimedDelivery, NewMessage, Store } from '../ports/store.ts'
import { samples } from '../stores/conformance/samples.ts'
import { openSqliteStore } from '../stores/sqlite/store.ts'
import { Directory } from './directory.ts'
import { Dispatcher } from './dispatch.ts'
import type { HotDelivery } from './lane.ts'

/** A store with one endpoint, and dispatchers that keep what they would send. */
async function made(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'posthorn-dispatch-'))
  const store = await openSqliteStore(join(folder, 'dispatch.db'))
  t.after(async () => {
    await store.close()
    rmSync(folder, { recursive: true })
  })
  const [make, world, masterKey] = [samples(), testWorld(), new Uint8Array(32)]
  const environment = await store.environments.ensure(make.environment('default'))
  const application = make.application(environment.id)
  await store.applications.insert(application)
  const { id } = make.endpoint(application.id)
  const secrets = { current: `whsec_${Buffer.alloc(32).toString('base64')}`, former: [] }
  const endpoint = make.endpoint(application.id, {
    ...{ id, url: 'https://receiver.example/old' },
    sealedSecrets: sealSecrets(masterKey, id, secrets, new Uint8Array(12)),
    sealedHeaders: sealHeaders(masterKey, id, {}, new Uint8Array(12).fill(1)),
  })
  await store.endpoints.insert(endpoint)

  const sent: string[] = []
  const meanwhile = { sending() {} }
  const sendings: { readonly delivery: HotDelivery; readonly settle: () => void }[] = []
  const dispatcherOn = (directory: Directory): Dispatcher =>
    new Dispatcher({
      ...{ world, store: store.road, directory, lease: make.id('lease') },
      observer: {
        ...{
          accepted() {},
          attempted() {},
          turned() {},
          slowed() {},
          committed() {},
          removed() {},
          retentionFailed() {},
          recordRefused() {},
          commitFailed() {},
          ...{ storeDown() {}, storeBack() {} },
        },
      },
      limits: { endpointInFlight: 4, globalInFlight: 16, hotDeliveries: 64, leaseMs: 60_000 },
      sharers: () => 1,
      heard: () => true,
      deliver: ({ destination, deliveries: [delivery] }, onOutcome, onDisk) => {
        sent.push(destination.url)
        meanwhile.sending()
        const settle = () => {
          onOutcome(true)
          onDisk(delivery, false)
        }
        sendings.push({ delivery, settle })
      },
      turned: () => assert.fail('no breaker is open'),
      end: () => assert.fail('nothing is canceled'),
      written: () => assert.fail('nothing is canceled'),
    })
  return {
    ...{ store, make, world, masterKey, environment, application, endpoint, id, dispatcherOn },
    /** What went out, and what happens while something goes out. */
    ...{ sent, sendings, meanwhile },
  }
}

const claimed = (
  { application, id }: Awaited<ReturnType<typeof made>>,
  message: NewMessage,
  attempts: number,
): ClaimedDelivery => ({
  ...{ messageId: message.id, endpointId: id, applicationId: application.id, attempts, message },
  ...{ trigger: 'scheduled', orderKey: null },
})

test('an endpoint that is changed while it is being read is read again before anything is sent to it', async (t) => {
  const scene = await made(t)
  const { store, make, world, masterKey, application, endpoint, sent, dispatcherOn } = scene
  // The store answers as it is, but the first answer is slow on its way.
  let letGo = (): void => {}
  const underway = new Promise<void>((resolve) => {
    letGo = resolve
  })
  let reads = 0
  const slow: Store = {
    ...store,
    endpoints: {
      ...store.endpoints,
      async all(applicationId) {
        reads += 1
        const answer = await store.endpoints.all(applicationId)
        if (reads === 1) await underway
        return answer
      },
    },
  }
  const dispatcher = dispatcherOn(new Directory(slow, masterKey, usualControl))
  const message = make.message(application.id)
  dispatcher.admitClaimed([claimed(scene, message, 0)], world.now() + 60_000, new Set())
  await store.ping()
  await store.endpoints.update({ ...endpoint, url: 'https://receiver.example/new', revision: 2 })
  dispatcher.changed(application.id)
  letGo()
  while (sent.length === 0) await turn()
  assert.deepEqual(sent, ['https://receiver.example/new'])
})

test('what is published when a pause is over waits behind what the store kept, until the store has been asked', async (t) => {
  const { store, masterKey, environment, application, id, dispatcherOn } = await made(t)
  const directory = new Directory(store, masterKey, usualControl)
  const dispatcher = dispatcherOn(directory)
  const routes = await directory.load(environment.id, application.id)
  const [destination = assert.fail()] = routes?.destinations ?? []
  dispatcher.resumed(id, application.id)
  assert.equal(dispatcher.reserve(destination, 0), false)
  dispatcher.beginRound()
  dispatcher.beginRound()
  dispatcher.endRound(new Set())
  assert.equal(dispatcher.reserve(destination, 0), true)
  dispatcher.unreserve(destination, 0)
})

test('what a claim passed over is looked for as soon as the endpoint can take it, not at the next poll', async (t) => {
  const scene = await made(t)
  const { store, make, world, masterKey, application, id, sendings, dispatcherOn } = scene
  const dispatcher = dispatcherOn(new Directory(store, masterKey, usualControl))
  let wakes = 0
  dispatcher.wake = () => {
    wakes += 1
  }
  // More than half of what it may have: the next claim takes none of it.
  const all = Array.from({ length: 7 }, () => claimed(scene, make.message(application.id), 0))
  dispatcher.admitClaimed(all, world.now() + 60_000, new Set())
  while (sendings.length < 4) await turn()
  dispatcher.beginRound()
  assert.equal(dispatcher.shares(128).get(id), 0)
  dispatcher.passedOver([id])
  assert.equal(wakes, 0)
  for (let n = 0; n < 7; n++) sendings[n]?.settle()
  assert.ok(wakes > 0)

  // It became free while the claim was on its way.
  wakes = 0
  dispatcher.beginRound()
  dispatcher.passedOver([id])
  assert.equal(wakes, 1)

  // What the next round does not pass over is not waited for.
  dispatcher.beginRound()
  dispatcher.admitClaimed([claimed(scene, make.message(application.id), 0)], world.now() + 60_000, new Set())
  while (sendings.length < 8) await turn()
  wakes = 0
  sendings[7]?.settle()
  assert.equal(wakes, 0)
})

test('what is written down while a claim that took it is on its way is not sent a second time; a later try of it is', async (t) => {
  const scene = await made(t)
  const { store, make, world, masterKey, application, sendings, dispatcherOn } = scene
  const dispatcher = dispatcherOn(new Directory(store, masterKey, usualControl))
  const [message, other] = [make.message(application.id), make.message(application.id)]
  const arrive = async (...deliveries: ClaimedDelivery[]): Promise<readonly string[]> => {
    const before = sendings.length
    dispatcher.admitClaimed(deliveries, world.now() + 60_000, new Set())
    while (sendings.length === before) await turn()
    return sendings.slice(before).map(({ delivery }) => `${delivery.message.id} ${delivery.attempts}`)
  }
  await arrive(claimed(scene, message, 0))

  dispatcher.beginClaim()
  sendings[0]?.settle()
  assert.deepEqual(await arrive(claimed(scene, message, 0), claimed(scene, other, 0)), [`${other.id} 0`])
  assert.deepEqual(await arrive(claimed(scene, message, 1)), [`${message.id} 1`])
  dispatcher.endClaim()
  for (const { settle } of sendings.slice(1)) settle()
  assert.deepEqual(await arrive(claimed(scene, message, 0)), [`${message.id} 0`], 'what was asked for anew is')
})

test('a machine that sleeps while it sends wakes up to send nothing more of what it may have lost', async (t) => {
  const scene = await made(t)
  const { store, make, world, masterKey, application, sendings, meanwhile, dispatcherOn } = scene
  const dispatcher = dispatcherOn(new Directory(store, masterKey, usualControl))
  meanwhile.sending = () => void world.leap(59_500)
  const all = Array.from({ length: 4 }, () => claimed(scene, make.message(application.id), 0))
  dispatcher.admitClaimed(all, world.now() + 60_000, new Set())
  while (sendings.length === 0) await turn()
  for (let n = 0; n < 20; n++) await turn()
  assert.deepEqual(
    sendings.map(({ delivery }) => delivery.message.id),
    [all[0]?.messageId],
  )
})
