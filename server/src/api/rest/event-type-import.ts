import { type EventTypeFromOpenApi, operations } from '@posthorn/contract'
import type { FastifyInstance } from 'fastify'
import type { EventType } from '../../domain/event-type.ts'
import { describedEventTypes } from '../../domain/openapi-webhooks.ts'
import type { Manage } from '../../manage/manage.ts'
import { invalid } from '../input.ts'
import { keepingFaults } from '../json.ts'
import { ok, serve } from '../route.ts'
import type { ReadYaml } from '../yaml.ts'

export function eventTypeImportRoute(app: FastifyInstance, { eventTypes }: Manage, readYaml: ReadYaml): void {
  serve(app, operations['v1.event-type.import-openapi'], async ({ body }, { principal }) => {
    const { spec = null, specRaw = null, dryRun = false, replaceAll = false } = body
    if ((spec === null) === (specRaw === null)) {
      throw invalid([{ pointer: '/spec', message: 'or specRaw must be given, and not both' }])
    }
    const at = specRaw === null ? '/spec' : '/specRaw'
    const document = specRaw === null ? spec : await readYaml(specRaw, at)
    const unfit = specRaw === null ? [] : keepingFaults(document)
    if (unfit.length > 0) throw invalid(unfit.map(({ pointer, message }) => ({ pointer: at + pointer, message })))
    const described = describedEventTypes(document, at)
    const { modified, archived } = await eventTypes.import(principal.environmentId, described, { dryRun, replaceAll })
    return ok(
      JSON.stringify({
        data: {
          modified: dryRun ? [] : modified.map(({ name }) => name),
          to_modify: dryRun ? modified.map(shown) : null,
          archived: dryRun ? [] : archived,
          to_archive: dryRun ? archived : null,
        },
      }),
    )
  })
}

const shown = (row: EventType): EventTypeFromOpenApi => ({
  name: row.name,
  description: row.description,
  schemas: row.schemas,
  deprecated: row.deprecated,
  groupName: row.groupName,
  featureFlags: row.featureFlags === null ? null : [...row.featureFlags],
})
