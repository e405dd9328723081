// What Posthorn can be asked for and the official client has no method for.

import assert from 'node:assert/strict'
import type { Scene } from './scene.ts'

/** Of an answer only what tests look at. */
export interface Explained {
  readonly endpointId: string
  readonly verdict: string
  readonly result?: string
  readonly waitingFor?: string
  readonly until?: string | null
  readonly because?: string
  readonly detail?: string | null
  readonly attempts?: readonly { id: string; succeeded?: boolean; ended?: string; responseStatusCode: number }[]
}

export interface BatchAnswer {
  readonly data: readonly {
    readonly status: number
    readonly message?: { readonly id: string; readonly payload: unknown }
    readonly problem?: {
      readonly code: string
      readonly errors?: readonly { readonly pointer: string; readonly message: string }[]
    }
  }[]
}

const json = { 'content-type': 'application/json' }

/** Calls for `scene`'s application `shop`. */
export function calls(made: Scene) {
  const call = async (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) => {
    const text = typeof body === 'string' ? body : JSON.stringify(body)
    const init = body === undefined ? { method, headers } : { method, headers: { ...json, ...headers }, body: text }
    const answer = await made.server.fetch(`/api/v1/app/shop${path}`, init)
    const read = await answer.text()
    return { status: answer.status, text: read, json: () => JSON.parse(read) as Record<string, unknown> }
  }
  const done = async (...asked: Parameters<typeof call>) => {
    const answer = await call(...asked)
    assert.ok(answer.status < 300, answer.text)
    return answer
  }
  return {
    call,
    /** Says how deliveries to an endpoint are made. */
    async control(parts: object, endpointId = made.endpointId): Promise<void> {
      await done('PATCH', `/endpoint/${endpointId}`, { control: parts })
    },
    async change(parts: object, endpointId = made.endpointId): Promise<void> {
      await done('PATCH', `/endpoint/${endpointId}`, parts)
    },
    async changeApplication(parts: object): Promise<void> {
      await done('PATCH', '', parts)
    },
    async pause(): Promise<void> {
      await done('POST', `/endpoint/${made.endpointId}/pause`)
    },
    async resume(): Promise<void> {
      await done('POST', `/endpoint/${made.endpointId}/resume`)
    },
    /** Publishes, and resolves to the id. */
    async send(message: object): Promise<string> {
      const sent = await done('POST', '/msg', { eventType: 'invoice.paid', payload: {}, ...message })
      return String(sent.json().id)
    },
    /** Publishes in one commit, and resolves to the ids. */
    async sendAll(messages: readonly object[]): Promise<string[]> {
      const body = { messages: messages.map((one) => ({ eventType: 'invoice.paid', payload: {}, ...one })) }
      const { data } = (await done('POST', '/msg/batch', body)).json() as unknown as BatchAnswer
      return data.map(({ message }) => message?.id ?? assert.fail('one was refused'))
    },
    async explain(id: string): Promise<readonly Explained[]> {
      return (await done('GET', `/msg/${id}/explain`)).json().data as readonly Explained[]
    },
    /** Resolves to how many deliveries were canceled. */
    async cancel(id: string): Promise<number> {
      return Number((await done('POST', `/msg/${id}/cancel`)).json().canceled)
    },
  }
}
