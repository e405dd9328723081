import { randomUUID } from 'node:crypto'
import { setTimeout as wait } from 'node:timers/promises'
import type { Gateway } from './gateway.ts'
import type { Receiver } from './receiver.ts'

// Everything a gateway does all day, a little of each, so that every statement of the road has run once.

const messages = 60

/** `deadUrl`: where nobody listens, so that there is something to try again. */
export async function exercise(gateway: Gateway, receiver: Receiver, deadUrl: string): Promise<void> {
  const uid = `exercise-${randomUUID()}`
  const path = `/api/v1/app/${uid}`
  const one = await gateway.addEndpoints(uid, receiver.url, 1)
  await gateway.call('POST', `${path}/endpoint`, { url: deadUrl })
  const ids: string[] = []
  const publish = async (fields: Readonly<Record<string, unknown>>) => {
    const message = await gateway.call('POST', `${path}/msg`, {
      eventType: 'invoice.paid',
      payload: { a: 1 },
      ...fields,
    })
    ids.push((message as { id: string }).id)
  }
  const kinds: readonly ((number: number) => Readonly<Record<string, unknown>>)[] = [
    () => ({}),
    // Each twice.
    (number) => ({ eventId: `event-${Math.floor(number / 2)}` }),
    (number) => ({ orderingKey: `key-${number % 3}` }),
    () => ({ deliverAt: new Date(Date.now() + 1500).toISOString() }),
    () => ({ expiresAt: new Date(Date.now() + 60_000).toISOString() }),
  ]
  for (let number = 0; number < messages; number += 1) {
    // One alone, then some in one commit.
    await publish({})
    await Promise.all(kinds.map((kind) => publish(kind(number)).catch(refusedAsRepeated)))
  }
  const [last = ''] = ids.slice(-1)
  const [endpoint = ''] = one.endpointIds
  for (const list of [
    'msg',
    `attempt/endpoint/${endpoint}`,
    `attempt/msg/${last}`,
    `msg/${last}`,
    `endpoint/${endpoint}/stats`,
  ])
    await gateway.call('GET', `${path}/${list}`)
  // Retries, what was to be sent later, and the looks and chores of each second.
  await wait(4_000)
}

// A second message with the same eventId is a conflict: that it was found to be one is what is wanted.
const refusedAsRepeated = (error: unknown): void => {
  if (!(error instanceof Error) || !error.message.includes(' 409 ')) throw error
}
