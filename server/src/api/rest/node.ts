import { type NodeListOut, operations } from '@posthorn/contract'
import type { FastifyInstance } from 'fastify'
import type { Fleet } from '../../engine/fleet.ts'
import { ok, serve } from '../route.ts'
import { timeText } from './time.ts'

export function nodeRoutes(app: FastifyInstance, fleet: Pick<Fleet, 'id' | 'nodes'>): void {
  serve(app, operations['v1.node.list'], async () => {
    const shown: NodeListOut = {
      data: (await fleet.nodes()).map(({ id, name, version, startedAt, seenAt, leads }) => ({
        ...{ id, name, version, startedAt: timeText(startedAt), seenAt: timeText(seenAt), leads },
        answers: id === fleet.id,
      })),
    }
    return ok(JSON.stringify(shown))
  })
}
