import { isUtf8 } from 'node:buffer'
import http from 'node:http'
import https from 'node:https'
import { UsageError } from '../command.ts'

/** A request that is ready to go. */
export interface ReadyRequest {
  readonly method: string
  readonly url: string
  readonly headers: readonly (readonly [name: string, value: string])[]
  readonly body: Buffer
}

export interface Answer {
  readonly status: number
  readonly body: string
}

const timeoutMs = 30_000
const mostShown = 16 * 1024

/** Sends it byte for byte, which `fetch` does not. Rejects where nothing answers. */
export function send({ method, url, headers, body }: ReadyRequest): Promise<Answer> {
  const { protocol, hostname, port, host, origin } = new URL(url)
  // Some providers call without a body, and are not to be given an empty one.
  const length =
    body.length > 0 || !/^(GET|HEAD|OPTIONS|DELETE)$/.test(method) ? ['content-length', `${body.length}`] : []
  return new Promise((resolve, reject) => {
    const request = (protocol === 'https:' ? https : http).request({
      ...{
        method,
        hostname: hostname.replace(/^\[|\]$/g, ''),
        port,
        path: url.slice(origin.length) || '/',
        setHost: false,
      },
      headers: ['host', host, ...headers.flat(), ...length],
      timeout: timeoutMs,
    })
    request.on('timeout', () => request.destroy(new Error(`no answer within ${timeoutMs / 1_000} seconds`)))
    request.on('error', reject)
    request.on('response', (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => {
        if (text.length < mostShown) text += chunk
      })
      response.on('error', reject)
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body: text.slice(0, mostShown) }))
    })
    request.end(body)
  })
}

const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`

/** The same as a curl command. Throws UsageError for a body that does not fit on one. */
export function curlOf({ method, url, headers, body }: ReadyRequest): string {
  if (!isUtf8(body) || body.includes(0)) throw new UsageError('the body is not text, so it does not fit on a curl line')
  const named = headers.map(([name, value]) => `-H ${quoted(`${name}: ${value}`)}`)
  // curl would say that a body is a form.
  const typed = headers.some(([name]) => name.toLowerCase() === 'content-type') ? [] : [`-H 'Content-Type:'`]
  const data = body.length === 0 ? [] : [...typed, `--data-raw ${quoted(body.toString('utf8'))}`]
  return ['curl', '-i', ...(method === 'HEAD' ? ['-I'] : ['-X', method]), ...named, ...data, quoted(url)].join(' ')
}
