import { type Declared, openapi } from '@posthorn/contract'
import { Ajv2020 } from 'ajv/dist/2020.js'
import type { FastifyInstance } from 'fastify'
import { type EventType, latestSchema } from '../domain/event-type.ts'
import type { PageAsk } from '../domain/page.ts'
import type { Manage } from '../manage/manage.ts'
import type { Authenticator } from './auth.ts'
import { demand, flagsOf, type Principal } from './principal.ts'
import { jsonType } from './route.ts'

export interface DocumentParts {
  readonly publicUrl: string
  readonly version: string
  readonly keys: Authenticator
  readonly manage: Pick<Manage, 'eventTypes'>
}

// Beyond these the document would be of no use to any tool, and others would wait while it is printed. Event types are
// taken by name; a schema that is longer, or beyond the sum, is left out.
const mostEventTypes = 1_000
const mostSchemaText = 64 * 1024
const mostSchemaTextInAll = 4 * 1024 * 1024
// Each may carry a schema as large as a request's body.
const mostAtOnce = 50

// Only what a schema is itself gets checked: none of somebody else's is ever compiled to code.
const ajv = new Ajv2020({ strict: false, validateFormats: false })
const isSchema = (value: unknown): boolean => ajv.validateSchema(Object(value)) === true

/**
 * The contract as OpenAPI. Without a key it is the same for all; with one it describes the event types of the
 * environment, too: they are nobody else's business.
 */
export function openapiRoute(app: FastifyInstance, { publicUrl, version, keys, manage }: DocumentParts): void {
  const options = { publicUrl, version }
  const ofAll = JSON.stringify(openapi(options))
  app.get('/openapi.json', async (request, reply) => {
    const { authorization } = request.headers
    reply.header('content-type', jsonType).header('vary', 'Authorization')
    if (authorization === undefined) return reply.send(ofAll)
    const principal = keys.known(authorization) ?? (await keys.read(authorization))
    demand(principal, { scope: 'read', portal: 'ViewBase' })
    const declared: Declared = { eventTypes: await declaredFor(manage, principal), isSchema }
    return reply.header('cache-control', 'private, no-cache').send(JSON.stringify(openapi(options, declared)))
  })
}

async function declaredFor({ eventTypes }: Pick<Manage, 'eventTypes'>, principal: Principal) {
  const flags = flagsOf(principal)
  const rows: EventType[] = []
  for (let iterator: string | null = null; rows.length < mostEventTypes; ) {
    const ask: PageAsk = { limit: mostAtOnce, iterator, order: 'ascending' }
    const page = await eventTypes.list(principal.environmentId, { includeArchived: false }, flags, ask)
    rows.push(...page.rows)
    if (page.done) break
    iterator = page.iterator
  }
  let left = mostSchemaTextInAll
  return rows.slice(0, mostEventTypes).map((row) => {
    const schema = latestSchema(row)
    const size = schema === undefined ? 0 : JSON.stringify(schema).length
    const fits = size <= Math.min(left, mostSchemaText)
    if (fits) left -= size
    const { name, description, deprecated } = row
    return { name, description, deprecated, schema: fits ? schema : undefined }
  })
}
