// The book of presets: one JSON file per provider in `presets/`, read when the first is asked for. What the files say is
// held to the format by a test; here they are only read.

import { readdirSync, readFileSync } from 'node:fs'
import type { Preset } from '../domain/preset.ts'

const folder = new URL('./presets/', import.meta.url)

/** The presets that come with the gateway. `custom` is none of them: it stands in its source. */
export interface PresetBook {
  /** Null: there is none of that name. */
  readonly get: (name: string) => Preset | null
  /** Sorted by name. */
  readonly all: () => readonly Preset[]
}

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
