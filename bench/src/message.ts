const payloadBytes = 300
const timeDigits = 16 // microseconds since 1970 UTC, until the year 2286

const opening = '{"eventType":"invoice.paid","payload":'
const fields =
  '"invoice":{"id":"in_8801","customer":"cus_417","amount":129900,"currency":"eur","lines":[{"sku":"A-1","quantity":3}]},"note":"'
const start = '{"sentAtUs":'
const filler = '.'.repeat(payloadBytes - start.length - timeDigits - 1 - fields.length - 2)

/** A publish call's body is `head`, the 16 digits of the sending time, and `tail`. Its payload is 300 bytes of JSON. */
export const head = `${opening}${start}`
export const tail = `,${fields}${filler}"}}`
export const bodyBytes = head.length + timeDigits + tail.length

/** The body with a time: microseconds since 1970 UTC, as `nowUs` tells it. */
export const bodyAt = (us: number): string => `${head}${Math.round(us)}${tail}`

/** For a message whose time nobody reads. */
export const untimedBody = bodyAt(1e15)

/** Microseconds since 1970 UTC. Every process of this machine reads the same clock, so that differences mean something. */
export const nowUs = (): number => (performance.timeOrigin + performance.now()) * 1000

const sent = /"sentAtUs":(\d{16})/

/** When this payload was sent; null when it does not say. */
export function sentAtUs(payload: string): number | null {
  const digits = sent.exec(payload)?.[1]
  return digits === undefined ? null : Number(digits)
}
