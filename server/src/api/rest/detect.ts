import { type DetectOut, operations } from '@posthorn/contract'
import type { FastifyInstance } from 'fastify'
import { type CapturedRequest, headersIn, readCaptured } from '../../inbound/detect/captured.ts'
import type { Candidate, Detect } from '../../inbound/detect/detect.ts'
import { invalid } from '../input.ts'
import { ok, serve } from '../route.ts'

export function detectRoute(app: FastifyInstance, detect: Detect): void {
  serve(app, operations['v1.ingest.detect'], async ({ body }) => {
    const { raw = null, method = null, url = null, headers = null, body: text = null, bodyBase64 = null } = body
    const parts = [method, url, headers, text, bodyBase64]
    if ((raw === null) === parts.every((part) => part === null)) {
      throw invalid([
        { pointer: '/raw', message: 'or what it consists of (headers, body …) must be given, and not both' },
      ])
    }
    if (text !== null && bodyBase64 !== null) {
      throw invalid([{ pointer: '/bodyBase64', message: 'is for a body that is not UTF-8, instead of `body`' }])
    }
    const captured: CapturedRequest =
      raw !== null
        ? readCaptured(raw)
        : {
            method: method ?? 'POST',
            url: url ?? '/',
            headers: headersIn(headers ?? {}) ?? [],
            body: bodyBase64 === null ? Buffer.from(text ?? '') : Buffer.from(bodyBase64, 'base64'),
          }
    const shown: DetectOut = { candidates: detect(captured).map(candidateShown) }
    return ok(JSON.stringify(shown))
  })
}

const candidateShown = ({ preset, certainty, because }: Candidate): DetectOut['candidates'][number] => ({
  ...{ preset: preset.name, title: preset.title, certainty, because: [...because], docs: preset.docs },
  needs: {
    secret: preset.secret,
    settings: (preset.settings ?? []).map(({ name, label, where, required = false }) => ({
      name,
      label,
      where,
      required,
    })),
  },
})
