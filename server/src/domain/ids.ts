// DOMAIN: decisions, as functions of values. Nothing in this folder performs I/O or calls a clock or a random source,
// and it imports nothing of ours but the problem codes of the contract.

export type EnvironmentId = `env_${string}`
/** A source is an application with a door: both have one id. */
export type ApplicationId = `app_${string}` | SourceId
export type SourceId = `src_${string}`
export type QuarantineId = `qrtn_${string}`
export type EndpointId = `ep_${string}`
export type MessageId = `msg_${string}`
export type AttemptId = `atmpt_${string}`
export type KeyId = `key_${string}`
export type PortalTokenId = `ptok_${string}`
export type TaskId = `qtask_${string}`
/** One life of a process. */
export type NodeId = `node_${string}`
/** One process's claim on deliveries: its name is the token that settles them. */
export type LeaseId = `lease_${string}`

/** Milliseconds since 1970-01-01 UTC, or a span of them where the name says so. */
export type Millis = number

const prefixes = {
  environment: 'env_',
  application: 'app_',
  source: 'src_',
  quarantine: 'qrtn_',
  secret: 'sec_',
  endpoint: 'ep_',
  message: 'msg_',
  attempt: 'atmpt_',
  key: 'key_',
  portalToken: 'ptok_',
  task: 'qtask_',
  lease: 'lease_',
  node: 'node_',
  batch: 'batch_',
} as const

export type IdKind = keyof typeof prefixes
export type IdOf<K extends IdKind> = `${(typeof prefixes)[K]}${string}`

// In ASCII order, so that ids sort as text the way they sort in time.
const digits = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
const pairs = Array.from({ length: 62 * 62 }, (_, n) => `${digits[Math.floor(n / 62)]}${digits[n % 62]}`)

const timeDigits = 8 // 62^8 ms: until the year 8888
const orderDigits = 3 // 238,328 ids of one process in one millisecond stay in the order they were made
const randomDigits = 16 // 95 bits
const idLength = timeDigits + orderDigits + randomDigits // 27, as official clients of this vocabulary expect

const pair = (n: number): string => pairs[n] as string
const base62 = (value: number, length: number): string => {
  let text = ''
  let rest = value
  for (let left = length; left > 0; left -= 2) {
    if (left === 1) {
      text = `${digits[rest % 62]}${text}`
    } else {
      const high = Math.floor(rest / 3844)
      text = pair(rest - high * 3844) + text
      rest = high
    }
  }
  return text
}

/**
 * Makes ids: a prefix that says the kind, then 27 base62 characters of which the first 11 grow with time, so that text
 * order is the order of making and an index over them only ever grows at its end. `randomBytes` must be
 * cryptographically strong: an id is also what a stranger cannot guess.
 */
export function makeIds(
  now: () => Millis,
  randomBytes: (size: number) => Uint8Array,
): <K extends IdKind>(kind: K) => IdOf<K> {
  let lastMs = -1
  let order = 0
  let timeText = ''
  let pool: DataView = new DataView(new ArrayBuffer(0))
  let used = 0
  const randomPair = (): string => {
    // Two digits from 32 random bits: 2^32 over 3844 leaves a bias below one in a million.
    if (used + 4 > pool.byteLength) {
      const bytes = randomBytes(4096)
      pool = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
      used = 0
    }
    const bits = pool.getUint32(used)
    used += 4
    return pair(bits % 3844)
  }
  return (kind) => {
    const ms = now()
    if (ms > lastMs) {
      lastMs = ms
      order = 0
      timeText = base62(ms, timeDigits)
    } else if (++order === 62 ** orderDigits) {
      // Full, or the clock stands still: borrow the next millisecond rather than repeat an order.
      lastMs += 1
      order = 0
      timeText = base62(lastMs, timeDigits)
    }
    let random = ''
    for (let left = randomDigits; left > 0; left -= 2) random += randomPair()
    return `${prefixes[kind]}${timeText}${base62(order, orderDigits)}${random}` as IdOf<typeof kind>
  }
}

const body = new RegExp(`^[0-9A-Za-z]{${idLength}}$`)

/** Whether a text can be an id of this kind. What cannot is looked up as a caller's own `uid`. */
export function isId<K extends IdKind>(kind: K, text: string): text is IdOf<K> {
  const prefix = prefixes[kind]
  return text.startsWith(prefix) && body.test(text.slice(prefix.length))
}

const kinds = Object.keys(prefixes) as readonly IdKind[]

/** Whether a text can be an id of any kind. */
export const isAnyId = (text: string): boolean => kinds.some((kind) => isId(kind, text))

/** The smallest id of a kind that could be made at `at`: what turns "before 12:00" into a range of ids. */
export function firstIdAt<K extends IdKind>(kind: K, at: Millis): IdOf<K> {
  const ms = Math.min(Math.max(Math.ceil(at), 0), 62 ** timeDigits - 1)
  return `${prefixes[kind]}${base62(ms, timeDigits)}${'0'.repeat(orderDigits + randomDigits)}` as IdOf<K>
}

/** When an id of `makeIds` was made, to the millisecond. */
export function timeOfId(id: string): Millis {
  let at = 0
  for (const digit of id.slice(id.indexOf('_') + 1).slice(0, timeDigits)) at = at * 62 + digits.indexOf(digit)
  return at
}
