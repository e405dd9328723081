// What the official client can do and what it expects back, read from the typed sources in its package.

import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const sources = fileURLToPath(new URL('src/', import.meta.resolve('svix/package.json')))
const textsOf = (folder: string): readonly string[] =>
  readdirSync(sources + folder)
    .filter((file) => file.endsWith('.ts'))
    .map((file) => readFileSync(`${sources}${folder}/${file}`, 'utf8'))

export interface ClientMethod {
  /** As it is called: `endpoint.transformation.get`. */
  readonly name: string
  readonly method: string
  readonly path: string
  /** The type that the promise resolves to. */
  readonly returns: string
}

interface ClientClass {
  readonly methods: readonly ClientMethod[]
  readonly parts: readonly { readonly name: string; readonly of: string }[]
}

const classes: ReadonlyMap<string, ClientClass> = new Map(
  [...textsOf('api'), readFileSync(`${sources}index.ts`, 'utf8')].flatMap((text) =>
    text
      .split('export class ')
      .slice(1)
      .map((body): [string, ClientClass] => [
        /^\w+/.exec(body)?.[0] ?? '',
        {
          parts: [...body.matchAll(/public get (\w+)\(\) \{\s*return new (\w+)\(/g)].map(([, name = '', of = '']) => ({
            name,
            of,
          })),
          methods: [
            ...body.matchAll(
              /public (?:async )?(?!constructor)(\w+)\(.*?\): Promise<([^{]+)> \{\s*const request = new SvixRequest\(\s*HttpMethod\.(\w+),\s*"([^"]+)"/gs,
            ),
          ].map(([, name = '', returns = '', method = '', path = '']) => ({ name, returns, method, path })),
        },
      ]),
  ),
)

const methodsOf = (name: string, prefix: string): readonly ClientMethod[] => {
  const { methods, parts } = classes.get(name) ?? { methods: [], parts: [] }
  return [
    ...methods.map((method) => ({ ...method, name: prefix + method.name })),
    ...parts.flatMap((part) => methodsOf(part.of, `${prefix}${part.name}.`)),
  ]
}

/** Every method of the client that makes a request; two of them may make the same one. */
export const clientMethods: readonly ClientMethod[] = methodsOf('Svix', '')

interface Member {
  readonly name: string
  readonly optional: boolean
  readonly type: string
}

const membersIn = (body: string): readonly Member[] =>
  [...body.matchAll(/^ {2}(\w+)(\?)?: ([^;]+);/gm)].map(([, name = '', optional, type = '']) => ({
    ...{ name, optional: optional !== undefined, type },
  }))

const models = new Map<string, readonly Member[]>()
const enums = new Map<string, readonly unknown[]>()
for (const text of textsOf('models')) {
  for (const [, name = '', body = ''] of text.matchAll(/^export interface (\w+) \{(.*?)\}$/gms)) {
    models.set(name, membersIn(body))
  }
  // One model is a union over the types of sources; what they have in common stands by itself.
  for (const [, name = '', body = ''] of text.matchAll(/^interface _(\w+)Fields \{(.*?)^\}$/gms)) {
    models.set(name, [...membersIn(body), { name: 'type', optional: false, type: 'string' }])
  }
  for (const [, name = '', body = ''] of text.matchAll(/^export enum (\w+) \{(.*?)^\}$/gms)) {
    enums.set(
      name,
      [...body.matchAll(/= ([^,\n]+),/g)].map(([, value = '']) => JSON.parse(value)),
    )
  }
}

/** What keeps a value that the client returned from being what its types promise: each a path and what is wrong there. */
export function misfits(type: string, value: unknown, at = ''): readonly string[] {
  const wrong = [`${at || 'it'} is ${value instanceof Date ? 'no date' : JSON.stringify(value)}, not ${type}`]
  const right = (holds: boolean): readonly string[] => (holds ? [] : wrong)
  if (type.endsWith(' | null')) return value === null ? [] : misfits(type.slice(0, -' | null'.length), value, at)
  if (type === 'void') return []
  if (type === 'any') return right(value !== undefined)
  if (type === 'string' || type === 'number' || type === 'boolean') return right(typeof value === type)
  if (type === 'Date') return right(value instanceof Date && !Number.isNaN(value.getTime()))
  if (type.endsWith('[]')) {
    if (!Array.isArray(value)) return wrong
    return value.flatMap((item, index) => misfits(type.slice(0, -2), item, `${at}/${index}`))
  }
  if (typeof value === 'object' && value !== null) {
    const [, inner] = /^\{ \[key: string\]: (.+) \}$/.exec(type) ?? []
    if (inner !== undefined) return Object.entries(value).flatMap(([key, item]) => misfits(inner, item, `${at}/${key}`))
    const members = models.get(type)
    if (members === undefined) throw new Error(`the sources of the client do not say what ${type} is`)
    const given = new Map(Object.entries(value))
    return members.flatMap(({ name, optional, type }) => {
      const member = given.get(name)
      return optional && member === undefined ? [] : misfits(type, member, `${at}/${name}`)
    })
  }
  return right(enums.get(type)?.includes(value) ?? false)
}
