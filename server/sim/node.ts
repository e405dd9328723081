import { usualControl } from '../src/domain/control.ts'
import { type IdOf, type LeaseId, type Millis, makeIds } from '../src/domain/ids.ts'
import { leaseOf } from '../src/domain/lease.ts'
import { makePublish, type Publish, type PublishAll } from '../src/engine/accept.ts'
import { Chores } from '../src/engine/chores.ts'
import { Claimer } from '../src/engine/claimer.ts'
import { makeDeliver, makeEnd, makeTurned } from '../src/engine/deliver.ts'
import { Directory } from '../src/engine/directory.ts'
import { Dispatcher } from '../src/engine/dispatch.ts'
import { Fleet } from '../src/engine/fleet.ts'
import { giveBack } from '../src/engine/give-back.ts'
import { GroupCommit } from '../src/engine/group-commit.ts'
import type { ClaimObserver, FleetObserver, Observer, VettingObserver } from '../src/engine/observer.ts'
import { Teller } from '../src/engine/operational.ts'
import { Recall } from '../src/engine/recall.ts'
import { Retention } from '../src/engine/retention.ts'
import { SeenEventTypes } from '../src/engine/seen-event-types.ts'
import { makeVet } from '../src/engine/vetting.ts'
import type { ManageContext } from '../src/manage/context.ts'
import type { Judge } from '../src/ports/judge.ts'
import type { Store } from '../src/ports/store.ts'
import type { Transport } from '../src/ports/transport.ts'
import type { World } from '../src/ports/world.ts'
import type { Life } from './life.ts'
import type { Scenario } from './scenario.ts'
import { masterKey } from './sealed.ts'

/** Of every wait before a retry: up to this share longer or shorter. */
export const jitter = 0.2
/** Longer than any run: an endpoint that fails is not disabled for it. */
const disableAfterMs: Millis = 24 * 3_600_000
const graceMs: Millis = 2_000

/** The engine of one life of a node. */
export interface SimulatedNode {
  readonly publish: Publish
  readonly publishAll: PublishAll
  readonly manage: ManageContext
  readonly dispatcher: Pick<Dispatcher, 'hot' | 'inFlight' | 'room'>
  readonly commits: Pick<GroupCommit, 'underWay'>
  /** As `Running.stop`: `closed` is called when nothing more is written down. */
  stop(closed: () => void): Promise<void>
}

type Watching = Observer & ClaimObserver & FleetObserver & VettingObserver

