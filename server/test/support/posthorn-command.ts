import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const bin = fileURLToPath(new URL('../../bin/posthorn.mjs', import.meta.url))

export interface CommandResult {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/**
 * Runs `posthorn` as people do: a process of its own, with nothing in its environment but what is given. `preload` is a
 * module for `node --import`, to break something before it starts.
 */
export function posthorn(
  args: readonly string[],
  {
    env = {},
    input = '',
    preload,
  }: { env?: Record<string, string>; input?: string | Uint8Array; preload?: string } = {},
): Promise<CommandResult> {
  const words = [...(preload === undefined ? [] : ['--import', preload]), bin, ...args]
  const child = spawn(process.execPath, words, { env })
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (text) => (stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text) => (stderr += text))
  // A command that does not read its input may be gone before it is written.
  child.stdin.on('error', () => {})
  child.stdin.end(input)
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => resolve({ code, stdout, stderr }))
  })
}
