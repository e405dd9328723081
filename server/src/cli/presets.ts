import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { nearest } from '../domain/nearest.ts'
import type { Preset } from '../domain/preset.ts'
import { presetBook } from '../inbound/presets.ts'
import { recordedRequests } from '../inbound/recorded.ts'
import { type Command, exitCodes, type Io, UsageError } from './command.ts'
import { checkWords, providerIndex, providerPage } from './presets/page.ts'
import { rehearsal } from './presets/rehearsal.ts'

export const presets: Command = {
  summary: 'lists the providers whose webhooks can be received, and says what is checked of each',
  usage: `Usage: posthorn presets list [--json]
       posthorn presets show NAME [--json]
       posthorn presets test [NAME …]
       posthorn presets docs [--out FOLDER] [NAME …]

list   every preset: its name is the type of a source
show   the page of one: how it signs, what it is answered, what to set; --json: the descriptor itself, to begin a custom
       source with
test   runs every recorded request through the verifier, and every challenge through what answers it
docs   writes the pages of docs/providers (and, with no NAME, their index) into FOLDER

Options:
  --json        for programs
  --out FOLDER  default docs/providers

Examples:
  posthorn presets list
  posthorn presets show stripe
  posthorn presets show github --json > mine.json

Exit codes: 0 done, 1 a recorded request is not what it should be, or there is none, 2 typed wrongly.`,
  async run(args, io) {
    const [verb, ...rest] = args
    const work =
      verb === 'list' ? list : verb === 'show' ? show : verb === 'test' ? rehearseAll : verb === 'docs' ? docs : null
    if (work === null) throw new UsageError('say what to do: list, show, test or docs')
    const { values, positionals } = parseArgs({
      args: [...rest],
      allowPositionals: true,
      options: { json: { type: 'boolean' }, out: { type: 'string' } },
    })
    return work(values, positionals, io)
  },
}

interface Words {
  readonly json?: boolean
  readonly out?: string
}

/** Throws UsageError, with the name that is nearest. */
export function presetNamed(name: string): Preset {
  const preset = presetBook.get(name)
  if (preset !== null) return preset
  const names = presetBook.all().map((known) => known.name)
  const meant = nearest(name, names)
  throw new UsageError(
    `there is no preset ${JSON.stringify(name)}${meant === null ? '; posthorn presets list shows all' : `; did you mean ${meant}?`}`,
  )
}

async function list({ json }: Words, positionals: readonly string[], { stdout }: Io): Promise<number> {
  if (positionals.length > 0) throw new UsageError('list takes no name; show does')
  const all = presetBook.all()
  if (json) {
    stdout.write(`${JSON.stringify(all, null, 2)}\n`)
    return exitCodes.done
  }
  const width = Math.max(...all.map(({ name }) => name.length))
  for (const preset of all) stdout.write(`${preset.name.padEnd(width)}  ${preset.title} (${checkWords(preset)})\n`)
  return exitCodes.done
}

async function show({ json }: Words, positionals: readonly string[], { stdout }: Io): Promise<number> {
  const [name, ...more] = positionals
  if (name === undefined || more.length > 0) throw new UsageError('name one preset')
  const preset = presetNamed(name)
  stdout.write(json ? `${JSON.stringify(preset, null, 2)}\n` : providerPage(preset, recordedRequests(name)))
  return exitCodes.done
}

async function rehearseAll(_words: Words, names: readonly string[], io: Io): Promise<number> {
  return rehearsal(names.length > 0 ? names.map(presetNamed) : presetBook.all(), io)
}

async function docs({ out = 'docs/providers' }: Words, names: readonly string[], { stdout }: Io): Promise<number> {
  const asked = names.length > 0 ? names.map(presetNamed) : presetBook.all()
  await mkdir(out, { recursive: true })
  for (const [file, text] of providerFiles(asked)) {
    if (names.length === 0 || file !== 'README.md') await writeFile(join(out, file), text)
  }
  stdout.write(`${asked.length} pages are in ${out}\n`)
  return exitCodes.done
}

/** The pages of these presets and their index, by the name of the file. */
export const providerFiles = (presets: readonly Preset[]): ReadonlyMap<string, string> =>
  new Map([
    ['README.md', providerIndex(presets)],
    ...presets.map((preset): [string, string] => [
      `${preset.name}.md`,
      `<!-- Printed from server/src/inbound/presets/${preset.name}.json by \`posthorn presets docs\`. -->\n\n` +
        providerPage(preset, recordedRequests(preset.name)),
    ]),
  ])
