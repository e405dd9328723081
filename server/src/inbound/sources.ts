import type { SourceId } from '../domain/ids.ts'
import type { Preset } from '../domain/preset.ts'
import type { Source, SourceSecret } from '../domain/source.ts'
import { presetOf } from '../domain/source-preset.ts'
import { hashOfToken, openSourceSecrets, openToken } from '../domain/source-seal.ts'
import type { Judge } from '../ports/judge.ts'
import type { SourceStore } from '../ports/store.ts'
import type { World } from '../ports/world.ts'
import { type AllowedAddresses, allowedAddresses } from './addresses.ts'
import type { PresetBook } from './presets.ts'
import type { SettingValues } from './reading/view.ts'
import { makeSchemaCheck, type SchemaCheck } from './schema-check.ts'
import { makeVerifier, settingValues, type Verifier } from './verify/verifier.ts'

/** A source as the door needs it: opened, prepared, in memory. */
export interface PreparedSource {
  readonly source: Source
  readonly preset: Preset
  readonly secrets: readonly SourceSecret[]
  readonly verifier: Verifier
  /** What the owner has set, and what the preset says where they have not. */
  readonly values: SettingValues
  /** The URL that the provider knows, where nothing stands behind the token. */
  readonly publicUrl: string
  readonly allowed: AllowedAddresses
  /** Null: nothing is to be checked. */
  readonly checkSchema: SchemaCheck | null
}

export interface SourcesParts {
  readonly store: Pick<SourceStore, 'byToken'>
  readonly world: World
  readonly masterKey: Uint8Array
  readonly presets: Pick<PresetBook, 'get'>
  readonly judge: Judge
  /** Of the server, without a slash at its end. */
  readonly publicUrl: string
}

interface Known {
  readonly prepared: PreparedSource | null
  readonly goodUntil: number
}

const mostKnown = 10_000
// How much later than it should a former token stops to work, and how long an unknown one is not asked about again.
const knownForMs = 60_000
const unknownForMs = 1_000

/** Sources by the token of their door, so that a request asks the store nothing. `forget` before a change is answered. */
export class Sources {
  readonly #parts: SourcesParts
  readonly #known = new Map<string, Known>()
  #generation = 0

  constructor(parts: SourcesParts) {
    this.#parts = parts
  }

  /** Null: no source has this token. Resolves at once where it is in memory. */
  byToken(token: string): PreparedSource | null | Promise<PreparedSource | null> {
    const known = this.#known.get(token)
    if (known && known.goodUntil > this.#parts.world.now()) return known.prepared
    return this.#load(token)
  }

  forget(id: SourceId): void {
    this.#generation += 1
    // What was not there may be what has just been made.
    for (const [token, { prepared }] of this.#known) {
      if (prepared === null || prepared.source.id === id) this.#known.delete(token)
    }
  }

  forgetAll(): void {
    this.#generation += 1
    this.#known.clear()
  }

  async #load(token: string): Promise<PreparedSource | null> {
    const { store, world } = this.#parts
    for (;;) {
      const generation = this.#generation
      const source = await store.byToken(hashOfToken(token), world.now())
      const prepared = source && this.#prepare(source, token)
      // Something changed while we read: what we hold may be the old world.
      if (generation !== this.#generation) continue
      this.#known.delete(token)
      this.#known.set(token, { prepared, goodUntil: world.now() + (prepared ? knownForMs : unknownForMs) })
      for (const oldest of this.#known.keys()) {
        if (this.#known.size <= mostKnown) break
        this.#known.delete(oldest)
      }
      return prepared
    }
  }

  /** A source that was read elsewhere, as `byToken` would have it; `token`: the current one, where it is not known. */
  prepared(source: Source, token = openToken(this.#parts.masterKey, source)): PreparedSource {
    return this.#prepare(source, token)
  }

  #prepare(source: Source, token: string): PreparedSource {
    const { masterKey, publicUrl, judge } = this.#parts
    const preset = presetOf(this.#parts, source)
    const secrets = openSourceSecrets(masterKey, source)
    return {
      source,
      preset,
      secrets,
      values: settingValues(preset, source.settings.values),
      verifier: makeVerifier({ preset, secrets, settings: source.settings }),
      publicUrl: source.settings.publicUrl ?? `${publicUrl}/in/${token}`,
      allowed: allowedAddresses(source.settings.allowedAddresses, preset.ips?.ranges),
      checkSchema: makeSchemaCheck(judge, source),
    }
  }
}
