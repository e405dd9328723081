import { operations, type SourceTriggerOut } from '@posthorn/contract'
import type { FastifyInstance } from 'fastify'
import { Problem } from '../../domain/problem.ts'
import type { OutgoingRequest } from '../../inbound/trigger/place.ts'
import { viewOf } from '../../inbound/trigger/sign.ts'
import type { TriggerSource } from '../../inbound/trigger/source-trigger.ts'
import type { Manage } from '../../manage/manage.ts'
import { invalid } from '../input.ts'
import { ok, serve } from '../route.ts'

export function sourceTriggerRoute(app: FastifyInstance, { sources }: Manage, trigger: TriggerSource): void {
  serve(app, operations['v1.ingest.source.trigger'], async ({ params, body }, { principal }) => {
    const source = await sources.get(principal.environmentId, params.source_id)
    const { event, provider = null, kind = 'valid', privateKey = null } = body
    const made = trigger(source, { event, provider, kind, privateKey })
    switch (made.kind) {
      case 'unknown-provider':
        throw invalid([providerFault(made.provider, made.meant)])
      case 'unknown-event':
        throw invalid([
          {
            pointer: '/event',
            message: `must be one of those recorded of ${made.provider}: ${made.events.join(', ')}`,
          },
        ])
      case 'not-signable':
        throw new Problem('not-signable', made.because)
      case 'made': {
        const { schemes, request } = made
        const shown: SourceTriggerOut = {
          event: made.event,
          provider: made.provider,
          schemes: [...schemes],
          request: requestShown(request),
        }
        return ok(JSON.stringify(shown))
      }
    }
  })
}

const providerFault = (provider: string, meant: string | null) => ({
  pointer: '/provider',
  message:
    provider === 'custom'
      ? 'is required for a custom source: the preset whose recorded events are sent'
      : `must be the name of a preset; ${JSON.stringify(provider)} is none${meant === null ? '' : `, did you mean ${meant}?`}`,
})

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function requestShown(request: OutgoingRequest): SourceTriggerOut['request'] {
  const { method, headers, body } = request
  const shown = { method, url: viewOf(request).url(), headers: headers.map(([name, value]) => [name, value]) }
  try {
    return { ...shown, body: utf8.decode(body), bodyBase64: null }
  } catch {
    return { ...shown, body: null, bodyBase64: Buffer.from(body).toString('base64') }
  }
}
