// How any change of an endpoint is written: with what is told of it, and with the road reading it anew.
import type { Application } from '../domain/application.ts'
import type { Endpoint } from '../domain/endpoint.ts'
import { type Fact, factsOfChange } from '../domain/operational.ts'
import type { Told } from '../ports/store.ts'
import { stored, written } from './change.ts'
import type { ManageContext } from './context.ts'

/** Null: nobody is to hear of it. */
export async function toldOf(context: ManageContext, owner: Application, facts: readonly Fact[]): Promise<Told | null> {
  // Of the endpoints that operational webhooks go to nothing is told: it would never end.
  return owner.kind === 'operational' || facts.length === 0 ? null : context.told(owner.environmentId, facts)
}

/** Writes a new one, and what is told of it. */
export async function insertEndpoint(
  context: ManageContext,
  owner: Application,
  row: Endpoint,
): Promise<'done' | 'uid-taken'> {
  const { id, uid } = row
  const told = await toldOf(context, owner, [{ kind: 'endpoint.created', endpoint: { id, uid, application: owner } }])
  const result = await stored(context.store.endpoints.insert(row, told), () => context.changed(owner.id))
  if (result === 'done') context.changed(owner.id)
  return result
}

/** Writes what has changed of one, and what is told of it. Throws Problem `uid-taken`. */
export async function changeEndpoint(
  context: ManageContext,
  owner: Application,
  found: Endpoint,
  parts: Partial<Endpoint>,
): Promise<Endpoint | 'stale'> {
  const row: Endpoint = { ...found, ...parts, updatedAt: context.world.now(), revision: found.revision + 1 }
  const told = await toldOf(context, owner, factsOfChange(found, row, owner))
  const update = stored(context.store.endpoints.update(row, told), () => context.changed(owner.id))
  const result = written(await update, row)
  if (result === 'stale') return 'stale'
  context.changed(owner.id)
  if (found.disabledBecause !== null && row.disabledBecause === null) context.wake()
  return result
}
