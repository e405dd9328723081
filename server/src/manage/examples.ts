import { type EventType, latestSchema } from '../domain/event-type.ts'
import type { EndpointId, EnvironmentId, Millis } from '../domain/ids.ts'
import { Problem } from '../domain/problem.ts'
import { sampleOf } from '../domain/sample.ts'
import type { ManageContext } from './context.ts'
import { getEndpoint } from './endpoints.ts'
import { findShown } from './event-types.ts'

/** A message that only one endpoint is to get. */
export interface Example {
  readonly endpointId: EndpointId
  readonly eventType: string
  /** JSON text. */
  readonly payload: string
}

/**
 * What an endpoint is to be sent as an example of an event type: of the examples of its latest schema the one of this
 * index, else one made up. `flags` null: whatever flags the event type has; one that is not shown with these is not declared
 * to the caller, who else would be shown by its example what it was hidden for. Throws Problem `not-found`, `endpoint-disabled`, `event-type-unknown`, `example-missing`,
 * `request-invalid`.
 */
export async function exampleFor(
  context: ManageContext,
  environmentId: EnvironmentId,
  application: string,
  endpoint: string,
  eventType: string,
  index: number,
  flags: readonly string[] | null,
): Promise<Example> {
  const { id, disabledBecause } = await getEndpoint(context, environmentId, application, endpoint)
  if (disabledBecause !== null) throw new Problem('endpoint-disabled')
  const found = await findShown(context.store, environmentId, eventType, flags)
  if (!found || found.archived) {
    const because = found ? 'is archived' : 'is not declared'
    throw new Problem('event-type-unknown', `Event type '${eventType}' ${because} in this environment.`, [
      { pointer: '/eventType', message: because },
    ])
  }
  const payload = exampleOf(found, index, context.world.now())
  return { endpointId: id, eventType, payload: JSON.stringify(payload) }
}

function exampleOf(eventType: EventType, index: number, now: Millis): unknown {
  const schema = latestSchema(eventType)
  // Without a schema nobody knows what its messages hold: a body of the usual form says at least that they arrive.
  if (schema === undefined) return { type: eventType.name, timestamp: new Date(now).toISOString(), data: {} }
  const { examples, example } = Object(schema) as { readonly examples?: unknown; readonly example?: unknown }
  if (Array.isArray(examples) && examples.length > 0) {
    if (index < examples.length) return examples[index]
    throw new Problem('request-invalid', `The schema has ${examples.length} examples, counted from 0.`, [
      { pointer: '/exampleIndex', message: `must be below ${examples.length}` },
    ])
  }
  const shown = example ?? sampleOf(schema)
  if (shown !== undefined) return shown
  throw new Problem('example-missing', `The schema of '${eventType.name}' has no examples, and none could be made up.`)
}
