import { readFile } from 'node:fs/promises'
import { buffer } from 'node:stream/consumers'
import { type ReadSecret, readSecret } from '../domain/secret-text.ts'
import { type Io, UsageError } from './command.ts'

/** The bytes of a file, or of standard input for `-`. Throws UsageError where they cannot be read. */
export async function readInput(name: string, io: Io): Promise<Buffer> {
  if (name === '-') return buffer(io.stdin)
  try {
    return await readFile(name)
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : null
    const why = code === 'ENOENT' ? 'there is no such file' : code === 'EISDIR' ? 'it is a folder' : String(error)
    throw new UsageError(`cannot read ${name}: ${why}`)
  }
}

/** The one file a command works on. */
export function fileOf(positionals: readonly string[]): string {
  const [name, ...more] = positionals
  if (name === undefined || more.length > 0) throw new UsageError('name one file, or - for standard input')
  return name
}

/**
 * The secrets given with `--secret` and, one a line, in the files of `--secret-file`: what is typed shows in the list of
 * processes. Throws UsageError for none, and for one that is not of a kind in `kinds`; the secret itself is not repeated.
 */
export async function secretsFrom(
  values: { readonly secret?: readonly string[]; readonly 'secret-file'?: string },
  kinds: readonly ReadSecret['kind'][],
  io: Io,
): Promise<readonly string[]> {
  const file = values['secret-file']
  const lines = file === undefined ? [] : (await readInput(file, io)).toString('utf8').split(/\r?\n/)
  const secrets = [...(values.secret ?? []), ...lines.map((line) => line.trim()).filter((line) => line !== '')]
  if (secrets.length === 0) throw new UsageError('needs a secret: --secret whsec_… or --secret-file FILE')
  for (const [at, secret] of secrets.entries()) {
    const read = readSecret(secret)
    const which = secrets.length === 1 ? 'the secret' : `secret ${at + 1}`
    if (read.kind === 'bad') throw new UsageError(`${which} ${read.fault}`)
    if (!kinds.includes(read.kind)) throw new UsageError(`${which} is a public key, which cannot sign`)
  }
  return secrets
}
