import type { EnvironmentId, Millis } from '../domain/ids.ts'
import { presetOf } from '../domain/source-preset.ts'
import { abandonAnswer, beginAnswer, keepAnswer } from './answers.ts'
import {
  createApplication,
  deleteApplication,
  getApplication,
  listApplications,
  patchApplication,
  replaceApplication,
  theOperational,
} from './applications.ts'
import {
  getAttempt,
  listAttemptedDestinations,
  listAttemptedMessages,
  listAttemptsByEndpoint,
  listAttemptsByMessage,
  resend,
} from './attempts.ts'
import { cancelMessage } from './cancel.ts'
import type { Expectation } from './change.ts'
import type { ManageContext } from './context.ts'
import { getEndpointHeaders, patchEndpointHeaders, replaceEndpointHeaders } from './endpoint-headers.ts'
import { getEndpointSecret, rotateEndpointSecret } from './endpoint-secret.ts'
import { endpointStats } from './endpoint-stats.ts'
import {
  createEndpoint,
  deleteEndpoint,
  getEndpoint,
  listEndpoints,
  patchEndpoint,
  pauseEndpoint,
  replaceEndpoint,
  resolvedControl,
} from './endpoints.ts'
import { exportEnvironment, getSettings, importEnvironment, patchSettings } from './environments.ts'
import { importEventTypes } from './event-type-import.ts'
import {
  createEventType,
  deleteEventType,
  getEventType,
  listEventTypes,
  listUndeclared,
  patchEventType,
  replaceEventType,
} from './event-types.ts'
import { exampleFor } from './examples.ts'
import { explainMessage } from './explain.ts'
import { expungeAttempt, expungeMany, expungeMessage } from './expunge.ts'
import { tryFilter } from './filters.ts'
import { adoptKey, createFirstKey, createKey, listKeys, revokeKey } from './keys.ts'
import { getMessage, listMessages, precheckMessage } from './messages.ts'
import { createOperational, listOperational, replaceOperational } from './operational-endpoints.ts'
import { createPortalToken, endPortalToken, endPortalTokens } from './portal-tokens.ts'
import { deleteQuarantined, getQuarantined, listQuarantined } from './quarantine.ts'
import { getReceived, listReceived } from './received.ts'
import { capturedSecrets, captureSecret, recordOf, rotateSourceSecret, standingOf } from './source-secrets.ts'
import { rotateToken, tokenOf } from './source-tokens.ts'
import { getPreset, listPresets } from './source-types.ts'
import { createSource, deleteSource, getSource, listSources, patchSource, replaceSource } from './sources.ts'
import {
  beginApplicationUsage,
  beginEventTypeUsage,
  beginExpunge,
  beginReplay,
  cancelTask,
  getTaskResults,
  listTasks,
} from './tasks.ts'

type Given<Verb> = Verb extends (context: never, ...given: infer Rest) => unknown ? Rest : never

export type Manage = ReturnType<typeof makeManage>

