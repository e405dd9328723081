import { nearest } from '../domain/nearest.ts'
import type { Page, PageAsk } from '../domain/page.ts'
import type { Preset } from '../domain/preset.ts'
import { type Fault, Problem } from '../domain/problem.ts'
import type { ManageContext } from './context.ts'
import { readPage } from './page.ts'

type Book = Pick<ManageContext, 'presets'>

/** The preset that a source of this type is to have, `custom` being its own; or what is wrong with that. */
export function presetWanted({ presets }: Book, type: string, custom: Preset | null): Preset | Fault {
  if (type === 'custom') {
    return custom ?? { pointer: '/config/preset', message: 'is required: the descriptor of a custom source' }
  }
  if (custom !== null) return { pointer: '/config/preset', message: 'is only for the type custom' }
  const found = presets.get(type)
  if (found !== null) return found
  // The one type of the client libraries that receives nothing.
  const message =
    type === 'cron'
      ? 'cannot be cron: such a source receives nothing. Publish when it is time: POST /api/v1/app/{app_id}/msg'
      : `must be the name of a preset, or custom; ${type} is none${meant(presets, type)}. GET /ingest/api/v1/preset lists them`
  return { pointer: '/type', message }
}

export const isFault = (of: Preset | Fault): of is Fault => 'pointer' in of

const longestName = 64

function meant(presets: Book['presets'], name: string): string {
  const names = presets.all().map((preset) => preset.name)
  const like = name.length > longestName ? null : nearest(name.toLowerCase(), names)
  return like === null ? '' : ` (did you mean ${like}?)`
}

/** Throws Problem `not-found`. */
export function getPreset({ presets }: Book, name: string): Preset {
  const found = presets.get(name)
  if (found === null) throw new Problem('not-found', `No preset '${name}'${meant(presets, name)}.`)
  return found
}

/** By name. Throws Problem `iterator-invalid`. */
export const listPresets = ({ presets }: Book, ask: PageAsk): Promise<Page<Preset>> =>
  readPage<Preset>(ask, {
    keys: /^[a-z0-9-]{1,64}$/,
    keyOf: ({ name }) => name,
    fetch: async ({ beyond, descending, limit }) => {
      const all = descending ? presets.all().toReversed() : presets.all()
      const isBeyond = ({ name }: Preset): boolean => beyond === null || (descending ? name < beyond : name > beyond)
      return all.filter(isBeyond).slice(0, limit)
    },
  })
