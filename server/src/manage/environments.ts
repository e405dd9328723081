import type { Environment, EnvironmentSettings } from '../domain/environment.ts'
import type { EventType } from '../domain/event-type.ts'
import type { EnvironmentId, Millis } from '../domain/ids.ts'
import { type Expectation, expectNothing, untilFresh } from './change.ts'
import type { ManageContext } from './context.ts'
import { allEventTypes, type EventTypeWish, eventTypeAfter } from './event-types.ts'
import { checkSchemas } from './schemas.ts'

/** Says what the settings are after the change, given what they are now. */
export type SettingsWish = (held: EnvironmentSettings) => EnvironmentSettings

async function environmentOf({ store }: Pick<ManageContext, 'store'>, id: EnvironmentId): Promise<Environment> {
  const found = await store.environments.find(id)
  if (!found) throw new Error(`environment ${id} has a key and is not there`)
  return found
}

export const getSettings = async (
  context: Pick<ManageContext, 'store'>,
  environmentId: EnvironmentId,
): Promise<EnvironmentSettings> => (await environmentOf(context, environmentId)).settings

/** Counts for every publish that begins after it resolves. Throws Problem `changed-meanwhile`. */
export async function patchSettings(
  context: ManageContext,
  environmentId: EnvironmentId,
  wish: SettingsWish,
  expect: Expectation = expectNothing,
): Promise<EnvironmentSettings> {
  const row = await untilFresh(async () => {
    const next = settled(await environmentOf(context, environmentId), wish, context.world.now())
    await expect()
    return (await context.store.environments.update(next)) === 'done' ? next : 'stale'
  })
  context.changedEnvironment(environmentId)
  return row.settings
}

export interface EnvironmentExport {
  readonly exportedAt: Millis
  /** By name, archived ones too. */
  readonly eventTypes: readonly EventType[]
  readonly settings: EnvironmentSettings
}

export async function exportEnvironment(
  context: ManageContext,
  environmentId: EnvironmentId,
): Promise<EnvironmentExport> {
  return {
    exportedAt: context.world.now(),
    eventTypes: await allEventTypes(context, environmentId),
    settings: await getSettings(context, environmentId),
  }
}

/** Adds and updates, all of it or nothing. `settings` null: they stay. Throws Problem `schema-invalid`, `changed-meanwhile`. */
export async function importEnvironment(
  context: ManageContext,
  environmentId: EnvironmentId,
  eventTypes: ReadonlyMap<string, EventTypeWish>,
  settings: SettingsWish | null,
): Promise<void> {
  const { store, world } = context
  for (const [at, { schemas }] of [...eventTypes.values()].entries()) {
    await checkSchemas(context, environmentId, schemas, `/eventTypes/${at}/schemas`)
  }
  await untilFresh(async () => {
    const now = world.now()
    const held = new Map((await allEventTypes(context, environmentId)).map((row) => [row.name, row]))
    const environment = await environmentOf(context, environmentId)
    return store.eventTypes.writeAll(
      [...eventTypes].map(([name, wish]) => eventTypeAfter(held.get(name) ?? null, environmentId, name, wish, now)),
      settings && settled(environment, settings, now),
    )
  })
  context.changedEnvironment(environmentId)
}

const settled = (held: Environment, wish: SettingsWish, now: Millis): Environment => ({
  ...held,
  settings: wish(held.settings),
  updatedAt: now,
  revision: held.revision + 1,
})
