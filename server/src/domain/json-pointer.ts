// RFC 6901.

/** One step further. */
export const pointerTo = (parent: string, key: string | number): string =>
  `${parent}/${String(key).replaceAll('~', '~0').replaceAll('/', '~1')}`

/** Null: it is no pointer. */
export const stepsOf = (pointer: string): readonly string[] | null =>
  pointer === '' ? [] : pointer.startsWith('/') ? pointer.slice(1).split('/').map(stepOf) : null

/** What a step of a pointer is the name of. */
export const stepOf = (step: string): string =>
  step.includes('~') ? step.replaceAll('~1', '/').replaceAll('~0', '~') : step
