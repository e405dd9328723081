// INBOUND: what third parties send. A request comes through the door of a source (receive.ts), is read (reading/), verified as
// its preset says (verify/), and becomes a message of the source, once (telling.ts); or it is a challenge, which is answered;
// or it is refused and kept apart (quarantine/). For people: decoded/ shows bodies, detect/ names a provider, trigger/ plays
// one. It knows the engine, ports and domain; no framework, no store, and not how people manage sources.

import type { makeIds, SourceId } from '../domain/ids.ts'
import type { QuarantineLimits } from '../domain/quarantine.ts'
import type { Source } from '../domain/source.ts'
import type { Take } from '../engine/accept.ts'
import type { QuarantineObserver, ReceivingObserver, VettingObserver } from '../engine/observer.ts'
import type { Fetcher } from '../ports/fetcher.ts'
import type { Judge } from '../ports/judge.ts'
import type { Store } from '../ports/store.ts'
import type { World } from '../ports/world.ts'
import { type Detect, makeDetect } from './detect/detect.ts'
import { SourceNotes } from './notes.ts'
import { presetBook } from './presets.ts'
import { Quarantine } from './quarantine/quarantine.ts'
import { makeRelease } from './quarantine/release.ts'
import { makeReverify, type Reverify } from './quarantine/reverify.ts'
import { makeReceive, type Receive } from './receive.ts'
import { Sources } from './sources.ts'
import { makeTell } from './telling.ts'
import { makeTriggerSource, type TriggerSource } from './trigger/source-trigger.ts'
import { KeyFetching } from './verify/fetching.ts'
import { makeVerify } from './verify/verify.ts'
import { Visits } from './visits.ts'

export interface InboundParts {
  readonly store: Pick<Store, 'sources' | 'quarantine'>
  readonly world: World
  readonly newId: ReturnType<typeof makeIds>
  readonly masterKey: Uint8Array
  readonly judge: Judge
  readonly take: Take
  readonly fetcher: Fetcher
  readonly observer: ReceivingObserver & QuarantineObserver & Pick<VettingObserver, 'misfit'>
  readonly publicUrl: string
  readonly trustedProxies: number
  readonly quarantine: QuarantineLimits
  /** A key of a provider could not be had. */
  readonly onKeyFailure: (url: string, detail: string) => void
  /** See `ReceiveParts`. */
  readonly capture: (source: Source, secret: string) => Promise<boolean>
}

export interface Inbound {
  readonly receive: Receive
  readonly reverify: Reverify
  readonly trigger: TriggerSource
  readonly detect: Detect
  /** Something about a source is different now: called before whoever changed it is answered. */
  readonly changed: (sourceId: SourceId) => void
  readonly changedAll: () => void
  /** Ends what challenges asked for, and writes what nobody waited for. */
  readonly stop: () => Promise<void>
}

/** Everything that receives, put together. */
export function makeInbound(parts: InboundParts): Inbound {
  const { store, world, newId, masterKey, judge, observer, publicUrl, trustedProxies } = parts
  const sources = new Sources({ store: store.sources, world, masterKey, presets: presetBook, judge, publicUrl })
  const keys = new KeyFetching({ fetcher: parts.fetcher, world, onFailure: parts.onKeyFailure })
  const verify = makeVerify({ keys, presets: presetBook, world })
  const tell = makeTell(parts.take)
  const notes = new SourceNotes(store.sources, world)
  const visits = new Visits(parts.fetcher, world)
  const quarantine = new Quarantine({ store: store.quarantine, world, newId, limits: parts.quarantine, observer })
  // Reads every preset, which most processes need not.
  let detect: Detect | null = null
  const receiving = { sources, tell, verify, trustedProxies }
  return {
    receive: makeReceive({ ...receiving, quarantine, notes, visits, observer, world, capture: parts.capture }),
    reverify: makeReverify({ store: store.quarantine, world, release: makeRelease(receiving) }),
    trigger: makeTriggerSource(sources, presetBook, world),
    detect: (request) => {
      detect ??= makeDetect(presetBook.all())
      return detect(request)
    },
    changed: (sourceId) => sources.forget(sourceId),
    changedAll: () => sources.forgetAll(),
    async stop() {
      await visits.close()
      await notes.flush()
    },
  }
}
