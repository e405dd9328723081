import { type CelFunc, CelScalar, celEnv, celFunc, isCelError, parse, plan } from '@bufbuild/cel'
import { strings } from '@bufbuild/cel/ext'
import { deepestLoops, type FilterFault, filterTextFault } from '../domain/filter.ts'
import type { FilterVerdict } from '../ports/judge.ts'
import type { FilterContext } from './filter-context.ts'

type Expr = ReturnType<typeof parse>['expr']
type Parsed = ReturnType<typeof parse>

/** A filter, read and checked once. */
export type Filter =
  | { readonly kind: 'ready'; judge(context: FilterContext): FilterVerdict }
  | { readonly kind: 'faulty'; readonly fault: FilterFault }

const { BOOL, INT, UINT, DOUBLE, STRING, BYTES } = CelScalar

// One operation that makes something huge out of little is what a thread's memory limit does not survive: V8 then ends
// the whole process (seen with Node 26 and a string of 400 MiB). So nothing an expression makes in one step may be large.
const longestMade = 1 << 20
const longestBytes = 4_096
const bounded = (length: number): void => {
  if (length > longestMade) throw new Error(`made a text of more than ${longestMade} characters`)
}
const bounds = [
  celFunc('_+_', [STRING, STRING], STRING, (a, b) => {
    bounded(a.length + b.length)
    return a + b
  }),
  celFunc('_+_', [BYTES, BYTES], BYTES, (a, b) => {
    bounded(a.length + b.length)
    return Buffer.concat([a, b])
  }),
  // Bytes lie outside of what the thread's memory limit sees.
  celFunc('bytes', [STRING], BYTES, (text) => {
    if (text.length > longestBytes) throw new Error(`made bytes of more than ${longestBytes} characters`)
    return new TextEncoder().encode(text)
  }),
]
type Numeric = number | bigint
const signs: readonly (readonly [string, (a: Numeric, b: Numeric) => boolean])[] = [
  ['_<_', (a, b) => a < b],
  ['_<=_', (a, b) => a <= b],
  ['_>_', (a, b) => a > b],
  ['_>=_', (a, b) => a >= b],
]
// CEL's "Language Definition" orders texts by code points, as by their UTF-8, and numbers of two kinds exactly. The library takes
// UTF-16 halves, where U+FFFF comes behind every emoji, and rounds the whole number: 9007199254740993 to 9007199254740992.0.
const orders = signs.flatMap(([sign, holds]) => [
  celFunc(sign, [STRING, STRING], BOOL, (a, b) => holds(orderOfTexts(a, b), 0)),
  celFunc(sign, [INT, DOUBLE], BOOL, holds),
  celFunc(sign, [DOUBLE, INT], BOOL, holds),
  celFunc(sign, [UINT, DOUBLE], BOOL, (a, b) => holds(a.value, b)),
  celFunc(sign, [DOUBLE, UINT], BOOL, (a, b) => holds(a, b.value)),
])
// For the same reason as bounds without `replace`, `join`, `format` and `quote`.
const harmless = new Set(['charAt', 'indexOf', 'lastIndexOf', 'lowerAscii', 'upperAscii', 'split', 'substring', 'trim'])

const env = celEnv({ funcs: [...strings.filter(({ name }) => harmless.has(name)), ...bounds, ...orders] })

/** Below 0, 0, above 0. */
function orderOfTexts(a: string, b: string): number {
  for (let at = 0; at < a.length && at < b.length; ) {
    const [one = 0, other = 0] = [a.codePointAt(at), b.codePointAt(at)]
    if (one !== other) return one - other
    at += one > 0xffff ? 2 : 1
  }
  return a.length - b.length
}

const resultsOf = new Map<string, Set<string>>()
for (const { name, result } of env.funcs as Iterable<CelFunc>) {
  resultsOf.set(name, (resultsOf.get(name) ?? new Set()).add(result.name))
}
// What the evaluator itself understands, beside its functions.
for (const name of ['_&&_', '_||_', '@not_strictly_false']) resultsOf.set(name, new Set(['bool']))
for (const name of ['_[_]', '_?_:_']) resultsOf.set(name, new Set(['dyn']))

const kindOfVariable: Readonly<Record<string, string>> = {
  type: 'string',
  channels: 'list',
  tags: 'list',
  headers: 'map',
  payload: 'dyn',
}
const typeNames = ['int', 'uint', 'double', 'bool', 'string', 'bytes', 'list', 'map', 'null_type']
const usual: Scope = new Map([...Object.entries(kindOfVariable), ...typeNames.map((name) => [name, 'type'] as const)])

/** Names in reach, and the kind of value each stands for; `dyn`: known only when a message is there. */
type Scope = ReadonlyMap<string, string>

/** Reads and checks a filter. */
export function readFilter(text: string): Filter {
  const ofText = filterTextFault(text)
  if (ofText) return { kind: 'faulty', fault: ofText }
  try {
    const parsed = parse(text)
    const kind = new Reading(parsed).kindOf(parsed.expr, usual, 0)
    if (kind !== 'bool' && kind !== 'dyn') {
      return { kind: 'faulty', fault: { message: `must be true or false, but is of type ${kind}`, at: null } }
    }
    const evaluate = plan(env, parsed)
    return { kind: 'ready', judge: (context) => verdictOf(() => evaluate({ ...context })) }
  } catch (error) {
    return { kind: 'faulty', fault: faultOf(error) }
  }
}

