import type { Endpoints } from './gateway.ts'
import { noTimeUs, usualForm } from './message.ts'
import type { Console } from './postgres.ts'
import { progress } from './progress.ts'
import { whole } from './table.ts'

// Deliveries put into the store's tables by SQL: publishing ten million would take an hour, and they would be the same
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

const perStatement = 250_000

/** Puts more deliveries into a database, each of a message of its own, numbered on from the last. */
export interface Seed {
  /** So many more, due at once, dealt out over the endpoints. */
  add(count: number): Promise<void>
  /** Of all that were put in, in the order of their numbers. */
  ids(): readonly string[]
  count(): number
}

/**
 * `startMs`: when the messages say they were accepted. `as`: with history, each message also has an `eventId` and a failed
 * attempt, so that every table of the road has a row for it.
 */
export function makeSeed(
  console: Console,
  { applicationId, endpointIds }: Endpoints,
  startMs: number,
  as: 'new' | 'with history' = 'new',
): Seed {
  const time = idTime(startMs)
  const list = endpointIds.map((id) => `'${id}'`).join(', ')
  let last = 0
  const addSome = async (count: number) => {
    const numbers = `generate_series(${last + 1}, ${last + count}) as number`
    const digits = `lpad(number::text, ${numberDigits}, '0')`
    const id = `'msg_${time}' || ${digits}`
    const endpoint = `(array[${list}])[1 + number % ${endpointIds.length}]`
    const [eventColumn, eventValue] = as === 'new' ? ['', ''] : [', event_id', `, 'event-' || number`]
    const history = `
      insert into event_key (application_id, event_id, message_id, until)
        select '${applicationId}', 'event-' || number, ${id}, ${startMs + dayMs} from ${numbers};
      insert into attempt (id, message_id, endpoint_id, succeeded, trigger, url, status_code, duration_ms, response, response_cut, started_at)
        select 'atmpt_${time}' || ${digits}, ${id}, ${endpoint}, 0, 0, 'http://receiver.example/hook', 503, 5, 'busy', 0, ${startMs} from ${numbers};`
    await console.run(`
      begin;
      insert into message (id, application_id, event_type, payload, accepted_at${eventColumn})
        select ${id}, '${applicationId}', 'invoice.paid', '${payload}', ${startMs}${eventValue} from ${numbers};
      insert into delivery (message_id, endpoint_id, attempts, due_at, lease, trigger)
        select ${id}, ${endpoint}, 0, ${startMs}, null, 0 from ${numbers};
      ${as === 'new' ? '' : history}
      commit`)
    last += count
  }
  return {
    async add(count) {
      for (let left = count; left > 0; left -= perStatement) {
        await addSome(Math.min(left, perStatement))
        if (count >= 4 * perStatement)
          progress(`filling: ${whole(count - Math.max(0, left - perStatement))} of ${whole(count)}`)
      }
    },
    count: () => last,
    ids: () =>
      Array.from({ length: last }, (_, index) => `msg_${time}${String(index + 1).padStart(numberDigits, '0')}`),
  }
}
