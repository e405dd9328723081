import { writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { request } from 'undici'
import { freePort, startChild } from './child.ts'
import type { Quantiles } from './latency.ts'
import { findTool } from './tool.ts'
import { makeFolder } from './workspace.ts'

/** Where deliveries go. */
export interface Receiver extends AsyncDisposable {
  readonly kind: 'nginx' | 'node'
  /**
   * With `/<type of a provider>` behind it, deliveries there are known by that provider's ids. Only of a counting one:
   * with `/copy/<n>` it is receiver n of several, with `/flaky` it refuses one message in ten when it first comes.
   */
  readonly url: string
  /** Deliveries answered so far, by the receiver's own count. */
  received(): Promise<number>
}

/** What a counting receiver saw since its last reset. */
interface Seen {
  readonly received: number
  readonly unique: number
  /** Ids that came more than once. */
  readonly doubled: number
  /** Deliveries without an id. */
  readonly nameless: number
  /** When the first delivery was here, or the first since `mark`, in microseconds since 1970 UTC; null when none was. */
  readonly firstAtUs: number | null
  /** Answered 503 when they first came; `received` counts only what was taken. */
  readonly refused: number
  /** From the sending time in the payload to its last byte here. */
  readonly latency: Quantiles
  /** The same of messages that had been refused once. */
  readonly retriedLatency: Quantiles
}

export interface CountingReceiver extends Receiver {
  /** All of its doors. */
  readonly urls: readonly string[]
  seen(): Promise<Seen>
  reset(): Promise<void>
  /** From now on `firstAtUs` is that of the next delivery; all else is kept. */
  mark(): Promise<void>
  /** Which of the accepted ids never came, and how many came that were not among them. */
  compare(accepted: readonly string[]): Promise<{ readonly missing: number; readonly unexpected: number }>
}

const text = async (url: string, method: 'GET' | 'POST' = 'GET', body = ''): Promise<string> => {
  const answer = await request(url, method === 'GET' ? {} : { method, body })
  const page = await answer.body.text()
  if (answer.statusCode !== 200) throw new Error(`${method} ${url}: ${answer.statusCode}`)
  return page
}

// One process that answers 204 and does nothing else: a receiver that costs as little as one can. stub_status counts.
// Without a master, because a worker outlives a master that was killed.
const nginxConfig = (folder: string, port: number) => `
daemon off;
master_process off;
pid ${folder}/nginx.pid;
error_log ${folder}/error.log warn;
events { worker_connections 4096; }
http {
  access_log off;
  keepalive_requests 1000000000;
  keepalive_timeout 3600s;
  client_max_body_size 0;
  client_body_temp_path ${folder}/body;
  proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi;
  scgi_temp_path ${folder}/scgi;
  server {
    listen 127.0.0.1:${port} backlog=4096;
    location = /status { stub_status; }
    location / { return 204; }
  }
}
`

async function startNginx(command: string): Promise<Receiver> {
  const folder = makeFolder('receiver')
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const config = join(folder.path, 'nginx.conf')
  writeFileSync(config, nginxConfig(folder.path, port))
  let readings = 0
  const received = async () => {
    const page = await text(`${url}/status`)
    readings += 1
    // The third number of the third line is requests: of deliveries and of readings, this one among them.
    const count = /^\s*\d+\s+\d+\s+(\d+)\s*$/m.exec(page)?.[1]
    if (count === undefined) throw new Error(`nginx's status page reads differently: ${page}`)
    return Number(count) - readings
  }
  const child = await startChild({
    name: 'nginx',
    command,
    args: ['-p', folder.path, '-e', join(folder.path, 'error.log'), '-c', config],
    folder: folder.path,
    ready: async () => (await received()) >= 0,
  })
  return {
    kind: 'nginx',
    url: `${url}/hook`,
    received,
    [Symbol.asyncDispose]: async () => {
      await child.stop()
      folder.remove()
    },
  }
}

/**
 * `doors`: at how many ports. Node takes one connection a turn of its loop from each (libuv 1.52): at one port under full
 * load, the last of 300 that came at once waited for 5.9 s (2026-11), and of those of three nodes some for more than 15.
 */
export async function startCountingReceiver(doors = 1): Promise<CountingReceiver> {
  const folder = makeFolder('receiver')
  const ports = await Promise.all(Array.from({ length: doors }, () => freePort()))
  const [url = '', ...others] = ports.map((port) => `http://127.0.0.1:${port}`)
  const seen = async () => JSON.parse(await text(`${url}/~report`)) as Seen
  const child = await startChild({
    name: 'counting-receiver',
    command: process.execPath,
    args: [fileURLToPath(new URL('./counting-receiver.ts', import.meta.url)), ...ports.map(String)],
    folder: folder.path,
    ready: async () => (await seen()).received === 0,
  })
  return {
    kind: 'node',
    url: `${url}/hook`,
    urls: [url, ...others].map((door) => `${door}/hook`),
    received: async () => (await seen()).received,
    seen,
    reset: async () => {
      await text(`${url}/~reset`)
    },
    mark: async () => {
      await text(`${url}/~mark`)
    },
    compare: async (accepted) =>
      JSON.parse(await text(`${url}/~compare`, 'POST', accepted.join('\n'))) as { missing: number; unexpected: number },
    [Symbol.asyncDispose]: async () => {
      await child.stop()
      folder.remove()
    },
  }
}

/** The cheapest receiver there is here: nginx, or our Node one when it is not installed or not wanted. */
export async function startReceiver(wanted: 'nginx' | 'node'): Promise<Receiver> {
  const nginx = wanted === 'nginx' ? findTool('nginx') : null
  return nginx === null ? startCountingReceiver() : startNginx(nginx)
}

/** A receiver that is no help: one that takes connections and never answers, or a port where nobody listens. */
export async function startDeadReceiver(how: 'hung' | 'refused'): Promise<{ readonly url: string } & AsyncDisposable> {
  const port = await freePort()
  const url = `http://127.0.0.1:${port}/hook`
  if (how === 'refused') return { url, [Symbol.asyncDispose]: async () => {} }
  const sockets = new Set<{ destroy(): void }>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', () => {})
    socket.resume()
  })
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  return {
    url,
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        for (const socket of sockets) socket.destroy()
      }),
  }
}
