import type { MessageFilter } from '../../ports/store.ts'

// How far into a list of channels or tags a filter looks; the API takes ten.
const places = Array.from({ length: 32 }, (_, place) => `value->>${place}`).join(', ')

/*
 * Whether a column of JSON text, an array of strings, holds a text. The engines read an element of such an array
 * differently, but an element of an array inside it alike (`value->>0`): so the list is made the only element of another
 * one. Tried: `like` on the JSON text — SQLite ignores case there, and quotes inside a tag make another tag seem present.
 */
const holds = (column: string, parameter: string): string =>
  `(cast(:${parameter} as text) is null
    or exists (select 1 from @each('[' || ${column} || ']') where :${parameter} in (${places})))`

/**
 * The condition of a `MessageFilter` on `message`, but for its span of time. No index serves these; they are tried on
 * each row the page's own index brings up.
 */
export const messageFilterCondition = `${holds('message.channels', 'channel')}
  and ${holds('message.tags', 'tag')}
  and (cast(:eventTypes as text) is null or message.event_type in (select value->>0 from @each(:eventTypes)))`

export const messageFilterParameters = (filter: MessageFilter) => ({
  channel: filter.channel,
  tag: filter.tag,
  eventTypes: filter.eventTypes && JSON.stringify(filter.eventTypes.map((name) => [name])),
})

/** Whether a filter lets every message of its span of time through. */
export const passesEveryMessage = (filter: MessageFilter): boolean =>
  filter.channel === null && filter.tag === null && filter.eventTypes === null
