import { applicationSchemas } from './application.ts'
import { attemptSchemas } from './attempt.ts'
import { authenticationSchemas } from './authentication.ts'
import { controlSchemas } from './control.ts'
import { detectSchemas } from './detect.ts'
import { endpointSchemas } from './endpoint.ts'
import { environmentSchemas } from './environment.ts'
import { eventTypeSchemas } from './event-type.ts'
import { ingestSchemas } from './ingest-source.ts'
import { messageSchemas } from './message.ts'
import { nodeSchemas } from './node.ts'
import { operationalWebhookSchemas } from './operational-webhook.ts'
import { applicationOperations } from './operations/application.ts'
import { authenticationOperations } from './operations/authentication.ts'
import { backgroundTaskOperations } from './operations/background-task.ts'
import { detectOperations } from './operations/detect.ts'
import { endpointOperations } from './operations/endpoint.ts'
import { endpointHeaderOperations } from './operations/endpoint-headers.ts'
import { endpointSecretOperations } from './operations/endpoint-secret.ts'
import { environmentOperations } from './operations/environment.ts'
import { eventTypeOperations } from './operations/event-type.ts'
import { healthOperations } from './operations/health.ts'
import { ingestEndpointOperations } from './operations/ingest-endpoint.ts'
import { ingestSourceOperations } from './operations/ingest-source.ts'
import { messageOperations } from './operations/message.ts'
import { messageAttemptOperations } from './operations/message-attempt.ts'
import { nodeOperations } from './operations/node.ts'
import { operationalWebhookOperations } from './operations/operational-webhook.ts'
import { quarantineOperations } from './operations/quarantine.ts'
import { receivedOperations } from './operations/received.ts'
import { triggerOperations } from './operations/trigger.ts'
import { presetSchemas } from './preset.ts'
import { quarantineSchemas } from './quarantine.ts'
import { receivedSchemas } from './received.ts'
import { taskSchemas } from './task.ts'
import { triggerSchemas } from './trigger.ts'

/** The bodies that have a name in the reference. */
export const schemas = {
  ...applicationSchemas,
  ...eventTypeSchemas,
  ...environmentSchemas,
  ...endpointSchemas,
  ...operationalWebhookSchemas,
  ...messageSchemas,
  ...attemptSchemas,
  ...authenticationSchemas,
  ...controlSchemas,
  ...taskSchemas,
  ...receivedSchemas,
  ...quarantineSchemas,
  ...ingestSchemas,
  ...presetSchemas,
  ...triggerSchemas,
  ...detectSchemas,
  ...nodeSchemas,
} as const

/** Every operation there is, by its operationId. */
export const operations = {
  ...healthOperations,
  ...authenticationOperations,
  ...applicationOperations,
  ...eventTypeOperations,
  ...environmentOperations,
  ...endpointOperations,
  ...endpointSecretOperations,
  ...endpointHeaderOperations,
  ...messageOperations,
  ...messageAttemptOperations,
  ...backgroundTaskOperations,
  ...operationalWebhookOperations,
  ...receivedOperations,
  ...quarantineOperations,
  ...ingestSourceOperations,
  ...ingestEndpointOperations,
  ...triggerOperations,
  ...detectOperations,
  ...nodeOperations,
} as const

export type OperationId = keyof typeof operations
