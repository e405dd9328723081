import { spend } from '../domain/allowance.ts'
import type { Millis } from '../domain/ids.ts'
import { checkOutsideUrl, hostPatternFault } from '../domain/outside-url.ts'
import type { Challenge } from '../domain/preset.ts'
import type { Fetched, Fetcher } from '../ports/fetcher.ts'
import type { Timer, World } from '../ports/world.ts'
import type { RequestView, SettingValues } from './reading/view.ts'

const timeoutMs = 15_000
// Enough to get over a restart of theirs; who asked to be confirmed asks again by itself, SNS for three days.
const retryDelaysMs: readonly Millis[] = [5_000, 30_000, 120_000, 600_000]
const mostBytes = 64 * 1024
// Visits under way or waiting to be tried again; and new ones a second for each list of hosts.
const mostUnderWay = 64
const mostPerSecond = 5

/** A URL that confirms something when it is fetched, and where it may be. */
export interface Visit {
  readonly url: string
  readonly hosts: readonly string[]
}

/** `failure`: why it was not confirmed, for the owner of the source; null: it was. */
export interface Visited {
  readonly failure: string | null
}

/**
 * What a challenge asks to be fetched. Null: nothing, because it brings no URL or because the source's owner vouches for no
 * host: then it is met by its answer alone.
 */
export function visitOf({ fetch }: Pick<Challenge, 'fetch'>, view: RequestView, settings: SettingValues): Visit | null {
  const url = fetch && view.valuesAt(fetch.url, settings)[0]
  if (!url) return null
  const { hosts } = fetch
  const allowed = 'setting' in hosts ? (settings[hosts.setting] ?? '').split(',').map((host) => host.trim()) : hosts
  // What a person wrote: a pattern that would leave everything open is none.
  const named = allowed.filter((host) => hostPatternFault(host) === null)
  return named.length === 0 ? null : { url, hosts: named }
}

/** Whether what a challenge asks to be fetched must have been verified: only an owner's own list of hosts vouches without. */
export const visitsOnlyVerified = ({ fetch }: Pick<Challenge, 'fetch'>): boolean =>
  fetch !== undefined && !('setting' in fetch.hosts)

/** Fetches what challenges ask for, beside the answer and not before it. */
export class Visits {
  readonly #fetcher: Fetcher
  readonly #world: World
  readonly #underWay = new Map<string, Promise<Visited>>()
  readonly #waiting = new Map<Timer, () => void>()
  readonly #usedUpAt = new Map<string, Millis>()
  #closed = false

  constructor(fetcher: Fetcher, world: World) {
    this.#fetcher = fetcher
    this.#world = world
  }

  /**
   * Fetches the URL, if it is one of its hosts, some times again where that may help. Never rejects; resolves when it is
   * done or given up, up to a quarter of an hour later: nobody's answer should wait for it.
   */
  visit(visit: Visit): Promise<Visited> {
    const verdict = checkOutsideUrl(visit.url, visit)
    if (!verdict.ok) return Promise.resolve({ failure: `The URL was not fetched: ${verdict.detail}.` })
    const known = this.#underWay.get(visit.url)
    if (known !== undefined) return known
    if (this.#closed || this.#underWay.size >= mostUnderWay || !this.#mayStart(visit.hosts.join(' '))) {
      return Promise.resolve({ failure: 'The URL was not fetched: too many are being fetched.' })
    }
    const visiting = this.#try(visit.url).finally(() => this.#underWay.delete(visit.url))
    this.#underWay.set(visit.url, visiting)
    return visiting
  }

  /** Begins nothing more, and gives up what waits to be tried again. Resolves when nothing is under way. */
  async close(): Promise<void> {
    this.#closed = true
    for (const [timer, go] of this.#waiting) {
      timer.cancel()
      go()
    }
    this.#waiting.clear()
    await Promise.all(this.#underWay.values())
  }

  async #try(url: string): Promise<Visited> {
    for (let tries = 0; ; tries++) {
      const fetched = await this.#fetcher.fetch({ url, timeoutMs, mostBytes })
      if (fetched.kind === 'answered' && fetched.status >= 200 && fetched.status < 300) return { failure: null }
      const delayMs = retryDelaysMs[tries]
      if (delayMs === undefined || !mayPass(fetched) || this.#closed) return { failure: inWords(url, fetched) }
      await this.#wait(delayMs)
      if (this.#closed) return { failure: inWords(url, fetched) }
    }
  }

  #wait(delayMs: Millis): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.#world.after(delayMs, () => {
        this.#waiting.delete(timer)
        resolve()
      })
      this.#waiting.set(timer, resolve)
    })
  }

  #mayStart(hosts: string): boolean {
    const spent = spend(this.#usedUpAt.get(hosts) ?? 0, this.#world.now(), mostPerSecond)
    if (spent.kind === 'refused') return false
    this.#usedUpAt.set(hosts, spent.usedUpAt)
    return true
  }
}

/** Whether it may be otherwise the next time. */
const mayPass = (fetched: Fetched): boolean =>
  fetched.kind === 'unreachable'
    ? fetched.reason !== 'blocked'
    : fetched.status >= 500 || fetched.status === 408 || fetched.status === 429

function inWords(url: string, fetched: Fetched): string {
  const what = fetched.kind === 'unreachable' ? fetched.detail : `${new URL(url).host} answered ${fetched.status}`
  return `The URL was fetched in vain: ${what}.`
}
