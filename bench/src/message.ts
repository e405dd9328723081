const timeDigits = 16 // microseconds since 1970 UTC, until the year 2286

const opening = '{"eventType":"invoice.paid","payload":'
const item = '{"sku":"A-1","quantity":3}'
const fields = '"invoice":{"id":"in_8801","customer":"cus_417","amount":129900,"currency":"eur","lines":['
const start = '{"sentAtUs":'
const note = ']},"note":"'

/** What a publish call's body looks like: `head`, the 16 digits of the sending time, and `tail`. */
export interface MessageForm {
  readonly payloadBytes: number
  readonly head: string
  readonly tail: string
  readonly bodyBytes: number
  /** The body with a time: microseconds since 1970 UTC, as `nowUs` tells it. */
  at(us: number): string
}

/**
 * JSON of an exact size. Large ones are made of many small values, as large payloads are, and not of one long text, which
 * a parser skips at the speed of memory; the small one has stayed the same since the first table.
 */
export function messageOf(payloadBytes: number): MessageForm {
  const rest = payloadBytes - start.length - timeDigits - 1 - fields.length - item.length - note.length - 3
  const more = payloadBytes < 1000 ? 0 : Math.floor(rest / (item.length + 1))
  const dots = '.'.repeat(rest - more * (item.length + 1) + 1)
  const [head, tail] = [`${opening}${start}`, `,${fields}${item}${`,${item}`.repeat(more)}${note}${dots}"}}`]
  return {
    payloadBytes,
    head,
    tail,
    bodyBytes: head.length + timeDigits + tail.length,
    at: (us) => `${head}${Math.round(us)}${tail}`,
  }
}

/** Its payload is 300 bytes. */
export const usualForm = messageOf(300)

/** A time for a message whose time nobody reads. */
export const noTimeUs = 1e15

/** Microseconds since 1970 UTC. Every process of this machine reads the same clock, so that differences mean something. */
export const nowUs = (): number => (performance.timeOrigin + performance.now()) * 1000

const sent = /"sentAtUs":(\d{16})/

/** When this payload was sent; null when it does not say. */
export function sentAtUs(payload: string): number | null {
  const digits = sent.exec(payload)?.[1]
  return digits === undefined ? null : Number(digits)
}
