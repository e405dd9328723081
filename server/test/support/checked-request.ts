import type { InboundRequest } from '../../src/domain/inbound.ts'
import type { Preset, Scheme } from '../../src/domain/preset.ts'
import type { SourceSecret } from '../../src/domain/source.ts'
import { type Door, RequestView } from '../../src/inbound/reading/view.ts'
import type { Verdict } from '../../src/inbound/verify/verdict.ts'
import { makeVerifier, type VerifierSettings } from '../../src/inbound/verify/verifier.ts'

export const now = 1_770_000_000_000
export const seconds = String(now / 1000)
const door: Door = { url: 'https://hooks.example/in/token', pathLength: '/in/token'.length }

export const presetOf = (...schemes: readonly Scheme[]): Preset => ({
  ...{ name: 'acme', title: 'Acme', docs: '', basis: 'read', secret: null, schemes, retryWindow: 0 },
  id: { alternatives: [], otherwise: 'body' },
})

export const secretOf = (value: string, more: Partial<SourceSecret> = {}): SourceSecret => ({
  ...{ id: 'sec_1', name: null, value, from: null, until: null, captured: false, createdAt: 0 },
  ...more,
})

export interface Sent {
  readonly headers?: readonly string[]
  readonly body?: string | Uint8Array
  readonly target?: string
  readonly method?: string
}

interface Setup {
  readonly preset: Preset
  readonly secrets?: readonly SourceSecret[]
  readonly settings?: Partial<VerifierSettings>
  readonly url?: string
  readonly at?: number
}

/** What the check of such a request comes to, at a source with this preset. */
export function check({ headers = [], body = '', target = '/in/token', method = 'POST' }: Sent, setup: Setup): Verdict {
  const request: InboundRequest = {
    ...{ method, target, headers, peer: '192.0.2.1', client: '192.0.2.1', receivedAt: now },
    body: typeof body === 'string' ? Buffer.from(body) : body,
  }
  const settings = { values: {}, schemes: null, tolerance: null, ...setup.settings }
  const view = new RequestView(request, { ...door, url: setup.url ?? door.url })
  const verifier = makeVerifier({ preset: setup.preset, secrets: setup.secrets ?? [], settings })
  return verifier.verify(view, setup.at ?? now, new Map())
}

export const said = (verdict: Verdict): string => (verdict.kind === 'refused' ? verdict.reason : verdict.kind)

export const scheme = (more: Partial<Scheme>): Scheme => ({
  ...{ name: 'v1', algorithm: 'hmac-sha256', key: { from: 'secret', encoding: 'utf8' } },
  ...{ signature: [{ header: 'S' }], encoding: 'hex', template: [{ request: 'body' }] },
  ...more,
})
