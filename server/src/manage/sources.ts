import type { Metadata } from '../domain/application.ts'
import type { ControlPart } from '../domain/control.ts'
import { type EnvironmentId, isId } from '../domain/ids.ts'
import { metadataFault } from '../domain/metadata.ts'
import type { Page, PageAsk } from '../domain/page.ts'
import { type Fault, Problem } from '../domain/problem.ts'
import { nonceBytes } from '../domain/seal.ts'
import type { Source } from '../domain/source.ts'
import { coreAfter, type SourceCore, type SourceSaying } from '../domain/source-change.ts'
import { hashOfToken, openSourceSecrets, sealSourceSecrets, sealToken } from '../domain/source-seal.ts'
import { uidAfterReplace, uidFault } from '../domain/uid.ts'
import type { World } from '../ports/world.ts'
import { endpointsGone, otherName } from './applications.ts'
import { type Expectation, expectNothing, stored, untilFresh, written } from './change.ts'
import { checkAll, refuse } from './checks.ts'
import type { ManageContext } from './context.ts'
import { readPage } from './page.ts'
import { checkSchemas } from './schemas.ts'
import { isFault, presetWanted } from './source-types.ts'

/** What the operator can say about a source, beside `SourceSaying`. */
export interface SourceWish extends SourceSaying {
  readonly name: string
  readonly type: string
  /** Undefined: none for a new one; the one it has where it is replaced. */
  readonly uid: string | null | undefined
  readonly metadata: Metadata
  /** What it says for its endpoints, given what it says now. */
  readonly control: (held: ControlPart) => ControlPart
  /** Undefined: as it was. */
  readonly throttleRate: number | null | undefined
}

type Named = 'name' | 'type' | 'metadata'

/** Changes only what is named. */
export type SourcePatch = Omit<SourceWish, Named> & {
  readonly [Key in Named]?: SourceWish[Key] | undefined
}

export const sourceNotFound = (idOrUid: string): Problem =>
  new Problem('not-found', `No source '${idOrUid}' in this environment.`)

/** Throws Problem `not-found`. */
export async function getSource(
  { store }: Pick<ManageContext, 'store'>,
  environmentId: EnvironmentId,
  idOrUid: string,
): Promise<Source> {
  const found = await store.sources.find(environmentId, idOrUid)
  if (!found) throw sourceNotFound(idOrUid)
  return found
}

/** Sources by id, which is by age. Throws Problem `iterator-invalid`. */
export const listSources = (
  { store }: ManageContext,
  environmentId: EnvironmentId,
  ask: PageAsk,
): Promise<Page<Source>> =>
  readPage<Source>(ask, {
    keys: 'source',
    keyOf: ({ id }) => id,
    fetch: (search) => store.sources.list(environmentId, search),
  })

const tokenBytes = 24 // 32 characters

/** The token of a source's URL: where nothing is signed, it is all that keeps strangers out. */
export const newToken = (world: World): string => Buffer.from(world.randomBytes(tokenBytes)).toString('base64url')

/** The row for a source that was not there. */
function fresh(
  context: ManageContext,
  environmentId: EnvironmentId,
  wish: SourceWish,
  { type, settings, secrets }: SourceCore,
): { readonly row: Source; readonly tokenHash: string } {
  const { world, newId, masterKey } = context
  const now = world.now()
  const { name, uid = null, metadata, control, throttleRate = null } = wish
  const id = newId('source')
  const token = newToken(world)
  const row: Source = {
    ...{ id, environmentId, uid, name, type, settings, metadata, control: control({}), throttleRate },
    sealedSecrets: sealSourceSecrets(masterKey, id, secrets, world.randomBytes(nonceBytes)),
    sealedToken: sealToken(masterKey, id, token, world.randomBytes(nonceBytes)),
    ...{ createdAt: now, updatedAt: now, revision: 1 },
  }
  return { row, tokenHash: hashOfToken(token) }
}

/** Throws `uid-taken`, `schema-invalid`, `request-invalid`. */
export async function createSource(
  context: ManageContext,
  environmentId: EnvironmentId,
  wish: SourceWish,
): Promise<Source> {
  const core = await checked(context, environmentId, null, wish)
  const { row, tokenHash } = fresh(context, environmentId, wish, core)
  written(await context.store.sources.insert(row, tokenHash), row)
  context.changed(row.id)
  return row
}

/** Creates under the uid of the path what is not there. Throws as `createSource`, and `not-found`, `changed-meanwhile`. */
export async function replaceSource(
  context: ManageContext,
  environmentId: EnvironmentId,
  idOrUid: string,
  wish: SourceWish,
  expect: Expectation = expectNothing,
): Promise<{ readonly created: boolean; readonly row: Source }> {
  return untilFresh(async () => {
    const found = await context.store.sources.find(environmentId, idOrUid)
    if (!found) {
      if (isId('source', idOrUid)) throw sourceNotFound(idOrUid)
      const core = await checked(context, environmentId, null, wish, [
        uidFault(idOrUid, '/path/source_id'),
        otherName(wish.uid, idOrUid),
      ])
      await expect()
      const { row, tokenHash } = fresh(context, environmentId, { ...wish, uid: idOrUid }, core)
      if ((await context.store.sources.insert(row, tokenHash)) === 'uid-taken') return 'stale'
      context.changed(row.id)
      return { created: true, row }
    }
    const core = await checked(context, environmentId, found, withoutEcho(found, wish))
    await expect()
    const { name, metadata, throttleRate = found.throttleRate } = wish
    const row = await changeSource(context, found, {
      ...parts(context, found, core),
      ...{ name, metadata, throttleRate },
      uid: uidAfterReplace(found.uid, wish.uid, idOrUid),
      control: wish.control(found.control),
    })
    return row === 'stale' ? 'stale' : { created: false, row }
  })
}

