import type { Console } from './console.ts'
import type { Endpoints } from './gateway.ts'
import { noTimeUs, usualForm } from './message.ts'
import { progress } from './progress.ts'
import { whole } from './table.ts'

// Messages put into the store's tables by SQL: publishing ten million would take an hour, and they would be the same
// rows. A gateway must have started on the database before: it makes the tables, and the partitions of today.

const digits = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
const timeDigits = 8
const numberDigits = 19
const dayMs = 86_400_000

/** What ids of this millisecond begin with: base62, as the gateway's own ids have it. */
function idTime(ms: number): string {
  let text = ''
  for (let rest = ms; text.length < timeDigits; rest = Math.floor(rest / 62)) text = `${digits[rest % 62]}${text}`
  return text
}

const payload = (() => {
  const body = usualForm.at(noTimeUs)
  return body.slice(body.indexOf('{"sentAtUs"'), -1)
})()

const mostPerStatement = 250_000
const leastStatements = 10

/** What the engines spell differently. */
interface Dialect {
  numbers(from: number, to: number): string
  padded(digits: number): string
  oneOf(ids: readonly string[]): string
}

const dialects: Readonly<Record<Console['engine'], Dialect>> = {
  postgres: {
    numbers: (from, to) => `generate_series(${from}, ${to}) as number`,
    padded: (digits) => `lpad(number::text, ${digits}, '0')`,
    oneOf: (ids) => `(array[${ids.map((id) => `'${id}'`).join(', ')}])[1 + number % ${ids.length}]`,
  },
  sqlite: {
    numbers: (from, to) =>
      `(with recursive n(number) as (values (${from}) union all select number + 1 from n where number < ${to}) select number from n)`,
    padded: (digits) => `printf('%0${digits}d', number)`,
    oneOf: (ids) => `case number % ${ids.length} ${ids.map((id, index) => `when ${index} then '${id}'`).join(' ')} end`,
  },
}

/** Puts more messages into a database, numbered on from the last. */
export interface Seed {
  /** So many more, dealt out over the endpoints. */
  add(count: number): Promise<void>
  /** Of all that were put in, in the order of their numbers. */
  ids(): readonly string[]
  count(): number
  /** The millisecond their ids begin with: of each statement one more than of that before. */
  lastMs(): number
}

/**
 * `startMs`: when the first messages say they were accepted. `as`: new ones have a delivery that is due at once; with
 * history, each also has an `eventId` and a failed attempt, so that every table of the road has a row for it; settled ones
 * were delivered by their only attempt.
 */
export function makeSeed(
  console: Console,
  { applicationId, endpointIds }: Endpoints,
  startMs: number,
  as: 'new' | 'with history' | 'settled' = 'new',
): Seed {
  const { numbers, padded, oneOf } = dialects[console.engine]
  const statements: { readonly time: string; readonly from: number; readonly to: number }[] = []
  const last = () => statements.at(-1)?.to ?? 0
  const addSome = async (count: number) => {
    const ms = startMs + statements.length
    const [time, from, to] = [idTime(ms), last() + 1, last() + count]
    const rows = numbers(from, to)
    const digits = padded(numberDigits)
    const id = `'msg_${time}' || ${digits}`
    const endpoint = oneOf(endpointIds)
    const [eventColumn, eventValue] = as === 'with history' ? [', event_id', `, 'event-' || number`] : ['', '']
    const attempt = (succeeded: number, status: number, response: string) => `
      insert into attempt (id, message_id, endpoint_id, succeeded, trigger, url, status_code, duration_ms, response, response_cut, started_at)
        select 'atmpt_${time}' || ${digits}, ${id}, ${endpoint}, ${succeeded}, 0, 'http://receiver.example/hook', ${status}, 5, '${response}', 0, ${ms} from ${rows};`
    const delivery = `
      insert into delivery (message_id, endpoint_id, attempts, due_at, lease, trigger)
        select ${id}, ${endpoint}, 0, ${startMs}, null, 0 from ${rows};`
    const history = `
      insert into event_key (application_id, event_id, message_id, until)
        select '${applicationId}', 'event-' || number, ${id}, ${startMs + dayMs} from ${rows};${attempt(0, 503, 'busy')}`
    const more = { new: delivery, 'with history': delivery + history, settled: attempt(1, 204, '') }
    await console.run(`
      begin;
      insert into message (id, application_id, event_type, payload, accepted_at${eventColumn})
        select ${id}, '${applicationId}', 'invoice.paid', '${payload}', ${ms}${eventValue} from ${rows};${more[as]}
      commit`)
    statements.push({ time, from, to })
  }
  return {
    async add(count) {
      const perStatement = Math.min(mostPerStatement, Math.ceil(count / leastStatements))
      for (let left = count; left > 0; left -= perStatement) {
        await addSome(Math.min(left, perStatement))
        if (count >= 4 * mostPerStatement)
          progress(`filling: ${whole(count - Math.max(0, left - perStatement))} of ${whole(count)}`)
      }
    },
    count: last,
    lastMs: () => startMs + Math.max(0, statements.length - 1),
    ids: () =>
      statements.flatMap(({ time, from, to }) =>
        Array.from(
          { length: to - from + 1 },
          (_, index) => `msg_${time}${String(from + index).padStart(numberDigits, '0')}`,
        ),
      ),
  }
}
