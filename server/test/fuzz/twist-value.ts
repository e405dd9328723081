import type { Chance } from '../faults/chance.ts'

/** Values that parsers, stores and shells have stumbled over; `name`: an id of something, for where it does not belong. */
const nasty = (name: string): readonly [unknown, ...unknown[]] => [
  ...([null, true, false, 0, -0, -1, 1, 0.1, -1.5e-308, 1e308] as const),
  ...[2 ** 31, 2 ** 32, 2 ** 53, -(2 ** 53), 2 ** 63, 2 ** 64],
  ...['', ' ', '\u0000', 'a\u0000b', '\ud800', '\udfff\ud800', '\ufeff', '\u202e', '\r\nx-injected: 1', '\u001b[2J'],
  ...[
    'é'.normalize('NFD'),
    '😀'.repeat(300),
    '%',
    '%s%n',
    "'; drop table message; --",
    ['$', '{jndi:ldap://x}'].join(''),
    '../../etc/passwd',
  ],
  ...['true', 'null', '1e999', 'NaN', '__proto__', 'constructor', 'toString', '-'.repeat(256), 'x'.repeat(70_000)],
  ...['2026-02-30T00:00:00Z', '0000-00-00T00:00:00Z', '9999-12-31T23:59:60Z', '+292278994-08-17T07:12:55.807Z'],
  ...[
    'http://127.0.0.1:99999/',
    'http://[::1',
    'file:///etc/passwd',
    'javascript:1',
    'http://user:pass@127.0.0.1/',
    '//x',
  ],
  ...['whsec_', 'whsec_!!!!', 'whsk_AAAA', '((((((((((', '(a+)+$', 'payload.a.b.c == ', '[1,2,3].all(x, x > 0)'],
  ...[{}, [], [null], [[[[[]]]]], { '': '' }, { a: { b: { c: {} } } }, { $ref: '#' }, { length: 1e9 }],
  ...[Array.from({ length: 3_000 }, (_, n) => n), Array.from({ length: 300 }, () => ({}))],
  ...[
    Object.fromEntries(Array.from({ length: 2_000 }, (_, n) => [`k${n}`, n])),
    JSON.parse('{"__proto__":{"admin":true}}'),
  ],
  ...[name, [name], `${name} `, name.toLowerCase(), name.slice(0, -1)],
]

type Container = Record<string, unknown> | unknown[]

const isContainer = (value: unknown): value is Container => typeof value === 'object' && value !== null

/** Every place in a value that holds another, the outermost first. */
function containersIn(value: unknown): readonly Container[] {
  const found: Container[] = []
  for (const queue: unknown[] = [value]; queue.length > 0 && found.length < 100; ) {
    const next = queue.shift()
    if (!isContainer(next)) continue
    found.push(next)
    queue.push(...Object.values(next).slice(0, 50))
  }
  return found
}

/** Another value than the one given, which was right; and what was done to it. */
export function twistValue(value: unknown, chance: Chance, name: string): { value: unknown; what: string } {
  const copy: unknown = structuredClone(value)
  const bad = chance.of(nasty(name))
  const shown = JSON.stringify(bad).slice(0, 40)
  const containers = containersIn(copy)
  const place = containers[chance.between(0, containers.length - 1)]
  if (place === undefined || chance.comesTrue(0.05)) return { value: bad, what: `the whole is ${shown}` }
  const keys = Object.keys(place)
  const key = keys[chance.between(0, keys.length - 1)]
  const luck = chance.random()
  if (key === undefined || luck < 0.15) {
    const added = chance.of(['extra', 'id', '__proto__', 'constructor', '', 'a\u0000', 'x'.repeat(500)])
    put(place, added, bad)
    return { value: copy, what: `${JSON.stringify(added.slice(0, 20))} added: ${shown}` }
  }
  if (luck < 0.25) {
    Reflect.deleteProperty(place, key)
    // What was taken out of a list would leave a hole, which no JSON has.
    return { value: JSON.parse(JSON.stringify(copy)), what: `${key} taken away` }
  }
  put(place, key, bad)
  return { value: copy, what: `${key} is ${shown}` }
}

/** As JSON means it: `__proto__` is a name like any other. */
const put = (place: Container, key: string, value: unknown): void =>
  void Object.defineProperty(place, key, { value, enumerable: true, configurable: true, writable: true })

const deep = 20_000

/** What cannot be said by changing a value: text that is no JSON, or more than it looks. */
export function twistText(text: string, chance: Chance): { body: Buffer; what: string } {
  const at = chance.between(0, text.length)
  const said = (body: string | Buffer, what: string) => ({ body: Buffer.from(body), what })
  const twists: readonly [() => { body: Buffer; what: string }, ...(() => { body: Buffer; what: string })[]] = [
    () => said(text.slice(0, at), `cut after ${at} characters`),
    () => said(`${text}${text}`, 'twice'),
    () => said(`${text} x`, 'something behind it'),
    () => said('', 'empty'),
    () => said(' \n\t ', 'blank'),
    () => said(`\ufeff${text}`, 'a byte order mark'),
    () => said(Buffer.from(text, 'utf16le'), 'UTF-16'),
    () =>
      said(
        Buffer.concat([Buffer.from(text.slice(0, at)), Buffer.of(0xff, 0xc0, 0xaf), Buffer.from(text.slice(at))]),
        'no UTF-8',
      ),
    () => said('['.repeat(deep), 'deep and not closed'),
    () => said('['.repeat(deep) + ']'.repeat(deep), 'deep'),
    () => said(`${'{"a":'.repeat(deep)}1${'}'.repeat(deep)}`, 'deep objects'),
    () => said(text.replace('{', '{"a":1,"a":{"b":2},"a":null,'), 'a member three times'),
    () => said(text.replace(/"(\w+)":/, '"$1":1,"$1":'), 'its first member twice'),
    () => said(text.replace(/:\s*[^,{[]+/, ':1e999'), 'a number past all numbers'),
    () => said(text.replace(/:\s*[^,{[]+/, `:${'9'.repeat(20_000)}`), 'a number of 20,000 digits'),
    () => said(text.replace(/:\s*[^,{[]+/, ':NaN'), 'NaN'),
    () => said(text.replace(/"(\w)/, '"\\u0000$1'), 'an escaped NUL'),
    () => said(text.replace(/"(\w)/, '"\\ud83d$1'), 'half of a pair'),
    () => said(text.replaceAll('"', "'"), 'single quotes'),
    () => said(text.replace('{', '{/**/'), 'a comment'),
    () => said(`"${'x'.repeat(900_000)}"`, 'a long string'),
    () => said(text.replace(/}$/, `,"pad":"${'x'.repeat(1_100_000)}"}`), 'more than is taken'),
    () => said(`[${'{},'.repeat(200_000)}{}]`, 'a long list'),
  ]
  return chance.of(twists)()
}
