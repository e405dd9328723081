import { DetectIn, DetectOut } from '../detect.ts'
import { none, operation } from './shared.ts'

export const detectOperations = {
  'v1.ingest.detect': operation({
    operationId: 'v1.ingest.detect',
    method: 'POST',
    path: '/ingest/api/v1/detect',
    own: true,
    tag: 'Preset',
    summary: 'Name the provider that a captured request looks like',
    description: 'And what is needed to verify it. Nothing is verified, kept or sent.',
    scope: 'read',
    portal: null,
    params: none,
    query: none,
    body: DetectIn,
    success: [{ status: 200, meaning: 'Looked at.', schema: DetectOut }],
    problems: [],
  }),
} as const
