import { type EnvironmentId, isId, type QuarantineId } from '../domain/ids.ts'
import type { Page, PageAsk } from '../domain/page.ts'
import { Problem } from '../domain/problem.ts'
import type { Source } from '../domain/source.ts'
import type { QuarantinedRequest } from '../ports/store.ts'
import { type Expectation, expectNothing } from './change.ts'
import type { ManageContext } from './context.ts'
import { readPage } from './page.ts'

/** By id or `uid`. Throws Problem `not-found`. */
export async function getQuarantineSource(
  { store }: ManageContext,
  environmentId: EnvironmentId,
  source: string,
): Promise<Source> {
  const found = await store.sources.find(environmentId, source)
  if (!found) throw new Problem('not-found', `No source '${source}' in this environment.`)
  return found
}

/** What a source has refused, without bodies. Throws `not-found`, `iterator-invalid`. */
export async function listQuarantined(
  context: ManageContext,
  environmentId: EnvironmentId,
  source: string,
  ask: PageAsk,
): Promise<Page<QuarantinedRequest>> {
  const { id } = await getQuarantineSource(context, environmentId, source)
  return readPage<QuarantinedRequest>(ask, {
    keys: 'quarantine',
    keyOf: (row) => row.id,
    fetch: (search) => context.store.quarantine.list(id, search),
  })
}

/** Throws Problem `not-found`, for the source too. */
export async function getQuarantined(
  context: ManageContext,
  environmentId: EnvironmentId,
  source: string,
  id: string,
): Promise<QuarantinedRequest> {
  const { id: sourceId } = await getQuarantineSource(context, environmentId, source)
  const found = isId('quarantine', id) ? await context.store.quarantine.find(sourceId, id) : null
  if (!found) throw gone(id)
  return found
}

/** Throws Problem `not-found`, `precondition-failed`. */
export async function deleteQuarantined(
  context: ManageContext,
  environmentId: EnvironmentId,
  source: string,
  id: string,
  expect: Expectation = expectNothing,
): Promise<void> {
  const { id: sourceId } = await getQuarantineSource(context, environmentId, source)
  await expect()
  const deleted = isId('quarantine', id) ? await context.store.quarantine.delete(sourceId, [id]) : 0
  if (deleted === 0) throw gone(id)
}

/** Reads where a round of reverifying goes on. Throws Problem `iterator-invalid`. */
export function quarantineIterator(iterator: string | null | undefined): QuarantineId | '' {
  if (iterator == null) return ''
  if (isId('quarantine', iterator)) return iterator
  throw new Problem('iterator-invalid', 'The iterator is not one that this call gave out.', [
    { pointer: '/iterator', message: 'pass the iterator of an earlier answer, unchanged' },
  ])
}

const gone = (id: string): Problem => new Problem('not-found', `No request '${id}' in the quarantine of this source.`)
