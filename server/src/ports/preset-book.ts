import type { Preset } from '../domain/preset.ts'

/** The presets that come with the gateway. `custom` is none of them: it stands in its source. */
export interface PresetBook {
  /** Null: there is none of that name. */
  readonly get: (name: string) => Preset | null
  /** Sorted by name. */
  readonly all: () => readonly Preset[]
}
