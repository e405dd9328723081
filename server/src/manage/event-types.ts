import type { EventType } from '../domain/event-type.ts'
import type { EnvironmentId, Millis } from '../domain/ids.ts'
import type { Page, PageAsk } from '../domain/page.ts'
import { shownWith } from '../domain/portal.ts'
import { Problem } from '../domain/problem.ts'
import type { SeenEventType } from '../ports/store.ts'
import { type Expectation, expectNothing, untilFresh } from './change.ts'
import type { ManageContext } from './context.ts'
import { readAll, readPage } from './page.ts'
import { checkSchemas } from './schemas.ts'

/** What the operator can say about an event type. */
export type EventTypeWish = Pick<
  EventType,
  'description' | 'archived' | 'deprecated' | 'schemas' | 'groupName' | 'featureFlags'
>

/** Changes only what is named. */
export type EventTypePatch = { readonly [Key in keyof EventTypeWish]?: EventTypeWish[Key] | undefined }

const nothingBy = (name: string): Problem => new Problem('not-found', `No event type '${name}' in this environment.`)

/** `flags` null: whatever flags it has. One that is not shown with these is not there. Throws Problem `not-found`. */
export async function getEventType(
  { store }: ManageContext,
  environmentId: EnvironmentId,
  name: string,
  flags: readonly string[] | null = null,
): Promise<EventType> {
  const found = await findShown(store, environmentId, name, flags)
  if (!found) throw nothingBy(name)
  return found
}

/** One that is not shown with these `flags` is not read, either: the time that its schemas take would tell that it is there. */
export async function findShown(
  { eventTypes }: ManageContext['store'],
  environmentId: EnvironmentId,
  name: string,
  flags: readonly string[] | null,
): Promise<EventType | null> {
  if (flags !== null) {
    const held = await eventTypes.findFlags(environmentId, name)
    if (held === null || !shownWith(flags, held)) return null
  }
  const found = await eventTypes.find(environmentId, name)
  return found !== null && (flags === null || shownWith(flags, found)) ? found : null
}

/** Event types by name; `flags` null: whatever flags they have. Throws Problem `iterator-invalid`. */
export const listEventTypes = (
  { store }: ManageContext,
  environmentId: EnvironmentId,
  filter: { readonly includeArchived: boolean },
  flags: readonly string[] | null,
  ask: PageAsk,
): Promise<Page<EventType>> =>
  readPage<EventType>(ask, {
    keys: /^[a-zA-Z0-9\-_./]{1,256}$/,
    keyOf: ({ name }) => name,
    fetch: (search) => store.eventTypes.list(environmentId, filter, search),
    ...(flags === null ? {} : { keep: (row) => shownWith(flags, row) }),
  })

/** All of an environment by name, archived ones too. */
export const allEventTypes = (
  { store }: Pick<ManageContext, 'store'>,
  environmentId: EnvironmentId,
): Promise<readonly EventType[]> =>
  readAll(
    (search) => store.eventTypes.list(environmentId, { includeArchived: true }, search),
    ({ name }) => name,
  )

/** Event types that were published though they are not declared, or are archived, by name. Throws `iterator-invalid`. */
export const listUndeclared = (
  { store }: ManageContext,
  environmentId: EnvironmentId,
  ask: PageAsk,
): Promise<Page<SeenEventType & { readonly archived: boolean }>> =>
  readPage<SeenEventType & { readonly archived: boolean }>(ask, {
    keys: /^[a-zA-Z0-9\-_./]{1,256}$/,
    keyOf: ({ name }) => name,
    fetch: (search) => store.eventTypes.undeclared(environmentId, search),
  })

/** An archived one comes back as it is described now. Throws `event-type-exists`, `schema-invalid`, `changed-meanwhile`. */
export async function createEventType(
  context: ManageContext,
  environmentId: EnvironmentId,
  name: string,
  wish: EventTypeWish,
): Promise<EventType> {
  await checkSchemas(context, environmentId, wish.schemas, '/schemas')
  return untilFresh(async () => {
    const found = await context.store.eventTypes.find(environmentId, name)
    if (!found) return inserted(context, environmentId, name, wish)
    if (found.archived) return changed(context, found, wish)
    throw new Problem('event-type-exists', `Event type '${name}' is declared already.`, [
      { pointer: '/name', message: 'is declared already' },
    ])
  })
}

/** Throws `schema-invalid`, `changed-meanwhile`. */
export async function replaceEventType(
  context: ManageContext,
  environmentId: EnvironmentId,
  name: string,
  wish: EventTypeWish,
  expect: Expectation = expectNothing,
): Promise<{ readonly created: boolean; readonly row: EventType }> {
  await checkSchemas(context, environmentId, wish.schemas, '/schemas')
  return untilFresh(async () => {
    const found = await context.store.eventTypes.find(environmentId, name)
    await expect()
    const row = found ? await changed(context, found, wish) : await inserted(context, environmentId, name, wish)
    return row === 'stale' ? 'stale' : { created: found === null, row }
  })
}

/** Throws `not-found`, `schema-invalid`, `changed-meanwhile`. */
export async function patchEventType(
  context: ManageContext,
  environmentId: EnvironmentId,
  name: string,
  patch: EventTypePatch,
  expect: Expectation = expectNothing,
): Promise<EventType> {
  await checkSchemas(context, environmentId, patch.schemas, '/schemas')
  return untilFresh(async () => {
    const found = await getEventType(context, environmentId, name)
    await expect()
    return changed(context, found, {
      description: patch.description ?? found.description,
      archived: patch.archived ?? found.archived,
      deprecated: patch.deprecated ?? found.deprecated,
      schemas: patch.schemas === undefined ? found.schemas : patch.schemas,
      groupName: patch.groupName === undefined ? found.groupName : patch.groupName,
      featureFlags: patch.featureFlags === undefined ? found.featureFlags : patch.featureFlags,
    })
  })
}

/** Archives it, or (`expunge`) removes it. Throws `not-found`, `changed-meanwhile`. */
export async function deleteEventType(
  context: ManageContext,
  environmentId: EnvironmentId,
  name: string,
  expunge: boolean,
  expect: Expectation = expectNothing,
): Promise<void> {
  if (!expunge) {
    await patchEventType(context, environmentId, name, { archived: true }, expect)
    return
  }
  await untilFresh(async () => {
    const { revision } = await getEventType(context, environmentId, name)
    await expect()
    return context.store.eventTypes.expunge(environmentId, name, revision)
  })
  context.changedEventTypes()
}

/** The row a wish makes of what is there; `found` null: nothing. */
export const eventTypeAfter = (
  found: EventType | null,
  environmentId: EnvironmentId,
  name: string,
  wish: EventTypeWish,
  now: Millis,
): EventType =>
  found
    ? { ...found, ...wish, updatedAt: now, revision: found.revision + 1 }
    : { ...wish, environmentId, name, createdAt: now, updatedAt: now, revision: 1 }

async function inserted(
  context: ManageContext,
  environmentId: EnvironmentId,
  name: string,
  wish: EventTypeWish,
): Promise<EventType | 'stale'> {
  const row = eventTypeAfter(null, environmentId, name, wish, context.world.now())
  if ((await context.store.eventTypes.insert(row)) !== 'done') return 'stale'
  context.changedEventTypes()
  return row
}

async function changed(context: ManageContext, found: EventType, wish: EventTypeWish): Promise<EventType | 'stale'> {
  const row = eventTypeAfter(found, found.environmentId, found.name, wish, context.world.now())
  if ((await context.store.eventTypes.update(row)) !== 'done') return 'stale'
  context.changedEventTypes()
  return row
}
