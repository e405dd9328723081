// What the tests of the controls share: saying them at each level, and seeing when what was sent.

import assert from 'node:assert/strict'
import type { Answer } from '../support/receiver.ts'
import type { Scene } from './scene.ts'

export const answering =
  (status: number): Answer =>
  (_, response) =>
    response.writeHead(status).end()

/** Answers nothing until it is let go of. */
export function holding(status = 204): { readonly answer: Answer; readonly letGo: () => void } {
  const held: (() => void)[] = []
  return {
    answer: (_, response) => void held.push(() => response.writeHead(status).end()),
    letGo: () => {
      for (const go of held.splice(0)) go()
    },
  }
}

/** PATCHes with what the official client knows nothing of. */
export async function patch({ server }: Scene, path: string, body: object): Promise<void> {
  const answer = await server.fetch(`/api/v1/${path}`, {
    method: 'PATCH',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  assert.equal(answer.status, 200, await answer.text())
}

export type Level = 'environment' | 'application' | 'endpoint'

/** Says something about deliveries; of the application, `shop`, and of the endpoint, the scene's. */
export const say = (made: Scene, level: Level, control: object): Promise<void> => {
  const paths = {
    environment: 'environment/settings',
    application: 'app/shop',
    endpoint: `app/shop/endpoint/${made.endpointId}`,
  }
  return patch(made, paths[level], { control })
}

export async function post({ server }: Scene, path: string): Promise<void> {
  const answer = await server.fetch(`/api/v1/${path}`, { method: 'POST' })
  assert.ok(answer.ok, await answer.text())
}

export const many = (count: number, publish: () => Promise<string>): Promise<string[]> =>
  Promise.all(Array.from({ length: count }, publish))

/** When each try at an endpoint began, by the clock of the test. */
export const triedAt = ({ disk }: Scene, endpointId: string): Promise<readonly number[]> =>
  disk
    .rows('select started_at from attempt where endpoint_id = ? and ended is null order by started_at, id', endpointId)
    .then((rows) => rows.map((row) => Number(row.started_at)))

/** Lets time pass in steps, and what falls due in each be sent and written before the next. */
export async function pass({ server, quiet }: Scene, ms: number, step = 200): Promise<void> {
  for (let passed = 0; passed < ms; passed += step) {
    await server.world.advance(Math.min(step, ms - passed))
    await quiet()
  }
}

/** What `explain` says of a message at the scene's endpoint. */
export async function explained({ server, endpointId }: Scene, messageId: string): Promise<Record<string, unknown>> {
  const answer = await server.fetch(`/api/v1/app/shop/msg/${messageId}/explain`)
  const { data } = (await answer.json()) as { data: Record<string, unknown>[] }
  return data.find((row) => row.endpointId === endpointId) ?? assert.fail('nothing is said of this endpoint')
}

/** The most that began within a second. */
export function mostInASecond(times: readonly number[]): number {
  return Math.max(0, ...times.map((from) => times.filter((time) => time >= from && time < from + 1_000).length))
}

export const idsOf = (received: readonly { readonly headers: Readonly<Record<string, unknown>> }[]): string[] =>
  received.map(({ headers }) => String(headers['webhook-id']))
