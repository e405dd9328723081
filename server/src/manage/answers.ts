import { type Answered, answersKeptMs, demandSameAsk, type RepeatableAsk } from '../domain/idempotency.ts'
import type { Millis } from '../domain/ids.ts'
import { Problem } from '../domain/problem.ts'
import { nonceBytes, seal, unseal } from '../domain/seal.ts'
import type { ManageContext } from './context.ts'

const placeOf = (id: string): string => `${id}:answer`

// A node that dies while it answers keeps its callers from trying again for so long; no answer takes longer.
const answeringMs: Millis = 60_000

/**
 * What this ask was answered within the last twelve hours; null: it was not, and whoever asks here now is the one to answer
 * it, or to abandon it. Throws Problem `idempotency-key-reused`, or `idempotency-key-running` where another node is at it.
 */
export async function beginAnswer(
  { store, world, masterKey }: ManageContext,
  ask: RepeatableAsk,
): Promise<Answered | null> {
  const now = world.now()
  const begun = await store.answers.begin(ask, now, now + answeringMs)
  switch (begun.kind) {
    case 'begun':
      return null
    case 'running':
      demandSameAsk(begun, ask)
      throw new Problem('idempotency-key-running', undefined, [], 1)
    case 'answered': {
      demandSameAsk(begun.answer, ask)
      const { status, sealedBody } = begun.answer
      return { status, body: sealedBody && unseal(masterKey, placeOf(ask.id), sealedBody) }
    }
  }
}

/** What was begun came to nothing, and may be tried again at once. */
export const abandonAnswer = ({ store }: ManageContext, { id }: RepeatableAsk): Promise<void> =>
  store.answers.abandon(id)

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
