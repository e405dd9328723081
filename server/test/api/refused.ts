import { ApiException } from 'svix'

export interface Refusal {
  readonly code: number
  readonly body: {
    readonly code?: string
    readonly detail?: string
    readonly errors?: readonly { readonly pointer: string; readonly message: string }[]
  }
}

/** Resolves to the answer's status and body of a call that must be refused. */
export async function refused(call: Promise<unknown>): Promise<Refusal> {
  try {
    await call
  } catch (error) {
    if (error instanceof ApiException) return { code: error.code, body: error.body as Refusal['body'] }
    throw error
  }
  throw new Error('was not refused')
}