/** Everything people can change or look up, by noun. What each does and throws stands beside it in the noun's file. */
export const makeManage = (context: ManageContext) => ({
  applications: {
    list: (...given: Given<typeof listApplications>) => listApplications(context, ...given),
    create: (...given: Given<typeof createApplication>) => createApplication(context, ...given),
    get: (...given: Given<typeof getApplication>) => getApplication(context, ...given),
    replace: (...given: Given<typeof replaceApplication>) => replaceApplication(context, ...given),
    patch: (...given: Given<typeof patchApplication>) => patchApplication(context, ...given),
    delete: (...given: Given<typeof deleteApplication>) => deleteApplication(context, ...given),
  },
  environments: {
    settings: (...given: Given<typeof getSettings>) => getSettings(context, ...given),
    patchSettings: (...given: Given<typeof patchSettings>) => patchSettings(context, ...given),
    export: (...given: Given<typeof exportEnvironment>) => exportEnvironment(context, ...given),
    import: (...given: Given<typeof importEnvironment>) => importEnvironment(context, ...given),
  },
  eventTypes: {
    list: (...given: Given<typeof listEventTypes>) => listEventTypes(context, ...given),
    create: (...given: Given<typeof createEventType>) => createEventType(context, ...given),
    get: (...given: Given<typeof getEventType>) => getEventType(context, ...given),
    undeclared: (...given: Given<typeof listUndeclared>) => listUndeclared(context, ...given),
    import: (...given: Given<typeof importEventTypes>) => importEventTypes(context, ...given),
    replace: (...given: Given<typeof replaceEventType>) => replaceEventType(context, ...given),
    patch: (...given: Given<typeof patchEventType>) => patchEventType(context, ...given),
    delete: (...given: Given<typeof deleteEventType>) => deleteEventType(context, ...given),
  },
  endpoints: {
    list: (...given: Given<typeof listEndpoints>) => listEndpoints(context, ...given),
    create: (...given: Given<typeof createEndpoint>) => createEndpoint(context, ...given),
    get: (...given: Given<typeof getEndpoint>) => getEndpoint(context, ...given),
    replace: (...given: Given<typeof replaceEndpoint>) => replaceEndpoint(context, ...given),
    patch: (...given: Given<typeof patchEndpoint>) => patchEndpoint(context, ...given),
    delete: (...given: Given<typeof deleteEndpoint>) => deleteEndpoint(context, ...given),
    pause: (...given: Given<typeof pauseEndpoint>) => pauseEndpoint(context, ...given),
    resolved: (...given: Given<typeof resolvedControl>) => resolvedControl(context, ...given),
    tryFilter: (...given: Given<typeof tryFilter>) => tryFilter(context, ...given),
    example: (...given: Given<typeof exampleFor>) => exampleFor(context, ...given),
    stats: (...given: Given<typeof endpointStats>) => endpointStats(context, ...given),
    secret: (...given: Given<typeof getEndpointSecret>) => getEndpointSecret(context, ...given),
    rotateSecret: (...given: Given<typeof rotateEndpointSecret>) => rotateEndpointSecret(context, ...given),
    headers: (...given: Given<typeof getEndpointHeaders>) => getEndpointHeaders(context, ...given),
    replaceHeaders: (...given: Given<typeof replaceEndpointHeaders>) => replaceEndpointHeaders(context, ...given),
    patchHeaders: (...given: Given<typeof patchEndpointHeaders>) => patchEndpointHeaders(context, ...given),
  },
  /** Where operational webhooks go: endpoints of the environment's own application. */
  operational: {
    list: (...given: Given<typeof listOperational>) => listOperational(context, ...given),
    create: (...given: Given<typeof createOperational>) => createOperational(context, ...given),
    replace: (...given: Given<typeof replaceOperational>) => replaceOperational(context, ...given),
    get: (environmentId: EnvironmentId, idOrUid: string) =>
      getEndpoint(context, environmentId, theOperational, idOrUid),
    delete: (environmentId: EnvironmentId, idOrUid: string, expect?: Expectation) =>
      deleteEndpoint(context, environmentId, theOperational, idOrUid, expect),
    secret: (environmentId: EnvironmentId, idOrUid: string) =>
      getEndpointSecret(context, environmentId, theOperational, idOrUid),
    rotateSecret: (environmentId: EnvironmentId, idOrUid: string, next: string | null, graceMs: Millis) =>
      rotateEndpointSecret(context, environmentId, theOperational, idOrUid, next, graceMs),
    headers: (environmentId: EnvironmentId, idOrUid: string) =>
      getEndpointHeaders(context, environmentId, theOperational, idOrUid),
    replaceHeaders: (
      environmentId: EnvironmentId,
      idOrUid: string,
      headers: Readonly<Record<string, string>>,
      expect?: Expectation,
    ) => replaceEndpointHeaders(context, environmentId, theOperational, idOrUid, headers, expect),
  },
  messages: {
    list: (...given: Given<typeof listMessages>) => listMessages(context, ...given),
    precheck: (...given: Given<typeof precheckMessage>) => precheckMessage(context, ...given),
    get: (...given: Given<typeof getMessage>) => getMessage(context, ...given),
    explain: (...given: Given<typeof explainMessage>) => explainMessage(context, ...given),
    cancel: (...given: Given<typeof cancelMessage>) => cancelMessage(context, ...given),
    expunge: (...given: Given<typeof expungeMessage>) => expungeMessage(context, ...given),
    expungeMany: (...given: Given<typeof expungeMany>) => expungeMany(context, ...given),
  },
  received: {
    list: (...given: Given<typeof listReceived>) => listReceived(context, ...given),
    get: (...given: Given<typeof getReceived>) => getReceived(context, ...given),
  },
  quarantine: {
    list: (...given: Given<typeof listQuarantined>) => listQuarantined(context, ...given),
    get: (...given: Given<typeof getQuarantined>) => getQuarantined(context, ...given),
    delete: (...given: Given<typeof deleteQuarantined>) => deleteQuarantined(context, ...given),
  },
  attempts: {
    get: (...given: Given<typeof getAttempt>) => getAttempt(context, ...given),
    listByEndpoint: (...given: Given<typeof listAttemptsByEndpoint>) => listAttemptsByEndpoint(context, ...given),
    listByMessage: (...given: Given<typeof listAttemptsByMessage>) => listAttemptsByMessage(context, ...given),
    attemptedMessages: (...given: Given<typeof listAttemptedMessages>) => listAttemptedMessages(context, ...given),
    attemptedDestinations: (...given: Given<typeof listAttemptedDestinations>) =>
      listAttemptedDestinations(context, ...given),
    expunge: (...given: Given<typeof expungeAttempt>) => expungeAttempt(context, ...given),
    resend: (...given: Given<typeof resend>) => resend(context, ...given),
  },
  tasks: {
    replay: (...given: Given<typeof beginReplay>) => beginReplay(context, ...given),
    expunge: (...given: Given<typeof beginExpunge>) => beginExpunge(context, ...given),
    eventTypeUsage: (...given: Given<typeof beginEventTypeUsage>) => beginEventTypeUsage(context, ...given),
    applicationUsage: (...given: Given<typeof beginApplicationUsage>) => beginApplicationUsage(context, ...given),
    get: (...given: Given<typeof getTaskResults>) => getTaskResults(context, ...given),
    list: (...given: Given<typeof listTasks>) => listTasks(context, ...given),
    cancel: (...given: Given<typeof cancelTask>) => cancelTask(context, ...given),
  },
  sources: {
    list: (...given: Given<typeof listSources>) => listSources(context, ...given),
    create: (...given: Given<typeof createSource>) => createSource(context, ...given),
    get: (...given: Given<typeof getSource>) => getSource(context, ...given),
    replace: (...given: Given<typeof replaceSource>) => replaceSource(context, ...given),
    patch: (...given: Given<typeof patchSource>) => patchSource(context, ...given),
    delete: (...given: Given<typeof deleteSource>) => deleteSource(context, ...given),
    preset: (...given: Given<typeof presetOf>) => presetOf(context, ...given),
    standing: (...given: Given<typeof standingOf>) => standingOf(context, ...given),
    record: (...given: Given<typeof recordOf>) => recordOf(context, ...given),
    token: (...given: Given<typeof tokenOf>) => tokenOf(context, ...given),
    rotateToken: (...given: Given<typeof rotateToken>) => rotateToken(context, ...given),
    rotateSecret: (...given: Given<typeof rotateSourceSecret>) => rotateSourceSecret(context, ...given),
    capture: (...given: Given<typeof captureSecret>) => captureSecret(context, ...given),
    captured: (...given: Given<typeof capturedSecrets>) => capturedSecrets(context, ...given),
  },
  presets: {
    list: (...given: Given<typeof listPresets>) => listPresets(context, ...given),
    get: (...given: Given<typeof getPreset>) => getPreset(context, ...given),
  },
  answers: {
    begin: (...given: Given<typeof beginAnswer>) => beginAnswer(context, ...given),
    abandon: (...given: Given<typeof abandonAnswer>) => abandonAnswer(context, ...given),
    keep: (...given: Given<typeof keepAnswer>) => keepAnswer(context, ...given),
  },
  keys: {
    create: (...given: Given<typeof createKey>) => createKey(context, ...given),
    createFirst: (...given: Given<typeof createFirstKey>) => createFirstKey(context, ...given),
    adopt: (...given: Given<typeof adoptKey>) => adoptKey(context, ...given),
    list: (...given: Given<typeof listKeys>) => listKeys(context, ...given),
    revoke: (...given: Given<typeof revokeKey>) => revokeKey(context, ...given),
  },
  portalTokens: {
    create: (...given: Given<typeof createPortalToken>) => createPortalToken(context, ...given),
    end: (...given: Given<typeof endPortalToken>) => endPortalToken(context, ...given),
    endAll: (...given: Given<typeof endPortalTokens>) => endPortalTokens(context, ...given),
  },
})
