import { timingSafeEqual } from 'node:crypto'

/** Whether two runs of bytes are the same, in a time that tells at most whether they are of one length. */
export const same = (a: Uint8Array, b: Uint8Array): boolean => a.length === b.length && timingSafeEqual(a, b)
