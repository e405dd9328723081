// CONTRACT: the public promise — operations, schemas, problem codes. No I/O, no knowledge of how it is kept.
export type { ApplicationIn, ApplicationOut, ApplicationPatch } from './application.ts'
export type { EndpointMessageOut, MessageAttemptOut, MessageEndpointOut } from './attempt.ts'
export {
  type ApplicationTokenExpireIn,
  type AppPortalAccessIn,
  type AppPortalAccessOut,
  type Capability,
  capabilities,
} from './authentication.ts'
export { type ClientOperation, clientOperations, type NotBuilt, notBuilt } from './client-operations.ts'
export type { ApplicationControl, EndpointControl, EnvironmentControl } from './control.ts'
export type { DetectOut } from './detect.ts'
export type {
  EndpointHeadersIn,
  EndpointHeadersOut,
  EndpointHeadersPatchIn,
  EndpointIn,
  EndpointOut,
  EndpointPatch,
  EndpointSecretOut,
  EndpointSecretRotateIn,
  EndpointStats,
  EndpointUpsertIn,
  FilterTestOut,
} from './endpoint.ts'
export type {
  EnvironmentIn,
  EnvironmentOut,
  EnvironmentSettingsOut,
  EnvironmentSettingsPatch,
  UndeclaredEventTypeOut,
} from './environment.ts'
export type {
  EventTypeFromOpenApi,
  EventTypeIn,
  EventTypeOut,
  EventTypePatch,
  EventTypeUpsertIn,
} from './event-type.ts'
export type { CapturedSecretsOut, IngestSourceSecretRotateIn } from './ingest-secret.ts'
export type {
  IngestSourceConsumerPortalAccessIn,
  IngestSourceIn,
  IngestSourceOut,
  IngestSourcePatch,
  RotateTokenOut,
} from './ingest-source.ts'
export type {
  BulkExpungeContentsOut,
  MessageIn,
  MessageOut,
  MessagePrecheckIn,
  MessagePrecheckOut,
} from './message.ts'
export type { NodeListOut } from './node.ts'
export { largestBody } from './openapi/schema.ts'
export { type Declared, openapi } from './openapi.ts'
export type { InputOf, Method, Operation, Scope } from './operation.ts'
export { operationalMessages } from './operational-message.ts'
export type {
  OperationalWebhookEndpointIn,
  OperationalWebhookEndpointOut,
  OperationalWebhookEndpointUpsertIn,
} from './operational-webhook.ts'
export { type OperationId, operations, schemas } from './operations.ts'
export { Preset } from './preset.ts'
export type { ProblemOut } from './problem.ts'
export { type ProblemCode, type ProblemKind, problems } from './problems.ts'
export type { QuarantinedRequestOut, QuarantineReverifyOut } from './quarantine.ts'
export type { BackgroundTaskOut, BulkReplayIn, RecoverIn, TaskBegunOut } from './task.ts'
export type { SourceTriggerOut } from './trigger.ts'
