import { type Answered, answersKeptMs, demandSameAsk, type RepeatableAsk } from '../domain/idempotency.ts'
import { nonceBytes, seal, unseal } from '../domain/seal.ts'
import type { ManageContext } from './context.ts'

const placeOf = (id: string): string => `${id}:answer`

/** What this ask was answered within the last twelve hours; null: it was not. Throws Problem `idempotency-key-reused`. */
export async function findAnswer(
  { store, world, masterKey }: ManageContext,
  ask: RepeatableAsk,
): Promise<Answered | null> {
  const kept = await store.answers.find(ask.id)
  if (!kept || kept.until <= world.now()) return null
  demandSameAsk(kept, ask)
  return { status: kept.status, body: kept.sealedBody && unseal(masterKey, placeOf(ask.id), kept.sealedBody) }
}

/** Remembers an answer for twelve hours. It may hold secrets, so it is sealed. */
export async function keepAnswer(
  { store, world, masterKey }: ManageContext,
  ask: RepeatableAsk,
  { status, body }: Answered,
): Promise<void> {
  const now = world.now()
  await store.answers.keep({
    ...ask,
    status,
    sealedBody: body === null ? null : seal(masterKey, placeOf(ask.id), body, world.randomBytes(nonceBytes)),
    startedAt: now,
    until: now + answersKeptMs,
  })
}
