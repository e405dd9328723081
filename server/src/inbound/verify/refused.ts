import type { RefusalReason } from '../../domain/inbound.ts'
import { sentence } from '../reading/wording.ts'

export interface Refused {
  readonly kind: 'refused'
  readonly reason: RefusalReason
  readonly detail: string
}

/** `found`: what was found, without capital letter and full stop. */
export const refused = (reason: RefusalReason, found: string): Refused => ({
  kind: 'refused',
  reason,
  detail: sentence(found),
})
