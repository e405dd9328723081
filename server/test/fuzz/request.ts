/** A request as it goes on the wire; nothing in it need be right. */
export interface FuzzRequest {
  readonly operationId: string
  readonly method: string
  readonly target: string
  readonly headers: readonly (readonly [name: string, value: string])[]
  readonly body: Buffer | null
  /** What was done to it after it was made to fit. */
  readonly twists: readonly Twist[]
  /** Bytes of the body that are sent before the caller falls silent; null: all. */
  readonly sentBytes: number | null
}

export interface Twist {
  /** `http`: what HTTP itself asks for, so that the answer may be one that no operation describes. */
  readonly layer: 'http' | 'path' | 'query' | 'body'
  readonly what: string
}

/** The bytes. Latin-1, so that what is no ASCII in target or headers arrives as single bytes. */
export function bytesOf({ method, target, headers, body, sentBytes }: FuzzRequest): Buffer {
  const framed = headers.some(([name]) => /^(content-length|transfer-encoding)$/i.test(name))
  const lines = [
    `${method} ${target} HTTP/1.1`,
    ...headers.map(([name, value]) => `${name}: ${value}`),
    ...(body !== null && !framed ? [`content-length: ${body.length}`] : []),
    '',
    '',
  ]
  return Buffer.concat([
    Buffer.from(lines.join('\r\n'), 'latin1'),
    (body ?? Buffer.of()).subarray(0, sentBytes ?? undefined),
  ])
}

const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`
const isPlain = (text: string): boolean => /^[\x20-\x7e]*$/.test(text)
const longest = 4_000

/** A line for a shell that sends it again. */
export function curlOf(request: FuzzRequest, url: string): string {
  const { method, target, headers, body, sentBytes } = request
  const text = body?.toString('utf8') ?? ''
  const isText = body === null || (Buffer.from(text).equals(body) && !text.includes('\0'))
  const saidByCurl =
    /^[A-Z]+$/.test(method) &&
    target.startsWith('/') &&
    isPlain(target) &&
    sentBytes === null &&
    isText &&
    headers.every(([name, value]) => isPlain(name + value) && /^[\w-]+$/.test(name))
  if (!saidByCurl || text.length > longest) {
    const bytes = bytesOf(request)
    const { hostname, port } = new URL(url)
    const shown =
      bytes.length > longest ? `${bytes.subarray(0, longest).toString('base64')}…` : bytes.toString('base64')
    return `echo ${shown} | base64 -d | nc ${hostname} ${port}   # ${bytes.length} bytes`
  }
  const words = headers.filter(([name]) => name !== 'host').map(([name, value]) => `-H ${quoted(`${name}: ${value}`)}`)
  const sent = body === null ? [] : [`--data-binary ${quoted(text)}`]
  return ['curl -si --path-as-is', `-X ${method}`, ...words, ...sent, quoted(`${url}${target}`)].join(' ')
}
