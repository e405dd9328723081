import type { EventType } from './event-type.ts'
import { type Document, follow, isJson, type Json, refuseFaults, standalone, step } from './openapi-schema.ts'

/** What an OpenAPI document says about an event type; null: it does not say. */
export interface DescribedEventType extends Pick<EventType, 'name' | 'deprecated' | 'groupName' | 'featureFlags'> {
  readonly description: string | null
  readonly schema: unknown
}

const nameShape = /^(?!\.{1,2}$)[a-zA-Z0-9\-_./]{1,256}$/
const longestDescription = 4_096
const mostParts = 100_000
const mostWebhooks = 5_000
const mostFlags = 100
const methods = ['post', 'put', 'patch', 'get', 'delete'] as const

/**
 * The webhooks of an OpenAPI document: `webhooks` of 3.1 and later, `x-webhooks` of 3.0. A webhook's key is the name of
 * its event type, or its `operationId` where the key cannot be one. Throws Problem `openapi-invalid` with every fault;
 * pointers begin with `at`.
 */
export function describedEventTypes(given: unknown, at: string): readonly DescribedEventType[] {
  const version = isJson(given) && typeof given.openapi === 'string' ? given.openapi : ''
  if (!isJson(given) || !/^3\.\d+(\.|$)/.test(version)) {
    refuseFaults([{ pointer: `${at}/openapi`, message: 'must be 3.0 or later, of an OpenAPI document' }])
    return []
  }
  const document: Document = {
    root: given,
    dialect: version.startsWith('3.0') ? '3.0' : '2020-12',
    at,
    faults: [],
    budget: { left: mostParts },
  }
  const found = new Map<string, DescribedEventType>()
  for (const member of ['x-webhooks', 'webhooks']) {
    const webhooks = given[member]
    if (webhooks === undefined) continue
    const place = step(at, member)
    if (!isJson(webhooks)) document.faults.push({ pointer: place, message: 'must be an object' })
    else if (Object.keys(webhooks).length > mostWebhooks) {
      document.faults.push({ pointer: place, message: `must not have more than ${mostWebhooks} entries` })
    } else {
      for (const [key, item] of Object.entries(webhooks)) {
        const described = describedBy(document, key, item, step(place, key))
        if (described) found.set(described.name, described)
      }
    }
  }
  if (found.size === 0) document.faults.push({ pointer: `${at}/webhooks`, message: 'must have at least one entry' })
  refuseFaults(document.faults)
  return [...found.values()]
}

function describedBy(document: Document, key: string, given: unknown, pointer: string): DescribedEventType | null {
  const item = follow(document, given, pointer)
  if (!isJson(item.value)) {
    if (item.value !== undefined) document.faults.push({ pointer, message: 'must be an object' })
    return null
  }
  const pathItem = item.value
  const method = methods.find((one) => isJson(pathItem[one]))
  if (method === undefined) {
    document.faults.push({ pointer: item.pointer, message: 'must have an operation, such as `post`' })
    return null
  }
  const operation = pathItem[method] as Json
  const name = [key, operation.operationId].find((one) => typeof one === 'string' && nameShape.test(one))
  if (typeof name !== 'string') {
    const message = `must be 1 to 256 of a–z, A–Z, 0–9, "-", "_", ".", "/", or its operation's \`operationId\` must be`
    document.faults.push({ pointer, message })
    return null
  }
  const sources = [operation, pathItem]
  const tags = Array.isArray(operation.tags) ? operation.tags : []
  return {
    name,
    description: textIn(sources, ['description', 'summary'])?.slice(0, longestDescription) ?? null,
    deprecated: operation.deprecated === true,
    groupName: (textIn(sources, ['x-svix-group-name']) ?? textIn([{ tag: tags[0] }], ['tag']))?.slice(0, 256) ?? null,
    featureFlags: flagsIn(sources),
    schema: bodySchema(document, operation.requestBody, step(step(item.pointer, method), 'requestBody')),
  }
}

/** The first text that is not empty, by name before place. */
function textIn(places: readonly Json[], names: readonly string[]): string | undefined {
  const texts = names.flatMap((name) => places.map((place) => place[name]))
  return texts.find((text): text is string => typeof text === 'string' && text !== '')
}

function flagsIn(places: readonly Json[]): readonly string[] | null {
  for (const place of places) {
    const flags: readonly unknown[] = [place['x-svix-feature-flags'] ?? place['x-svix-feature-flag'] ?? []].flat()
    const texts = flags.filter((flag): flag is string => typeof flag === 'string' && flag !== '')
    if (texts.length > 0) return texts.slice(0, mostFlags).map((text) => text.slice(0, 256))
  }
  return null
}

/** The schema of the JSON body, with the examples that stand beside it. Null: there is none. */
function bodySchema(document: Document, given: unknown, pointer: string): unknown {
  const body = follow(document, given, pointer)
  if (!isJson(body.value) || !isJson(body.value.content)) return null
  const content = body.value.content
  const types = Object.keys(content)
  const type = types.find((one) => /^application\/json\b/i.test(one)) ?? types.find((one) => /\+json\b/i.test(one))
  const media = type === undefined ? undefined : content[type]
  if (type === undefined || !isJson(media) || media.schema === undefined) return null
  const place = step(step(body.pointer, 'content'), type)
  const schema = standalone(document, media.schema, step(place, 'schema'))
  const examples = examplesOf(document, media, place)
  return isJson(schema) && schema.examples === undefined && examples.length > 0 ? { ...schema, examples } : schema
}

function examplesOf(document: Document, media: Json, pointer: string): readonly unknown[] {
  if (media.example !== undefined) return [media.example]
  if (!isJson(media.examples)) return []
  return Object.entries(media.examples).flatMap(([name, given]) => {
    const { value } = follow(document, given, step(step(pointer, 'examples'), name))
    return isJson(value) && value.value !== undefined ? [value.value] : []
  })
}
