import { none, operation } from './shared.ts'

export const healthOperations = {
  'v1.health.get': operation({
    operationId: 'v1.health.get',
    method: 'GET',
    path: '/api/v1/health',
    tag: 'Health',
    summary: 'Whether the server and its store answer',
    scope: null,
    portal: null,
    params: none,
    query: none,
    body: null,
    success: [{ status: 204, meaning: 'They do.' }],
    problems: ['unavailable'],
  }),
} as const
