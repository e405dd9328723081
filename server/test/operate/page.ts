import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { delimiter, dirname } from 'node:path'

const page = readFileSync(new URL('../../../docs/operate.md', import.meta.url), 'utf8')

/** Commands under a heading of docs/operate.md as an operator would paste them: the block of this number, of so many. */
export function blockUnder(heading: string, number: number, of: number): string {
  const section = page.split(/^#{2,3} /m).find((part) => part.startsWith(`${heading}\n`))
  assert.ok(section !== undefined, `docs/operate.md has no section "${heading}"`)
  const blocks = [...section.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, block = '']) => block)
  assert.equal(blocks.length, of, `blocks under "${heading}"`)
  return blocks[number - 1] ?? ''
}

export interface Paster {
  /** Beside the Node of this process and what the system has. */
  readonly env: Readonly<Record<string, string>>
  /** Folders of further programs. */
  readonly path?: string
  readonly user?: { readonly uid: number; readonly gid: number }
}

/** Runs a block in a shell that stops at the first command that fails. Throws with what was printed. */
export async function paste(block: string, { env, path = '', user }: Paster): Promise<void> {
  const child = spawn('sh', ['-euc', block], {
    env: { PATH: [dirname(process.execPath), path, '/usr/bin', '/bin'].join(delimiter), ...env },
    cwd: '/',
    ...user,
  })
  let told = ''
  child.stdout.on('data', (chunk: Buffer) => (told += chunk.toString('utf8')))
  child.stderr.on('data', (chunk: Buffer) => (told += chunk.toString('utf8')))
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', resolve)
  })
  assert.equal(code, 0, `${block}\nended with ${code}:\n${told}`)
}