/** Wires the engine as `main.ts` does, on what is simulated. Rejects where the store does not let it begin. */
export async function startNode(parts: {
  readonly scenario: Scenario
  readonly life: Life
  readonly world: World
  readonly store: Store
  readonly transport: Transport
  readonly observed: Pick<Observer, 'turned' | 'recordRefused'>
}): Promise<SimulatedNode> {
  const { scenario, life, world, store, transport } = parts
  const newId = makeIds(world.now, world.randomBytes)
  const control = { ...usualControl, maxInFlight: scenario.endpointInFlight }
  const directory = new Directory(store, masterKey, control)
  const teller = new Teller({ world, newId, directory })
  const observer = watching(parts.observed)
  const nodeId: IdOf<'node'> = newId('node')
  life.nodeId = nodeId
  const lease: LeaseId = leaseOf(nodeId)
  life.lease = lease
  const fleet = new Fleet({
    ...{ store: store.nodes, world, leaseMs: scenario.leaseMs, alone: !scenario.fleet, observer },
    node: { id: nodeId, name: life.name, version: 'simulated' },
  })
  await fleet.join()
  const commits = new GroupCommit(store.road, world, lease, observer, () => fleet.beat())
  const expect = (dueAt: Millis): void => claimer.expect(dueAt)
  const dispatcher: Dispatcher = new Dispatcher({
    ...{ world, store: store.road, directory, observer, lease },
    limits: {
      endpointInFlight: scenario.endpointInFlight,
      globalInFlight: scenario.globalInFlight,
      hotDeliveries: scenario.hotDeliveries,
      leaseMs: scenario.leaseMs,
    },
    sharers: () => fleet.sharers(),
    heard: () => fleet.heard,
    deliver: makeDeliver({
      ...{ world, newId, transport, commits, teller, observer, userAgent: 'Posthorn', jitter, disableAfterMs, expect },
    }),
    turned: makeTurned({ world, commits, observer, teller, expect }),
    end: makeEnd({ world, newId, commits }),
    written: () => commits.written(),
  })
  const claimer = new Claimer(store.road, world, dispatcher, observer)
  const recall = new Recall({ store, world, fleet, lease })
  const retention = new Retention({ store, world, newId, control, observer, leads: () => false })
  const chores = new Chores({
    ...{ store, world, dispatcher, claimer, retention, fleet, wakeTasks: () => {}, quarantineAge: 0 },
    changedElsewhere(changed) {
      for (const one of changed) {
        if (one.kind === 'cancel') {
          const letGo = () => Promise.all(one.messageIds.map((id) => dispatcher.messages.cancel(one.applicationId, id)))
          letGo().catch(() => {})
          claimer
            .arrived()
            .then(letGo)
            .catch(() => {})
        } else if (one.kind === 'application') {
          directory.forget(one.id)
          dispatcher.changedElsewhere(one.id)
        } else {
          directory.forgetAll()
          dispatcher.changedAllElsewhere()
        }
      }
    },
  })
  const seen = new SeenEventTypes(store.eventTypes, world)
  const vet = makeVet({ directory, judge: noJudge, observer })
  const { publish, publishAll } = makePublish({
    ...{ world, newId, directory, commits, dispatcher, observer, seen, vet },
  })
  const manage: ManageContext = {
    ...{ store, world, newId, masterKey, control, judge: noJudge },
    egressAllow: { networks: [], hosts: [], suffixes: [] },
    presets: { get: () => null, all: () => [] },
    told: (environmentId, facts) => teller.told(environmentId, facts),
    changed(applicationId) {
      directory.forget(applicationId)
      dispatcher.changed(applicationId)
      chores.sweep()
      claimer.wake()
    },
    changedEnvironment: () => directory.forgetAll(),
    changedEventTypes: () => directory.forgetAll(),
    expunge: async () => 0,
    wake: () => claimer.wake(),
    wakeTasks: () => {},
    recall: (ask) => recall.fromOthers(ask),
    cancelHot: (applicationId, messageId) => dispatcher.messages.cancel(applicationId, messageId),
    hotWaits: (applicationId, messageId) => dispatcher.messages.waits(applicationId, messageId),
    resumed(endpointId, applicationId) {
      dispatcher.resumed(endpointId, applicationId)
      claimer.wake()
    },
    probe(endpointId) {
      dispatcher.probe(endpointId)
      claimer.wake()
    },
  }
  await store.road.recover(world.now())
  await chores.start()
  fleet.onShare = () => dispatcher.shared()
  fleet.onLead = () => chores.lead()
  fleet.onReturn = () => chores.renewAll()
  claimer.wake()

  return {
    ...{ publish, publishAll, manage, dispatcher, commits },
    async stop(closed) {
      chores.stop()
      await claimer.stop()
      await inTime(
        world,
        graceMs,
        dispatcher.stop().then(() => commits.idle()),
      )
      chores.end()
      commits.close()
      closed()
      await transport.close()
      await giveBack(store.road, dispatcher, world.now()).catch(() => {})
      await fleet.leave().catch(() => {})
      await seen.flush()
    },
  }
}

/** Waits for something, but no longer than that. */
const inTime = (world: World, ms: Millis, something: Promise<unknown>): Promise<void> =>
  new Promise((resolve) => {
    const timer = world.after(ms, resolve)
    const came = (): void => {
      timer.cancel()
      resolve()
    }
    something.then(came, came)
  })

const refuses = async (): Promise<never> => {
  throw new Error('nothing that is simulated has filters or schemas')
}
const noJudge: Judge = {
  filter: refuses,
  schema: refuses,
  filterFault: refuses,
  schemaFaults: refuses,
  close: async () => {},
}

const nothing = (): void => {}

const watching = (observed: Pick<Observer, 'turned' | 'recordRefused'>): Watching => ({
  ...observed,
  ...{ accepted: nothing, attempted: nothing, slowed: nothing, removed: nothing, retentionFailed: nothing },
  ...{ committed: nothing, commitFailed: nothing, storeDown: nothing, storeBack: nothing, claimed: nothing },
  ...{ clock: nothing, led: nothing, undecided: nothing, misfit: nothing },
})
