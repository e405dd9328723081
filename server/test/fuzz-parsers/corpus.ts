import { existsSync, readFileSync, writeFileSync } from 'node:fs'

/** An input that is worth keeping. `outcome` null: nobody has seen one yet that was right. */
export interface Case {
  readonly input: string
  readonly outcome: string | null
}

const fileOf = (name: string): URL => new URL(`./corpus/${name}.json`, import.meta.url)

export function readCorpus(name: string): readonly Case[] {
  const file = fileOf(name)
  if (!existsSync(file)) return []
  // Our own files, which corpus.test.ts reads.
  return JSON.parse(readFileSync(file, 'utf8')) as readonly Case[]
}

/** One case on a line, by outcome, so that a change of it can be read. */
export function writeCorpus(name: string, cases: readonly Case[]): void {
  const lines = cases
    .toSorted((a, b) => compare(a.outcome ?? '', b.outcome ?? '') || compare(a.input, b.input))
    .map((one) => JSON.stringify(one))
  writeFileSync(fileOf(name), `[\n${lines.join(',\n')}\n]\n`)
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