/** Who puts back what he has read has not thereby decided the mode, where nobody had. */
const withoutEcho = ({ settings }: Source, wish: SourceWish): SourceWish =>
  wish.settings.mode === settings.mode ? { ...wish, settings: { ...wish.settings, mode: undefined } } : wish

/** Throws as `createSource`, and `not-found`, `changed-meanwhile`. */
export async function patchSource(
  context: ManageContext,
  environmentId: EnvironmentId,
  idOrUid: string,
  patch: SourcePatch,
  expect: Expectation = expectNothing,
): Promise<Source> {
  return untilFresh(async () => {
    const found = await getSource(context, environmentId, idOrUid)
    const core = await checked(context, environmentId, found, patch)
    await expect()
    const { name = found.name, uid = found.uid, metadata = found.metadata, throttleRate = found.throttleRate } = patch
    const control = patch.control(found.control)
    return changeSource(context, found, {
      ...parts(context, found, core),
      ...{ name, uid, metadata, throttleRate, control },
    })
  })
}

/** With its door, its endpoints, what waits for them, and what it has refused. Throws `not-found`, `changed-meanwhile`. */
export async function deleteSource(
  context: ManageContext,
  environmentId: EnvironmentId,
  idOrUid: string,
  expect: Expectation = expectNothing,
): Promise<void> {
  await untilFresh(async () => {
    const { id, revision } = await getSource(context, environmentId, idOrUid)
    await expect()
    const application = await context.store.applications.byId(id)
    const told = application && (await endpointsGone(context, application))
    const removal = context.store.sources.delete(id, context.world.now(), told, revision)
    const result = await stored(removal, () => context.changed(id))
    if (result === 'done') context.changed(id)
    return result
  })
}

/** Writes what has changed of a source, and lets go what it kept back while it was paused. Throws `uid-taken`. */
export async function changeSource(
  context: ManageContext,
  found: Source,
  parts: Partial<Source>,
): Promise<Source | 'stale'> {
  const row: Source = { ...found, ...parts, updatedAt: context.world.now(), revision: found.revision + 1 }
  const update = stored(context.store.sources.update(row), () => context.changed(row.id))
  const result = written(await update, row)
  if (result === 'stale') return 'stale'
  context.changed(row.id)
  if (found.settings.state === 'paused' && row.settings.state !== 'paused') {
    for (const { id, pausedAt } of await context.store.endpoints.all(row.id)) {
      if (pausedAt === null) context.resumed(id, row.id)
    }
  }
  return row
}

/** What the wish makes of the source, if nothing is wrong with it; all that is wrong is said at once. */
async function checked(
  context: ManageContext,
  environmentId: EnvironmentId,
  found: Source | null,
  wish: SourcePatch,
  others: readonly (Fault | null)[] = [],
): Promise<SourceCore> {
  const held = found && {
    ...{ type: found.type, settings: found.settings },
    secrets: openSourceSecrets(context.masterKey, found),
  }
  const type = wish.type ?? found?.type ?? ''
  const custom = wish.custom ?? (held?.type === type ? held.settings.custom : null)
  const preset = presetWanted(context, type, custom)
  const { core, faults } = isFault(preset)
    ? { core: null, faults: [preset] }
    : coreAfter(held, type, wish, preset, context.world.now(), () => context.newId('secret'))
  const ofSchemas = await faultOfSchemas(context, environmentId, wish.settings.schemas)
  checkAll([
    () =>
      refuse([
        ...others,
        wish.uid == null ? null : uidFault(wish.uid, '/uid'),
        wish.metadata === undefined ? null : metadataFault(wish.metadata, '/metadata'),
        ...faults,
      ]),
    () => {
      if (ofSchemas !== null) throw ofSchemas
    },
  ])
  if (core === null) throw new Error('a source without a preset was not refused')
  return core
}

async function faultOfSchemas(
  context: ManageContext,
  environmentId: EnvironmentId,
  schemas: Readonly<Record<string, unknown>> | null | undefined,
): Promise<Problem | null> {
  try {
    await checkSchemas(context, environmentId, schemas, '/schemas')
    return null
  } catch (error) {
    if (error instanceof Problem) return error
    throw error
  }
}

const parts = ({ masterKey, world }: ManageContext, found: Source, core: SourceCore): Partial<Source> => ({
  type: core.type,
  settings: core.settings,
  sealedSecrets: sealSourceSecrets(masterKey, found.id, core.secrets, world.randomBytes(nonceBytes)),
})
