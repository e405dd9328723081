import { addressRefusal } from '../addresses.ts'
import { eventTypeOf } from '../facts.ts'
import { RequestView } from '../reading/view.ts'
import { doorOf, failClosed } from '../receive.ts'
import type { Sources } from '../sources.ts'
import type { Tell } from '../telling.ts'
import type { Verify } from '../verify/verify.ts'
import type { Release } from './reverify.ts'

export interface ReleaseParts {
  readonly sources: Pick<Sources, 'prepared'>
  readonly verify: Verify
  readonly tell: Tell
  readonly trustedProxies: number
}

/** What the door does with a message, for a request that it has refused before. */
export const makeRelease =
  ({ sources, verify, tell, trustedProxies }: ReleaseParts): Release =>
  async (source, id, request) => {
    const door = doorOf(request.target)
    // The provider may have signed the URL, with the token that was current then.
    const prepared = sources.prepared(source, door?.token)
    if (addressRefusal(prepared.allowed, request, trustedProxies) !== null) return 'refused'
    const pathLength = door?.length ?? request.target.length
    const view = new RequestView(request, { url: prepared.publicUrl, pathLength })
    const verification = failClosed(await verify(prepared, view, 'briefly'), source.settings.mode)
    if (verification.kind === 'refused') return 'refused'
    const text = view.payload()
    if (prepared.checkSchema !== null) {
      const checked = await prepared.checkSchema(eventTypeOf(prepared.preset, { view, values: prepared.values }), text)
      if (checked.kind === 'quarantine') return 'refused'
    }
    return tell(prepared, view, text, verification, `quarantine:${id}`)
  }
