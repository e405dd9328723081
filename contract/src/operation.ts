import type { Static, TObject, TProperties, TSchema } from 'typebox'
import type { Capability } from './authentication.ts'
import type { ProblemCode } from './problems.ts'

/** `admin`: what concerns the whole server, which no other scope brings. */
export type Scope = 'admin' | 'publish' | 'manage' | 'read'
export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

/** One promise of the API: what may be sent to it and what comes back. Everything else is printed from these. */
export interface Operation<
  Path extends TProperties = TProperties,
  Query extends TProperties = TProperties,
  Body extends TSchema | null = TSchema | null,
> {
  /** As the client libraries spell it. */
  readonly operationId: string
  readonly method: Method
  /** Not of the client libraries' wire, but added by us in its style. */
  readonly own?: true
  /** With `{names}` of the parameters. */
  readonly path: string
  readonly tag: string
  readonly summary: string
  readonly description?: string
  /** What the key must be allowed to do; null: no key needed. */
  readonly scope: Scope | null
  /**
   * What a portal token must be allowed to do; null: no portal token may. Whoever says something here lets customers of
   * the operator in: a path with `{app_id}` is then walled to the token's own application by itself, any other path must
   * be by its handler. Looking: `ViewBase`; changing an endpoint, or seeing its headers: `ManageEndpoint`; its secret:
   * `ViewEndpointSecret`, `ManageEndpointSecret`; anything that sends: `CreateAttempts`; what concerns the whole
   * environment, publishing, or removing what was published: null.
   */
  readonly portal: Capability | null
  readonly params: TObject<Path>
  readonly query: TObject<Query>
  readonly body: Body
  /** A body may be left out; it then counts as `{}`. */
  readonly bodyOptional?: true
  /** Its answer holds a credential, so nobody on the way may keep it. */
  readonly confidential?: true
  /** Statuses of success; no schema: no body. The first is the usual one. */
  readonly success: readonly { readonly status: number; readonly meaning: string; readonly schema?: TSchema }[]
  /** Beyond those that any operation can answer. */
  readonly problems: readonly ProblemCode[]
}

/** What has been read from a request, once it fits its operation. */
export interface InputOf<O> {
  readonly params: O extends { readonly params: infer P extends TSchema } ? Static<P> : never
  readonly query: O extends { readonly query: infer Q extends TSchema } ? Static<Q> : never
  readonly body: O extends { readonly body: infer B } ? (B extends TSchema ? Static<B> : null) : never
}
