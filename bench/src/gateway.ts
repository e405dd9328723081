import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { request } from 'undici'
import { type Child, freePort, startChild } from './child.ts'
import type { Database } from './database.ts'
import { type Metrics, scrape } from './metrics.ts'
import type { Provider } from './provider.ts'
import { type Usage, usageOf } from './usage.ts'
import { makeFolder, root } from './workspace.ts'

/** Where publish calls go, and with which key. */
export interface Target {
  readonly url: string
  readonly apiKey: string
}

/** A process that takes messages: the gateway, or the pass-through. */
export interface Server extends AsyncDisposable {
  readonly child: Child
  /** Null where the kernel does not tell. */
  usage(): Usage | null
}

/** Where a third party posts to a source. */
export interface Door {
  readonly url: string
  readonly provider: Provider
}

/** Endpoints of one application. */
export interface Endpoints {
  readonly applicationId: string
  readonly endpointIds: readonly string[]
}

export interface Gateway extends Server {
  /** Any operation; resolves to what it answered. Throws with the answer when that is no success. */
  call(method: 'GET' | 'POST', path: string, body?: unknown): Promise<unknown>
  /** Makes an application with an endpoint for each URL; resolves to where its messages are published. */
  addApplication(uid: string, ...endpointUrls: readonly string[]): Promise<Target>
  /** Where messages of an application that is there already are published, by its id or uid. */
  targetOf(application: string): Target
  /** Makes an application with so many endpoints, dealt out over these URLs. */
  addEndpoints(uid: string, endpointUrls: string | readonly string[], count: number): Promise<Endpoints>
  /** Makes a source with one endpoint; resolves to its public URL. */
  addSource(provider: Provider, endpointUrl: string): Promise<Door>
  metrics(): Promise<Metrics>
}

const answerWithinMs = 10_000

/**
 * The real gateway as its own process: one node. `name` tells several on one database apart; `settings` by their variables;
 * `port` where callers know one already.
 */
export async function startGateway(
  { url, apiKey, masterKey }: Database,
  {
    name = 'gateway',
    settings = {},
    port = null,
  }: { name?: string; settings?: Readonly<Record<string, string>>; port?: number | null } = {},
): Promise<Gateway> {
  const folder = makeFolder(name)
  const base = `http://127.0.0.1:${port ?? (await freePort())}`
  const ask = async (method: 'GET' | 'POST', path: string, body: unknown = null) => {
    const answer = await request(`${base}${path}`, {
      method,
      headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' },
      body: body === null ? null : JSON.stringify(body),
      headersTimeout: answerWithinMs,
      bodyTimeout: answerWithinMs,
    })
    return { status: answer.statusCode, text: await answer.body.text() }
  }
  const call = async (method: 'GET' | 'POST', path: string, body: unknown = null) => {
    const { status, text } = await ask(method, path, body)
    if (status < 200 || status > 299) throw new Error(`${method} ${path}: ${status} ${text.slice(0, 500)}`)
    return text === '' ? null : (JSON.parse(text) as unknown)
  }
  const targetOf = (application: string) => ({ url: `${base}/api/v1/app/${application}/msg`, apiKey })
  const make = (path: string, body: unknown) => call('POST', path, body)
  const child = await startChild({
    name,
    command: process.execPath,
    args: [join(root, 'server/bin/posthorn.mjs'), 'serve'],
    env: {
      POSTHORN_LISTEN: base.slice('http://'.length),
      POSTHORN_DATABASE: url,
      POSTHORN_MASTER_KEY: masterKey,
      POSTHORN_API_KEY: apiKey,
      POSTHORN_EGRESS_ALLOW: '127.0.0.0/8',
      POSTHORN_LOG: 'json',
      ...settings,
    },
    folder: folder.path,
    ready: async () => (await ask('GET', '/api/v1/health')).status === 204,
  })
  return {
    child,
    call,
    usage: () => usageOf(child.pid),
    targetOf,
    addApplication: async (uid, ...endpointUrls) => {
      await make('/api/v1/app', { name: `Benchmark ${uid}`, uid })
      for (const url of endpointUrls) await make(`/api/v1/app/${uid}/endpoint`, { url })
      return targetOf(uid)
    },
    addEndpoints: async (uid, endpointUrls, count) => {
      const urls = typeof endpointUrls === 'string' ? [endpointUrls] : endpointUrls
      const application = (await make('/api/v1/app', { name: `Benchmark ${uid}`, uid })) as { id: string }
      const endpointIds: string[] = []
      while (endpointIds.length < count) {
        const url = urls[endpointIds.length % urls.length]
        const endpoint = (await make(`/api/v1/app/${uid}/endpoint`, { url })) as { id: string }
        endpointIds.push(endpoint.id)
      }
      return { applicationId: application.id, endpointIds }
    },
    addSource: async (provider, endpointUrl) => {
      const { type, secret } = provider
      const source = await make('/ingest/api/v1/source', {
        name: `Benchmark ${type}`,
        uid: type,
        type,
        config: { secret },
      })
      await make(`/ingest/api/v1/source/${type}/endpoint`, { url: endpointUrl })
      const { ingestUrl } = source as { ingestUrl: string }
      return { url: ingestUrl, provider }
    },
    metrics: () => scrape(`${base}/metrics`),
    [Symbol.asyncDispose]: async () => {
      await child.stop()
      folder.remove()
    },
  }
}

/** The limit of one process (pass-through.ts), forwarding to `receiverUrl`. */
export async function startPassThrough(
  receiverUrl: string,
  connections: number,
): Promise<Server & { readonly target: Target }> {
  const folder = makeFolder('pass-through')
  const port = await freePort()
  const url = `http://127.0.0.1:${port}/api/v1/app/bench/msg`
  const child = await startChild({
    name: 'pass-through',
    command: process.execPath,
    args: [
      fileURLToPath(new URL('./pass-through.ts', import.meta.url)),
      String(port),
      receiverUrl,
      String(connections),
    ],
    folder: folder.path,
    ready: async () => {
      const answer = await request(url)
      await answer.body.dump()
      return answer.statusCode === 204
    },
  })
  return {
    child,
    target: { url, apiKey: 'none' },
    usage: () => usageOf(child.pid),
    [Symbol.asyncDispose]: async () => {
      await child.stop()
      folder.remove()
    },
  }
}
