import http from 'node:http'

export interface SentRequest {
  readonly method: string
  /** Origin, and the target exactly as it is to stand in the request line. */
  readonly origin: string
  readonly target: string
  /** Name, value, name, value …: sent in this order and spelling. */
  readonly headers: readonly string[]
  readonly body: Uint8Array
}

export interface SeenAnswer {
  readonly status: number
  readonly headers: http.IncomingHttpHeaders
  readonly body: string
}

const agent = new http.Agent({ keepAlive: true, maxSockets: 128 })

/** Sends a request byte for byte: `fetch` changes headers, spells targets anew and gives some methods no body. */
export function sendRequest({ method, origin, target, headers, body }: SentRequest): Promise<SeenAnswer> {
  const { hostname, port, host } = new URL(origin)
  const named = (name: string): boolean => headers.some((one, at) => at % 2 === 0 && one.toLowerCase() === name)
  const own = [
    ...(named('host') ? [] : ['Host', host]),
    ...(named('content-length') || named('transfer-encoding') ? [] : ['Content-Length', `${body.length}`]),
  ]
  return new Promise((resolve, reject) => {
    const request = http.request(
      { hostname, port, method, path: target, headers: [...own, ...headers], agent, setHost: false },
      (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('error', reject)
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: Buffer.concat(chunks).toString('utf8'),
          }),
        )
      },
    )
    request.on('error', reject)
    request.end(body)
  })
}
