// PostgreSQL keeps neither NUL nor half a surrogate pair in a text (postgresql.org/docs/current/datatype-character.html), so
// no store is given one: of callers it is refused, of third parties it is told.

/** Whether every store can keep a text as it is. */
export const isKeepable = (text: string): boolean => !text.includes('\0') && text.isWellFormed()

/** What others said, for people to read: what no store can keep stands as U+FFFD. */
export const keptText = (text: string): string =>
  isKeepable(text) ? text : text.toWellFormed().replaceAll('\0', '\ufffd')