function verdictOf(evaluate: () => unknown): FilterVerdict {
  try {
    const value = evaluate()
    if (value === true) return { kind: 'yes' }
    if (value === false) return { kind: 'no' }
    if (isCelError(value)) return { kind: 'failed', reason: reasonOf(value) }
    return { kind: 'failed', reason: 'is neither true nor false' }
  } catch (error) {
    return { kind: 'failed', reason: reasonOf(error) }
  }
}

const longestReason = 300

/** An error in words; of the stack's end we know that it was the nesting. */
export function reasonOf(error: unknown): string {
  if (error instanceof RangeError) return 'is nested too deep'
  const message = error instanceof Error ? error.message : String(error)
  return message.length > longestReason ? `${message.slice(0, longestReason)}…` : message
}

class Fault extends Error {
  readonly at: number | null
  constructor(message: string, at: number | null) {
    super(message)
    this.at = at
  }
}

function faultOf(error: unknown): FilterFault {
  if (error instanceof Fault) return { message: error.message, at: error.at }
  const message = reasonOf(error).replace(/^(syntax error )?<input>:\d+:\d+: /, '')
  return { message, at: offsetOf(error) }
}

/** Where the parser stopped: it tells by a property of its error. */
function offsetOf(error: unknown): number | null {
  if (typeof error !== 'object' || error === null || !('location' in error)) return null
  const { location } = error as { readonly location?: { readonly start?: { readonly offset?: unknown } } }
  const offset = location?.start?.offset
  return typeof offset === 'number' ? offset : null
}

/** One walk through an expression. Throws Fault at the first thing that can never work. */
class Reading {
  readonly #positions: Readonly<Record<string, number>>

  constructor({ sourceInfo }: Parsed) {
    this.#positions = sourceInfo?.positions ?? {}
  }

  /** The kind of value it is; `dyn` where that depends on the message. */
  kindOf(expr: Expr | undefined, scope: Scope, loops: number): string {
    if (!expr) return 'dyn'
    const { exprKind } = expr
    const at = this.#positions[String(expr.id)] ?? null
    switch (exprKind.case) {
      case 'constExpr':
        return constantKinds[exprKind.value.constantKind.case ?? ''] ?? 'dyn'
      case 'identExpr': {
        const kind = scope.get(exprKind.value.name.replace(/^\./, ''))
        if (kind === undefined) throw new Fault(`${exprKind.value.name} is not known here; ${known}`, at)
        return kind
      }
      case 'selectExpr':
        this.kindOf(exprKind.value.operand, scope, loops)
        return exprKind.value.testOnly ? 'bool' : 'dyn'
      case 'callExpr':
        return this.#callKind(exprKind.value, scope, loops, at)
      case 'listExpr':
        for (const element of exprKind.value.elements) this.kindOf(element, scope, loops)
        return 'list'
      case 'structExpr':
        if (exprKind.value.messageName !== '') throw new Fault(`${exprKind.value.messageName} cannot be made here`, at)
        for (const { keyKind, value } of exprKind.value.entries) {
          if (keyKind.case === 'mapKey') this.kindOf(keyKind.value, scope, loops)
          this.kindOf(value, scope, loops)
        }
        return 'map'
      case 'comprehensionExpr': {
        const { iterVar, iterVar2, accuVar, iterRange, accuInit, loopCondition, loopStep, result } = exprKind.value
        if (loops === deepestLoops) {
          throw new Fault(`lists are walked through inside one another more than ${deepestLoops} deep`, at)
        }
        this.kindOf(iterRange, scope, loops)
        const outside = new Map(scope).set(accuVar, this.kindOf(accuInit, scope, loops))
        const inside = new Map(outside).set(iterVar, 'dyn').set(iterVar2, 'dyn')
        this.kindOf(loopCondition, inside, loops + 1)
        this.kindOf(loopStep, inside, loops + 1)
        return this.kindOf(result, outside, loops)
      }
      default:
        return 'dyn'
    }
  }

  #callKind(call: CallExpr, scope: Scope, loops: number, at: number | null): string {
    const results = resultsOf.get(call.function)
    if (!results) throw new Fault(`there is no function ${call.function} that could be called so`, at)
    if (call.function === 'matches') checkPattern(call.args.at(-1), at)
    if (call.target) this.kindOf(call.target, scope, loops)
    const kinds = call.args.map((arg) => this.kindOf(arg, scope, loops))
    if (call.function === '_?_:_') return kinds[1] === kinds[2] ? (kinds[1] ?? 'dyn') : 'dyn'
    if (results.has('dyn') || results.has('bool')) return results.size === 1 && results.has('bool') ? 'bool' : 'dyn'
    const [only] = results
    return results.size === 1 && only !== undefined ? only : 'number'
  }
}

const matching = plan(env, parse('"".matches(pattern)'))

/** A regular expression that is written out can be read before a message comes. */
function checkPattern(pattern: Expr | undefined, at: number | null): void {
  if (pattern?.exprKind.case !== 'constExpr') return
  const { constantKind } = pattern.exprKind.value
  if (constantKind.case !== 'stringValue') return
  const tried = matching({ pattern: constantKind.value })
  if (isCelError(tried)) throw new Fault(reasonOf(tried), at)
}

type CallExpr = Extract<Expr['exprKind'], { readonly case: 'callExpr' }>['value']

const known = `a filter can use ${Object.keys(kindOfVariable).join(', ')}`

const constantKinds: Readonly<Record<string, string>> = {
  boolValue: 'bool',
  int64Value: 'int',
  uint64Value: 'uint',
  doubleValue: 'double',
  stringValue: 'string',
  bytesValue: 'bytes',
  nullValue: 'null',
}
