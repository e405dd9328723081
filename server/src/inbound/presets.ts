// The book of presets: one JSON file per provider in `presets/`, read when the first is asked for. What the files say is
// held to the format by a test; here they are only read.

import { readdirSync, readFileSync } from 'node:fs'
import type { Preset } from '../domain/preset.ts'
import type { PresetBook } from '../ports/preset-book.ts'

export type { PresetBook } from '../ports/preset-book.ts'

const folder = new URL('./presets/', import.meta.url)

const presetNames = (): readonly string[] =>
  readdirSync(folder)
    .filter((file) => /^[a-z0-9-]+\.json$/.test(file))
    .map((file) => file.slice(0, -'.json'.length))
    .sort()

function makeBook(): PresetBook {
  let presets: ReadonlyMap<string, Preset> | undefined
  const read = (): ReadonlyMap<string, Preset> => {
    presets ??= new Map(
      presetNames().map((name) => [
        name,
        JSON.parse(readFileSync(new URL(`${name}.json`, folder), 'utf8')) as Preset, // our own files: presets.test.ts
      ]),
    )
    return presets
  }
  return { get: (name) => read().get(name) ?? null, all: () => [...read().values()] }
}

export const presetBook: PresetBook = makeBook()
