import type { EnvironmentId } from '../domain/ids.ts'
import { pointerTo } from '../domain/json-pointer.ts'
import { type Fault, Problem } from '../domain/problem.ts'
import { schemaShapeFaults } from '../domain/schema.ts'
import type { ManageContext } from './context.ts'

// People keep a handful of versions; each is worked out one after the other.
const mostVersions = 100

/** Checks the schemas of an event type; pointers begin with `at`. Throws Problem `schema-invalid`. */
export async function checkSchemas(
  { judge }: Pick<ManageContext, 'judge'>,
  environmentId: EnvironmentId,
  schemas: Readonly<Record<string, unknown>> | null | undefined,
  at: string,
): Promise<void> {
  const versions = Object.entries(schemas ?? {})
  const faults: Fault[] = []
  if (versions.length > mostVersions) faults.push({ pointer: at, message: `has more than ${mostVersions} versions` })
  for (const [version, schema] of versions.slice(0, mostVersions)) {
    const here = pointerTo(at, version)
    const ofShape = schemaShapeFaults(schema, here)
    faults.push(...ofShape)
    if (ofShape.length > 0) continue
    for (const { pointer, message } of await judge.schemaFaults(environmentId, JSON.stringify(schema))) {
      faults.push({ pointer: here + pointer, message })
    }
  }
  if (faults.length === 0) return
  throw new Problem('schema-invalid', faults.map(({ pointer, message }) => `${pointer} ${message}.`).join(' '), faults)
}
