import { spend } from '../../domain/allowance.ts'
import type { Millis } from '../../domain/ids.ts'
import { checkOutsideUrl } from '../../domain/outside-url.ts'
import { Problem } from '../../domain/problem.ts'
import type { Fetched, Fetcher } from '../../ports/fetcher.ts'
import type { World } from '../../ports/world.ts'
import { readCertificates } from './certificate.ts'
import { readKeySet } from './key-set.ts'
import type { FetchedKey, Wanted } from './verdict.ts'

const second = 1_000
const minute = 60 * second
const hour = 60 * minute
const day = 24 * hour

// Somebody waits for our answer meanwhile, some of them no longer than 10 s.
const timeoutMs = 5 * second
const mostBytes = 256 * 1024
const mostKept = 200
// Requests that wait for a key at a time; and new URLs a second for each list of hosts. Who forges requests chooses the
// URL within these hosts, and must neither use up our sockets nor make us flood the provider.
const mostUnderWay = 16
const mostPerSecond = 5

interface Kept {
  readonly key: FetchedKey
  readonly at: Millis
  readonly freshUntil: Millis
}

interface Failure {
  readonly count: number
  readonly until: Millis
}

export interface KeyFetchingOptions {
  readonly fetcher: Fetcher
  readonly world: Pick<World, 'now'>
  /** Called for each fetch that brought no key, at most once in ten seconds for a URL. `detail` is for the operator. */
  readonly onFailure: (url: string, detail: string) => void
}

/**
 * Keys that stand elsewhere: certificates that a request names, key sets of token issuers. Fetched over https from the
 * hosts of the preset and nowhere else, by one request however many wait for it, and kept.
 */
export class KeyFetching {
  readonly #fetcher: Fetcher
  readonly #world: Pick<World, 'now'>
  readonly #onFailure: KeyFetchingOptions['onFailure']
  /** By kind and URL; what was used last stands last. */
  readonly #kept = new Map<string, Kept>()
  readonly #failures = new Map<string, Failure>()
  readonly #underWay = new Map<string, Promise<FetchedKey>>()
  readonly #usedUpAt = new Map<string, Millis>()

  constructor({ fetcher, world, onFailure }: KeyFetchingOptions) {
    this.#fetcher = fetcher
    this.#world = world
    this.#onFailure = onFailure
  }

  /**
   * The key that is wanted, as the provider has it now or had it a while ago: a certificate of a day ago at most, a key set
   * as old as its server allows, but asked for again (once a minute at most) for a `kid` that it has not. What it brings is
   * final: a `kid` that is still not in it does not exist.
   * Throws Problem `unavailable`, with the time after which it is worth asking again: that a key cannot be had is no fault
   * of the request.
   */
  async get(wanted: Wanted): Promise<FetchedKey> {
    const name = `${wanted.as} ${wanted.url}`
    const now = this.#world.now()
    const kept = this.#kept.get(name)
    if (kept !== undefined) {
      this.#kept.delete(name)
      this.#kept.set(name, kept)
      if (now < kept.freshUntil && (hasKid(kept.key, wanted) || now - kept.at < minute)) return kept.key
    }
    try {
      return await (this.#underWay.get(name) ?? this.#start(name, wanted, now))
    } catch (error) {
      // A key set that may have changed since is better than none, for as long as its kids still tell the keys apart.
      if (kept?.key.as === 'jwks' && now - kept.at < day && hasKid(kept.key, wanted)) return kept.key
      throw error
    }
  }

  async #start(name: string, wanted: Wanted, now: Millis): Promise<FetchedKey> {
    const failure = this.#failures.get(name)
    if (failure !== undefined && now < failure.until) throw unavailable(failure.until - now)
    const waitMs = this.#underWay.size < mostUnderWay ? this.#spend(wanted, now) : second
    if (waitMs > 0) throw unavailable(waitMs)
    const fetching = this.#fetch(name, wanted).finally(() => this.#underWay.delete(name))
    this.#underWay.set(name, fetching)
    return fetching
  }

