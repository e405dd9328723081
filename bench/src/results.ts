import { writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { join, relative } from 'node:path'
import type { Engine } from './database.ts'
import { root } from './workspace.ts'

/** `Intel(R) Xeon(R) Processor @ 2.50GHz`, twice: `xeon-2.5ghz-2-cores`. */
export function machineName(models: readonly string[]): string {
  const name = (models[0] ?? 'unknown')
    .toLowerCase()
    .replaceAll(/\((?:r|tm|c)\)|\b(?:intel|amd|cpu|processor|\d+-core)\b/g, ' ')
    .replaceAll(/(\.\d)0ghz/g, '$1ghz')
    .replaceAll(/[^a-z0-9.]+/g, '-')
    .replaceAll(/^-|-$/g, '')
  return `${name}-${models.length}-cores`
}

/** Writes `bench/results/<date>-<machine>.md`, over one of the same day; resolves to its path in the project. */
export function writeResults(engine: Engine, parts: readonly string[]): string {
  const date = new Date().toISOString().slice(0, 10)
  const machine = machineName(cpus().map(({ model }) => model))
  const path = join(root, 'bench/results', `${date}-${engine === 'sqlite' ? '' : `${engine}-`}${machine}.md`)
  writeFileSync(path, `${parts.join('\n\n')}\n`)
  return relative(root, path)
}
