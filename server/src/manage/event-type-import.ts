import { type EventType, latestSchema } from '../domain/event-type.ts'
import type { EnvironmentId } from '../domain/ids.ts'
import type { DescribedEventType } from '../domain/openapi-webhooks.ts'
import { untilFresh } from './change.ts'
import type { ManageContext } from './context.ts'
import { allEventTypes, eventTypeAfter } from './event-types.ts'
import { checkSchemas } from './schemas.ts'

/** What an import changed, or would. */
export interface EventTypeImport {
  /** Made, changed, or brought back. */
  readonly modified: readonly EventType[]
  /** Names of those that are not in the document. */
  readonly archived: readonly string[]
}

/**
 * Declares what a document describes, all of it or nothing. What it does not say (a description, a group, flags, a
 * schema) stays as it was; a schema replaces all versions. `replaceAll` archives what is not in it. Throws Problem
 * `schema-invalid` (pointers begin with `/schemas` and the event type's name), `changed-meanwhile`.
 */
export async function importEventTypes(
  context: ManageContext,
  environmentId: EnvironmentId,
  described: readonly DescribedEventType[],
  { dryRun, replaceAll }: { readonly dryRun: boolean; readonly replaceAll: boolean },
): Promise<EventTypeImport> {
  const { store, world } = context
  for (const { name, schema } of described) {
    if (schema !== null) await checkSchemas(context, environmentId, { [name]: schema }, '/schemas')
  }
  return untilFresh(async () => {
    const now = world.now()
    const all = await allEventTypes(context, environmentId)
    const held = new Map(all.map((row) => [row.name, row]))
    const modified = described.flatMap((one) => {
      const found = held.get(one.name) ?? null
      const wish = wishOf(one, found)
      return found && says(found) === says(wish) ? [] : [eventTypeAfter(found, environmentId, one.name, wish, now)]
    })
    const named = new Set(described.map(({ name }) => name))
    const archived = replaceAll
      ? all
          .filter((row) => !row.archived && !named.has(row.name))
          .map((row) => eventTypeAfter(row, environmentId, row.name, { ...row, archived: true }, now))
      : []
    const result = { modified, archived: archived.map(({ name }) => name) }
    if (dryRun || modified.length + archived.length === 0) return result
    if ((await store.eventTypes.writeAll([...modified, ...archived], null)) === 'stale') return 'stale'
    context.changedEnvironment(environmentId)
    return result
  })
}

type Said = Pick<EventType, 'description' | 'archived' | 'deprecated' | 'schemas' | 'groupName' | 'featureFlags'>

function wishOf(described: DescribedEventType, found: EventType | null): Said {
  const { description, deprecated, schema, groupName, featureFlags } = described
  const held = found && latestSchema(found)
  const same = schema === null || (held !== undefined && JSON.stringify(held) === JSON.stringify(schema))
  return {
    description: description ?? found?.description ?? '',
    archived: false,
    deprecated,
    schemas: same ? (found?.schemas ?? null) : { '1': schema },
    groupName: groupName ?? found?.groupName ?? null,
    featureFlags: featureFlags ?? found?.featureFlags ?? null,
  }
}

const says = ({ description, archived, deprecated, schemas, groupName, featureFlags }: Said): string =>
  JSON.stringify([description, archived, deprecated, schemas, groupName, featureFlags])
