import { operations, type QuarantinedRequestOut, type QuarantineReverifyOut } from '@posthorn/contract'
import type { FastifyInstance } from 'fastify'
import type { Reverify } from '../../inbound/quarantine/reverify.ts'
import type { Manage } from '../../manage/manage.ts'
import { quarantineIterator } from '../../manage/quarantine.ts'
import type { QuarantinedRequest } from '../../ports/store.ts'
import { done, ok, pageAnswer, serve } from '../route.ts'
import { pageAskOf } from './page-ask.ts'
import { cameShown, contentMembers, seesCredentials } from './received-request.ts'
import { timeText } from './time.ts'

/** What sources have refused, and looking at it again. */
export function quarantineRoutes(app: FastifyInstance, { quarantine, sources }: Manage, reverify: Reverify): void {
  serve(app, operations['v1.ingest.quarantine.list'], async ({ params, query }, { principal, url }) => {
    const ask = pageAskOf(query, 'descending')
    const page = await quarantine.list(principal.environmentId, params.source_id, ask)
    return pageAnswer(page, url, (row) => JSON.stringify(quarantinedShown(row)))
  })
  serve(app, operations['v1.ingest.quarantine.get'], async ({ params }, { principal }) => {
    const row = await quarantine.get(principal.environmentId, params.source_id, params.quarantine_id)
    const kept = row.payload === null ? null : { payload: row.payload, encoding: row.encoding }
    const shown = JSON.stringify(quarantinedShown(row)).slice(1, -1)
    return ok(`{${shown},${contentMembers(row.request, kept, seesCredentials(principal))}}`)
  })
  serve(app, operations['v1.ingest.quarantine.delete'], async ({ params }, { principal, expect }) => {
    await quarantine.delete(principal.environmentId, params.source_id, params.quarantine_id, expect)
    return done
  })
  serve(app, operations['v1.ingest.quarantine.reverify'], async ({ params, body }, { principal }) => {
    const source = await sources.get(principal.environmentId, params.source_id)
    const { next, ...counts } = await reverify(source, quarantineIterator(body.iterator))
    const shown: QuarantineReverifyOut = { ...counts, iterator: next, done: next === null }
    return ok(JSON.stringify(shown))
  })
}

function quarantinedShown({ id, request, bytes, acknowledged }: QuarantinedRequest): QuarantinedRequestOut {
  const { verification, receivedAt } = request
  if (verification.kind !== 'refused') throw new Error(`${id} is in quarantine, but was not refused`)
  const { reason, explanation } = verification
  return {
    ...{ id, receivedAt: timeText(receivedAt), ...cameShown(request, bytes), bytes },
    ...{ reason, explanation: [...explanation], acknowledged },
  }
}
