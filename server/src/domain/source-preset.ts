import type { Preset } from './preset.ts'
import type { Source } from './source.ts'

/** What a source is verified by. Throws where its preset has gone: a defect, as presets are never taken away. */
export function presetOf(
  { presets }: { readonly presets: { readonly get: (name: string) => Preset | null } },
  { id, type, settings }: Pick<Source, 'id' | 'type' | 'settings'>,
): Preset {
  const preset = settings.custom ?? presets.get(type)
  if (preset === null) throw new Error(`source ${id} is of type ${type}, which there is no preset for`)
  return preset
}
