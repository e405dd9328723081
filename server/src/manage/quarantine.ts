import { type EnvironmentId, isId, type QuarantineId } from '../domain/ids.ts'
import type { Page, PageAsk } from '../domain/page.ts'
import { Problem } from '../domain/problem.ts'
import type { QuarantinedRequest } from '../ports/store.ts'
import { type Expectation, expectNothing } from './change.ts'
import type { ManageContext } from './context.ts'
import { readPage } from './page.ts'
import { getSource } from './sources.ts'

/** What a source has refused, without bodies. Throws `not-found`, `iterator-invalid`. */
export async function listQuarantined(
  context: ManageContext,
  environmentId: EnvironmentId,
  source: string,
  ask: PageAsk,
): Promise<Page<QuarantinedRequest>> {
  const { id } = await getSource(context, environmentId, source)
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
  const { id: sourceId } = await getSource(context, environmentId, source)
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
  const { id: sourceId } = await getSource(context, environmentId, source)
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
