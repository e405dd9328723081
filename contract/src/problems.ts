/** How a kind of problem is told: its HTTP status, its title, what happened, and what the caller can do about it. */
export interface ProblemKind {
  readonly status: number
  readonly title: string
  readonly happened: string
  readonly remedy: string
}

/** Every refusal there is. A code is for ever: clients switch on it, and each has a page under `/docs/problems/`. */
export const problems = {
  'body-malformed': {
    status: 400,
    title: 'Request body is not valid JSON',
    happened: 'The body could not be read as UTF-8 JSON.',
    remedy: 'Send one JSON document in UTF-8; the detail says where reading stopped.',
  },
  'request-malformed': {
    status: 400,
    title: 'Request is not valid HTTP for this API',
    happened: 'The request line, a header or the URL could not be read.',
    remedy: 'Check the URL encoding and the headers; the detail names what was wrong.',
  },
  'idempotency-key-invalid': {
    status: 400,
    title: 'Idempotency-Key cannot be used',
    happened: 'The `Idempotency-Key` header is empty, too long, or not visible ASCII.',
    remedy: 'Send 1 to 255 characters of visible ASCII, bare or in double quotes; a random UUID is fine.',
  },
  unauthenticated: {
    status: 401,
    title: 'API key missing, unknown or revoked',
    happened: 'The request carries no API key or portal token that is valid here.',
    remedy:
      'Send `Authorization: Bearer <key>`. `posthorn keys create` makes a key, `posthorn keys list` shows which are alive. In a portal: ask for a new link, since a link ends after a while.',
  },
  'scope-missing': {
    status: 403,
    title: 'API key may not do this',
    happened: 'The key is valid, but its scopes do not cover this operation.',
    remedy: 'Use a key with the scope that the detail names, or make one: `posthorn keys create --scope <scope>`.',
  },
  'capability-missing': {
    status: 403,
    title: 'Portal token may not do this',
    happened: 'The portal token is valid, but its capabilities do not cover this operation.',
    remedy:
      'Make a token with the capability that the detail names, or use an API key where it says that none will do.',
  },
  'operator-reserved': {
    status: 403,
    title: 'Only the operator may set this',
    happened: 'The request would change, with a portal token, what only an API key may change.',
    remedy: 'Leave out the members that `errors` point at, or have the operator set them.',
  },
  'not-found': {
    status: 404,
    title: 'Nothing here by that name',
    happened:
      'The environment of this key, or the application of this portal token, holds no such thing, or the path is not one of the API.',
    remedy: 'Check the id or uid, and that the key belongs to the environment you mean.',
  },
  'method-not-allowed': {
    status: 405,
    title: 'Method is not allowed on this path',
    happened: 'The path exists, but not with this method.',
    remedy: 'Use one of the methods named in the `Allow` header.',
  },
  'request-timeout': {
    status: 408,
    title: 'Request did not arrive in time',
    happened: 'The connection was open, but headers and body did not arrive within a minute.',
    remedy: 'Send the same request again on a new connection.',
  },
  'uid-taken': {
    status: 409,
    title: 'That uid is in use',
    happened: 'Another one of the same kind already carries this uid.',
    remedy: 'Choose another uid, or update the existing one with PUT.',
  },
  'event-type-exists': {
    status: 409,
    title: 'That event type exists',
    happened: 'An event type of this name is already declared.',
    remedy: 'Update it with PUT or PATCH.',
  },
  'event-id-taken': {
    status: 409,
    title: 'A message with that eventId was accepted before',
    happened: 'The application already holds a message with this eventId; nothing was stored again.',
    remedy: 'Treat this as success: the detail names the first message. For a new fact, use a new eventId.',
  },
  'changed-meanwhile': {
    status: 409,
    title: 'Somebody else changed it at the same time',
    happened: 'The resource kept changing while this change was being made.',
    remedy: 'Read it again and repeat the change.',
  },
  'idempotency-key-running': {
    status: 409,
    title: 'The first request with that Idempotency-Key is still running',
    happened: 'A request with the same key has been received and not answered yet.',
    remedy: 'Wait `Retry-After` seconds and repeat: the answer is then that of the first request.',
  },
  'token-rotations-spent': {
    status: 409,
    title: 'The token was rotated three times within 48 hours',
    happened:
      'Former URLs of a source work for 48 hours after a rotation, and there are never more than three of them.',
    remedy: 'Wait until the oldest of them has ended. If nobody may use any of them, create another source.',
  },
  'application-of-source': {
    status: 409,
    title: 'Application belongs to a source',
    happened: 'A source is its own application: what is said of the one is said of the other.',
    remedy:
      'Change the source: `PUT`, `PATCH` or `DELETE /ingest/api/v1/source/{source_id}`, with the same id. Endpoints and messages are reached both ways.',
  },
  'precondition-failed': {
    status: 412,
    title: 'The resource is not in the state you expected',
    happened: 'What `If-Match` or `If-None-Match` asks for does not hold; nothing was changed.',
    remedy: 'Read the resource again, decide again, and send the change with the `ETag` of what you read.',
  },
  'body-too-large': {
    status: 413,
    title: 'Request body is too large',
    happened: 'The body is larger than this server takes.',
    remedy: 'Send less, or raise POSTHORN_MAX_BODY.',
  },
  'inbound-too-large': {
    status: 413,
    title: 'Webhook body is too large',
    happened: 'A third party sent a larger body than this server takes; nothing of it was kept.',
    remedy: 'Raise POSTHORN_MAX_INBOUND_BODY, and have the request sent again.',
  },
  'uri-too-long': {
    status: 414,
    title: 'URL is too long',
    happened: 'Request line and headers together are larger than 16 KiB, and most of it is the URL.',
    remedy: 'Ask with fewer or shorter query parameters.',
  },
  'media-type-unsupported': {
    status: 415,
    title: 'Request body must be JSON',
    happened: 'The `Content-Type` is not `application/json` in UTF-8, or the body is compressed.',
    remedy: 'Send the body as uncompressed JSON with `Content-Type: application/json`.',
  },
  'expectation-failed': {
    status: 417,
    title: 'Expectation is not one this server knows',
    happened: 'The `Expect` header asks for something other than `100-continue`.',
    remedy: 'Leave the header out.',
  },
  'idempotency-key-reused': {
    status: 422,
    title: 'That Idempotency-Key was used for another request',
    happened: 'Within the last 12 hours the same key came with another body or other query parameters.',
    remedy: 'Use a new key for each request, and the same key only to repeat that very request.',
  },
  'request-invalid': {
    status: 422,
    title: 'Request does not fit this operation',
    happened: 'One or more values are missing, of the wrong type or out of range.',
    remedy: 'Each entry of `errors` points at a value and says what it must be.',
  },
  'iterator-invalid': {
    status: 422,
    title: 'Iterator is not from this list',
    happened: 'The `iterator` is not one this list gave out.',
    remedy: 'Pass the `iterator` of the answer before, unchanged, or leave it out to start anew.',
  },
  'endpoint-url-invalid': {
    status: 422,
    title: 'Endpoint URL cannot be used',
    happened: 'The URL is not an absolute http or https URL that deliveries can go to.',
    remedy:
      'Give `https://host[:port]/path` of at most 2,048 characters, without credentials; use the endpoint headers for those.',
  },
  'endpoint-url-private': {
    status: 422,
    title: 'Endpoint URL is not reachable from here by policy',
    happened: 'The URL names a private, loopback, link-local or otherwise special address.',
    remedy: 'Use a public address, or have the operator allow the network with POSTHORN_EGRESS_ALLOW.',
  },
  'secret-invalid': {
    status: 422,
    title: 'Secret is not one this scheme can use',
    happened: 'The secret is not `whsec_` with 24 to 64 bytes in base64, nor `whsk_` with an Ed25519 key pair.',
    remedy: 'Leave it out to have one made, or give one of the two forms.',
  },
  'header-reserved': {
    status: 422,
    title: 'Header cannot be set on an endpoint',
    happened: 'The header is one that Posthorn or HTTP itself sets, or its name or value is not valid in HTTP.',
    remedy: 'Leave out hop-by-hop headers and those starting with `webhook-`; use visible ASCII without line breaks.',
  },
  'portal-token-needed': {
    status: 422,
    title: 'Only a portal token can be logged out',
    happened: 'The request was made with an API key, which lives until it is revoked.',
    remedy:
      'Call it with the portal token that is to end; to end all of an application, use `expire-all`. API keys are ended by `posthorn keys revoke`.',
  },
  'openapi-invalid': {
    status: 422,
    title: 'OpenAPI document cannot be read',
    happened: 'The document is not OpenAPI 3.0 or later, or its webhooks cannot be turned into event types.',
    remedy: 'Each entry of `errors` points at a place in the document; correct these and send it again.',
  },
  'event-type-unknown': {
    status: 422,
    title: 'Event type is not declared',
    happened: 'The environment has no event type of this name, or has archived it.',
    remedy: 'Declare it, or bring it back, with `POST /api/v1/event-type`; then send the same request again.',
  },
  'example-missing': {
    status: 422,
    title: 'There is no example of that event type',
    happened: 'Its schema has no `examples`, and nothing that fits the schema could be made up.',
    remedy: 'Put an example into the `examples` of the schema.',
  },
  'filter-invalid': {
    status: 422,
    title: 'Filter cannot be used',
    happened: 'The filter is not a CEL expression that is true or false of a message, or is too large or too deep.',
    remedy:
      'The detail says where and why. A filter can use `type`, `channels`, `tags`, `headers` and `payload`; try it with `POST …/endpoint/{endpoint_id}/filter/test`.',
  },
  'not-signable': {
    status: 422,
    title: 'Such a request cannot be signed with what the source has',
    happened:
      'The source has no secret of the kind that the provider signs with, or a public key only, or there is nothing that could be forged or too old.',
    remedy:
      'The detail says which. Give the source a secret; where the provider signs with a key pair, make one of your own, give the source its public half and send the private one as `privateKey`.',
  },
  'schema-invalid': {
    status: 422,
    title: 'Schema cannot be used',
    happened: 'A declared schema is not valid JSON Schema 2020-12 (or draft-07, where it says so), or is too large.',
    remedy:
      'Each entry of `errors` points into the schema. References must lead to places inside it, such as `#/$defs/…`; nothing is fetched.',
  },
  'payload-invalid': {
    status: 422,
    title: 'Payload does not fit the schema of its event type',
    happened: 'The environment refuses payloads that do not fit the latest schema of their event type.',
    remedy:
      'Each entry of `errors` points at a place in the payload. Mend the payload, or declare a schema that allows it.',
  },
  'content-gone': {
    status: 422,
    title: 'Message has no content any more',
    happened: 'The payload was removed, so it cannot be sent again.',
    remedy: 'Publish the fact again as a new message.',
  },
  'endpoint-disabled': {
    status: 422,
    title: 'Endpoint is disabled',
    happened: 'A disabled endpoint is sent nothing, not even by hand.',
    remedy: 'Enable the endpoint (`disabled: false`) and send the same request again.',
  },
  'content-held': {
    status: 503,
    title: 'Content is removed, but still in the log of the database',
    happened: 'Something has been reading the database all the time, and its log cannot be emptied under a reader.',
    remedy: 'Send the same request again. If it stays, look for other programs that have the database file open.',
  },
  'rate-limited': {
    status: 429,
    title: 'Too many requests with this key',
    happened: 'The operator limits how many requests a second one key or portal token may make (POSTHORN_API_RATE).',
    remedy: 'Wait `Retry-After` seconds, and spread requests: `RateLimit` says how many are left.',
  },
  'headers-too-large': {
    status: 431,
    title: 'Request headers are too large',
    happened: 'Request line and headers together are larger than 16 KiB.',
    remedy: 'Send fewer or shorter headers; what describes a message belongs into its payload.',
  },
  internal: {
    status: 500,
    title: 'Something broke on our side',
    happened: 'A defect of Posthorn. It is in the log under the incident id.',
    remedy: 'Send the same request again; if it stays, give the operator the incident id.',
  },
  'not-built': {
    status: 501,
    title: 'Not built yet',
    happened: 'The client libraries know this operation; Posthorn does not serve it.',
    remedy: 'Do what the detail says in its place, or leave the call out.',
  },
  'transfer-coding-unsupported': {
    status: 501,
    title: 'Transfer coding is not one this server knows',
    happened: 'The `Transfer-Encoding` is something other than `chunked`.',
    remedy: 'Send the body uncompressed, with `Content-Length` or in chunks.',
  },
  unavailable: {
    status: 503,
    title: 'Not able to take this right now',
    happened:
      'The server is starting, stopping, full, or its store does not answer. What was asked for was not done, or nobody knows whether it was.',
    remedy:
      'Send the same request again after `Retry-After` seconds: with the same `Idempotency-Key` or `eventId`, it is done once.',
  },
} as const satisfies Record<string, ProblemKind>

export type ProblemCode = keyof typeof problems
