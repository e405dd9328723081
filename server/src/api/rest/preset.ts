import { operations } from '@posthorn/contract'
import type { FastifyInstance } from 'fastify'
import type { Manage } from '../../manage/manage.ts'
import { ok, pageAnswer, serve } from '../route.ts'
import { pageAskOf } from './page-ask.ts'

export function presetRoutes(app: FastifyInstance, { presets }: Manage): void {
  serve(app, operations['v1.ingest.preset.list'], async ({ query }, { url }) =>
    pageAnswer(await presets.list(pageAskOf(query, 'ascending')), url, (preset) => JSON.stringify(preset)),
  )
  serve(app, operations['v1.ingest.preset.get'], async ({ params }) => ok(JSON.stringify(presets.get(params.name))))
}
