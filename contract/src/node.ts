import Type, { type Static } from 'typebox'

const example = {
  ...{ id: 'node_0TkxGmxa0009Jd8sVb3nXq5PzUf', name: 'gateway-1/4711', version: '1.0.0' },
  ...{ startedAt: '2026-03-01T09:00:00.000Z', seenAt: '2026-03-01T12:00:00.000Z', leads: true, answers: true },
}

const NodeOut = Type.Object(
  {
    id: Type.String({ description: 'Of this life of the process: a restart is another node.' }),
    name: Type.String({ description: 'Host and process id.' }),
    version: Type.String(),
    startedAt: Type.String({ format: 'date-time' }),
    seenAt: Type.String({
      format: 'date-time',
      description: 'Its last heartbeat. Both times by the clock of the database.',
    }),
    leads: Type.Boolean({
      description: 'Whether it does what only one node does: retention, background tasks, sweeping.',
    }),
    answers: Type.Boolean({ description: 'Whether it is the one that answered this call.' }),
  },
  { examples: [example] },
)

export const NodeListOut = Type.Object(
  { data: Type.Array(NodeOut, { description: 'The oldest first.' }) },
  { examples: [{ data: [example] }] },
)
export type NodeListOut = Static<typeof NodeListOut>

/** The bodies that have a name in the reference. */
export const nodeSchemas = { NodeOut, NodeListOut } as const
