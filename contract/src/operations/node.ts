import { NodeListOut } from '../node.ts'
import { get, none, operation } from './shared.ts'

export const nodeOperations = {
  'v1.node.list': operation({
    operationId: 'v1.node.list',
    own: true,
    method: 'GET',
    path: '/api/v1/node',
    tag: 'Node',
    summary: 'List the nodes that live',
    description: 'All that work on the same database and were heard of lately; on SQLite, this one.',
    scope: 'admin',
    portal: null,
    params: none,
    query: none,
    body: null,
    success: get(NodeListOut),
    problems: [],
  }),
} as const