  async #fetch(name: string, wanted: Wanted): Promise<FetchedKey> {
    const fetched = await this.#ask(wanted)
    const now = this.#world.now()
    const read = readFetched(wanted, fetched)
    if (typeof read === 'string') {
      const count = (this.#failures.get(name)?.count ?? 0) + 1
      const until = now + Math.min(minute, 10 * second * 2 ** (count - 1))
      remember(this.#failures, name, { count, until })
      this.#onFailure(wanted.url, read)
      throw unavailable(until - now)
    }
    this.#failures.delete(name)
    const freshUntil = now + freshFor(read, fetched, now)
    remember(this.#kept, name, { key: read, at: now, freshUntil })
    return read
  }

  /** A key set without hosts is the owner's own: the guard of the fetcher is what stands before it. */
  async #ask(wanted: Wanted): Promise<Fetched> {
    const isOwn = wanted.as === 'jwks' && wanted.hosts.length === 0
    const verdict = isOwn ? ({ ok: true } as const) : checkOutsideUrl(wanted.url, wanted)
    if (!verdict.ok)
      return { kind: 'unreachable', reason: 'blocked', detail: `the URL may not be fetched: ${verdict.detail}` }
    return this.#fetcher.fetch({ url: wanted.url, timeoutMs, mostBytes })
  }

  /** Zero: it may be fetched now; else how long not. */
  #spend({ hosts, url }: Wanted, now: Millis): Millis {
    const whose = hosts.length > 0 ? hosts.join(' ') : hostOf(url)
    const spent = spend(this.#usedUpAt.get(whose) ?? 0, now, mostPerSecond)
    if (spent.kind === 'refused') return spent.waitMs
    remember(this.#usedUpAt, whose, spent.usedUpAt)
    return 0
  }
}

const hasKid = (key: FetchedKey, wanted: Wanted): boolean =>
  key.as !== 'jwks' || wanted.as !== 'jwks' || wanted.kid === null || key.keys.some(({ kid }) => kid === wanted.kid)

/** A text: why there is no key. */
function readFetched(wanted: Wanted, fetched: Fetched): FetchedKey | string {
  if (fetched.kind === 'unreachable') return fetched.detail
  const from = hostOf(wanted.url)
  if (fetched.status !== 200) return `${from} answered ${fetched.status}`
  const text = Buffer.from(fetched.body).toString('utf8')
  if (wanted.as === 'certificate') {
    const certificates = readCertificates(text)
    return certificates === null ? `what ${from} answered is no certificate` : { as: 'certificate', certificates }
  }
  const keys = readKeySet(text)
  return keys === null ? `what ${from} answered is no key set` : { as: 'jwks', keys }
}

/** What an owner has set may be no URL. */
const hostOf = (url: string): string => URL.parse(url)?.host ?? url

function freshFor(key: FetchedKey, fetched: Fetched, now: Millis): Millis {
  if (key.as === 'certificate') {
    // Asked for again after it has expired, since it may have been renewed in its place; but not at every request.
    const left = (key.certificates[0]?.validToDate.getTime() ?? now) - now
    return Math.min(day, Math.max(hour, left))
  }
  const said =
    fetched.kind === 'answered' ? /(?:^|[\s,])max-age="?(\d{1,9})/i.exec(fetched.cacheControl ?? '')?.[1] : undefined
  return Math.min(day, Math.max(10 * minute, said === undefined ? hour : Number(said) * second))
}

/** Keeps it as the latest, and lets the oldest go. */
function remember<Value>(map: Map<string, Value>, name: string, value: Value): void {
  map.delete(name)
  map.set(name, value)
  if (map.size <= mostKept) return
  for (const oldest of map.keys()) {
    map.delete(oldest)
    return
  }
}

// Whoever sent the request is a stranger: what names resolve to inside, and what went wrong there, is not for them.
const unavailable = (waitMs: Millis): Problem =>
  new Problem(
    'unavailable',
    'A key that the request is checked with cannot be had at the moment.',
    [],
    Math.max(1, Math.ceil(waitMs / second)),
  )
