import { createConnection } from 'node:net'
import { type Child, freePort, startChild } from '../child.ts'
import { findTool } from '../tool.ts'
import { cpuMsOfFamily } from '../usage.ts'
import { makeFolder } from '../workspace.ts'

/** A private Redis with its data on a disk. */
export interface RedisServer extends AsyncDisposable {
  readonly child: Child
  readonly port: number
  /** Of it and of what it forks to write its log anew. Null where the kernel does not tell. */
  cpuMs(): number | null
}

/** When what was appended reaches the disk: before each answer, or once a second. */
export type Fsync = 'always' | 'everysec'

/** Throws with what to install when it is not there. */
export function redisProgram(): string {
  const found = findTool('redis-server')
  if (found === null) throw new Error('Redis is not installed: apt-get install redis-server')
  return found
}

const answersPing = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = createConnection({ port, host: '127.0.0.1' }, () => socket.write('PING\r\n'))
    socket.once('data', (data) => {
      resolve(data.toString().startsWith('+PONG'))
      socket.destroy()
    })
    socket.once('error', () => resolve(false))
  })

/** Set as BullMQ asks for production: an append-only file, and nothing evicted. */
export async function startRedis(fsync: Fsync): Promise<RedisServer> {
  const command = redisProgram()
  const folder = makeFolder('redis')
  const port = await freePort()
  const settings = {
    port: String(port),
    bind: '127.0.0.1',
    dir: folder.path,
    save: '',
    appendonly: 'yes',
    appendfsync: fsync,
    'maxmemory-policy': 'noeviction',
  }
  const child = await startChild({
    name: 'redis',
    command,
    args: Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]),
    folder: folder.path,
    ready: () => answersPing(port),
  })
  return {
    child,
    port,
    cpuMs: () => cpuMsOfFamily(child.pid),
    [Symbol.asyncDispose]: async () => {
      await child.stop()
      folder.remove()
    },
  }
}
