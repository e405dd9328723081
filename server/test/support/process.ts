import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const bin = fileURLToPath(new URL('../../bin/posthorn.mjs', import.meta.url))

export interface PosthornProcess {
  readonly url: string
  readonly child: ChildProcess
  /** SIGKILL: no goodbye, nothing flushed. Resolves when the process is gone. */
  kill(): Promise<void>
  /** SIGTERM; resolves to the exit code. */
  terminate(): Promise<number | null>
}

/** `posthorn serve` in a process of its own, as an operator runs it. Rejects when it ends before it listens. */
export function startProcess(settings: Readonly<Record<string, string>>): Promise<PosthornProcess> {
  const child = spawn(process.execPath, [bin, 'serve'], {
    env: { PATH: process.env.PATH, POSTHORN_LISTEN: '127.0.0.1:0', POSTHORN_LOG: 'json,info', ...settings },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const gone = new Promise<number | null>((resolve) => child.once('exit', resolve))
  let told = ''
  return new Promise((resolve, reject) => {
    const read = (chunk: Buffer): void => {
      told += chunk.toString('utf8')
      const url = /"url":"([^"]+)"[^\n]*"msg":"posthorn is listening"/.exec(told)?.[1]
      if (url === undefined) return
      child.stdout?.off('data', read)
      child.stdout?.resume()
      resolve({
        url,
        child,
        async kill() {
          child.kill('SIGKILL')
          await gone
        },
        async terminate() {
          child.kill('SIGTERM')
          return gone
        },
      })
    }
    child.stdout?.on('data', read)
    child.stderr?.on('data', (chunk: Buffer) => {
      told += chunk.toString('utf8')
    })
    void gone.then((code) => reject(new Error(`posthorn ended with ${code} before it listened: ${told}`)))
  })
}
