import {
  type EnvironmentSettingsOut,
  type EnvironmentSettingsPatch,
  operations,
  type UndeclaredEventTypeOut,
} from '@posthorn/contract'
import type { FastifyInstance } from 'fastify'
import type { EnvironmentSettings } from '../../domain/environment.ts'
import type { SettingsWish } from '../../manage/environments.ts'
import type { Manage } from '../../manage/manage.ts'
import { done, ok, pageAnswer, serve } from '../route.ts'
import { controlShown, controlWish } from './control.ts'
import { eventTypeShown, eventTypeWish } from './event-type.ts'
import { pageAskOf } from './page-ask.ts'
import { timeText } from './time.ts'

// Of the form an export has; a later one that reads differently counts on.
const exportVersion = 1

export function environmentRoutes(app: FastifyInstance, { environments, eventTypes }: Manage): void {
  serve(app, operations['v1.environment.export'], async (_, { principal }) => {
    const { exportedAt, eventTypes, settings } = await environments.export(principal.environmentId)
    return ok(
      JSON.stringify({
        version: exportVersion,
        createdAt: timeText(exportedAt),
        eventTypes: eventTypes.map((row) => eventTypeShown(row, true)),
        settings: settingsShown(settings),
        connectors: [],
      }),
    )
  })
  serve(app, operations['v1.environment.import'], async ({ body }, { principal }) => {
    const eventTypes = new Map((body.eventTypes ?? []).map((given) => [given.name, eventTypeWish(given)]))
    await environments.import(principal.environmentId, eventTypes, body.settings ? settingsWish(body.settings) : null)
    return done
  })
  serve(app, operations['v1.environment.list-undeclared-event-types'], async ({ query }, { principal, url }) => {
    const page = await eventTypes.undeclared(principal.environmentId, pageAskOf(query, 'ascending'))
    return pageAnswer(page, url, ({ name, archived, seenAt }) =>
      JSON.stringify({ name, archived, seenAt: timeText(seenAt) } satisfies UndeclaredEventTypeOut),
    )
  })
  serve(app, operations['v1.environment.get-settings'], async (_, { principal }) =>
    ok(JSON.stringify(settingsShown(await environments.settings(principal.environmentId)))),
  )
  serve(app, operations['v1.environment.patch-settings'], async ({ body }, { principal, expect }) =>
    ok(
      JSON.stringify(
        settingsShown(await environments.patchSettings(principal.environmentId, settingsWish(body), expect)),
      ),
    ),
  )
}

const settingsWish =
  ({ control, schemaValidation, strictEventTypes }: EnvironmentSettingsPatch): SettingsWish =>
  (held) => ({
    control: controlWish('environment', held.control, control),
    schemaValidation: schemaValidation ?? held.schemaValidation,
    strictEventTypes: strictEventTypes ?? held.strictEventTypes,
  })

const settingsShown = (settings: EnvironmentSettings): EnvironmentSettingsOut => ({
  control: controlShown(settings.control),
  schemaValidation: settings.schemaValidation,
  strictEventTypes: settings.strictEventTypes,
})
