// API: everything that speaks to callers. It turns requests into calls of manage/ and engine/, and what comes back into
// answers; it decides nothing about messages, and knows no store beyond asking it for keys and for its health.

import { createServer, type IncomingMessage, type RequestListener } from 'node:http'
import fastify, { type FastifyInstance } from 'fastify'
import type { Logger } from 'pino'
import type { Publish, PublishAll } from '../engine/accept.ts'
import type { Fleet } from '../engine/fleet.ts'
import type { Detect } from '../inbound/detect/detect.ts'
import type { Reverify } from '../inbound/quarantine/reverify.ts'
import type { TriggerSource } from '../inbound/trigger/source-trigger.ts'
import type { Manage } from '../manage/manage.ts'
import type { Store } from '../ports/store.ts'
import type { World } from '../ports/world.ts'
import { AllowedMethods } from './allowed.ts'
import { Arriving } from './arriving.ts'
import { Authenticator } from './auth.ts'
import { allowOrigins, type CrossOrigins } from './cross-origin.ts'
import { isForDoor } from './door.ts'
import { demandKeepableNames } from './input.ts'
import { portalPage } from './portal-page.ts'
import { intoApplication } from './portal-wall.ts'
import { demand, type Principal } from './principal.ts'
import { answerUnexpected, makeProblemHandler } from './problem.ts'
import { readBody } from './read-body.ts'
import { referenceRoutes } from './reference.ts'
import { RepeatableAnswers, RunningAsks } from './repeatable.ts'
import { demandPlainBody, faultOfRequest } from './request-line.ts'
import { RequestRate } from './request-rate.ts'
import { applicationRoutes } from './rest/application.ts'
import { attemptRoutes } from './rest/attempt.ts'
import { authenticationRoutes } from './rest/authentication.ts'
import { backgroundTaskRoutes } from './rest/background-task.ts'
import { detectRoute } from './rest/detect.ts'
import { endpointRoutes } from './rest/endpoint.ts'
import { endpointExampleRoute } from './rest/endpoint-example.ts'
import { endpointFilterRoute } from './rest/endpoint-filter.ts'
import { environmentRoutes } from './rest/environment.ts'
import { eventTypeRoutes } from './rest/event-type.ts'
import { eventTypeImportRoute } from './rest/event-type-import.ts'
import { healthRoute } from './rest/health.ts'
import { messageRoutes } from './rest/message.ts'
import { messageBatchRoute } from './rest/message-batch.ts'
import { messageCreateRoute } from './rest/message-create.ts'
import { nodeRoutes } from './rest/node.ts'
import { notBuiltRoutes } from './rest/not-built.ts'
import { operationalWebhookRoutes } from './rest/operational-webhook.ts'
import { presetRoutes } from './rest/preset.ts'
import { quarantineRoutes } from './rest/quarantine.ts'
import { receivedRoutes } from './rest/received.ts'
import { sourceRoutes } from './rest/source.ts'
import { sourceEndpointRoutes } from './rest/source-endpoint.ts'
import { sourceTriggerRoute } from './rest/source-trigger.ts'
import { refuseUnreadable } from './unreadable.ts'
import { makeReadYaml } from './yaml.ts'

export interface ApiDeps {
  readonly store: Pick<Store, 'keys' | 'portalTokens' | 'ping'>
  readonly world: World
  readonly manage: Manage
  readonly publish: Publish
  readonly publishAll: PublishAll
  readonly reverify: Reverify
  readonly trigger: TriggerSource
  readonly detect: Detect
  /** Answers what is for the public door. */
  readonly door: RequestListener
  readonly metrics: { render(): Promise<string>; readonly contentType: string }
  readonly log: Pick<Logger, 'error'>
  /** Without a slash at its end. */
  readonly publicUrl: string
  readonly maxBodyBytes: number
  /** Requests a second of one key or portal token; null: as many as come. */
  readonly requestsPerSecond: number | null
  /** Whose web pages may call the API. */
  readonly crossOrigins: CrossOrigins
  readonly version: string
  /** Whether a stop has begun: what comes is still served, but load balancers are told to send elsewhere. */
  draining(): boolean
  readonly fleet: Pick<Fleet, 'id' | 'nodes'>
}

// The longest name in a path is a uid of 256 characters; percent-encoded it may take three times as many.
const longestParameter = 1024
// A request that has not arrived in full by then is not going to (slow senders hold a socket and a buffer each).
const requestTimeoutMs = 60_000
// Of what callers are sending at one moment, all together.
const mostBytesReading = 128 * 1024 * 1024
// As the framework's own server.
const keepAliveMs = 72_000

/** The listener with every route, not listening yet. */
export function createApi(deps: ApiDeps): FastifyInstance {
  const { log, publicUrl, world } = deps
  const token = (bytes: number): string => Buffer.from(world.randomBytes(bytes)).toString('base64url')
  const newRequestId = requestIds(token(6))
  const answerProblem = makeProblemHandler({ log, publicUrl, newIncident: () => `inc_${token(12)}` })

  const app = fastify({
    logger: false,
    serverFactory: (framework) => {
      const listener: RequestListener = (request, response) => {
        if (!isForDoor(request.url)) return framework(request, response)
        // As the framework does: while stopping, what still arrives on open connections is served, and told to close.
        if (!server.listening) response.shouldKeepAlive = false
        deps.door(request, response)
      }
      // A missing host is asked for below, where it is answered with a problem.
      const server = createServer(
        { requireHostHeader: false, requestTimeout: requestTimeoutMs, keepAliveTimeout: keepAliveMs },
        listener,
      )
      return server
    },
    // While stopping, what still arrives on open connections is served, and told to close.
    return503OnClosing: false,
    genReqId: (request) => givenRequestId(request) ?? newRequestId(),
    routerOptions: { maxParamLength: longestParameter, ignoreTrailingSlash: true },
    frameworkErrors: (error, request, reply) => {
      reply.header('x-request-id', request.id)
      answerProblem(error, request, reply)
    },
    clientErrorHandler: (error, socket) => refuseUnreadable(error, socket, publicUrl, newRequestId()),
  })
  app.decorateRequest('principal', null)
  app.decorate('shown', new Map())
  app.decorate('repeatable', new RepeatableAnswers(deps.manage.answers, log))
  app.setErrorHandler(answerProblem)
  app.setNotFoundHandler(new AllowedMethods(app).answerUnrouted)
  app.server.on('checkExpectation', (_, response) => answerUnexpected(response, publicUrl, newRequestId()))
  app.addHook('onRequest', (request, reply, done) => {
    reply.header('x-request-id', request.id)
    const fault = faultOfRequest(request.raw)
    if (!fault) return done()
    // What is behind it on the connection may not be what it looks like.
    reply.header('connection', 'close')
    done(fault)
  })
  if (deps.crossOrigins.length > 0) allowOrigins(app, deps.crossOrigins)
  // Bodies stay bytes: the publish call cuts the payload out of them, and what is not UTF-8 is refused, not mended. Read here and
  // not by the framework, which holds as much as all callers together send: 800 who stopped before the end took 800 MB (2026-11).
  const arriving = new Arriving(world, mostBytesReading)
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('application/json', (request, _, done) =>
    readBody(request.raw, arriving, deps.maxBodyBytes, done),
  )

  const keys = new Authenticator(deps.store, world)
  referenceRoutes(app, { ...deps, keys })
  portalPage(app)
  app.get('/metrics', async (_, reply) =>
    reply.header('content-type', deps.metrics.contentType).send(await deps.metrics.render()),
  )
  // Whether the process turns at all, and nothing else: who restarts it because its store is away makes nothing better.
  app.get('/livez', async (_, reply) => reply.code(204).send())
  app.register(async (api) => {
    const rate = deps.requestsPerSecond === null ? null : new RequestRate(deps.requestsPerSecond, world)
    requireKey(api, keys, deps.manage, rate)
    healthRoute(api, deps.store, deps.draining)
    authenticationRoutes(api, deps.manage, publicUrl)
    applicationRoutes(api, deps.manage)
    environmentRoutes(api, deps.manage)
    eventTypeRoutes(api, deps.manage)
    eventTypeImportRoute(api, deps.manage, makeReadYaml(world))
    endpointRoutes(api, deps.manage)
    endpointExampleRoute(api, deps.publish, deps.manage)
    endpointFilterRoute(api, deps.manage)
    messageCreateRoute(api, deps.publish, deps.manage, new RunningAsks())
    messageBatchRoute(api, deps.publishAll, publicUrl)
    messageRoutes(api, deps.manage)
    attemptRoutes(api, deps.manage)
    notBuiltRoutes(api)
    backgroundTaskRoutes(api, deps.manage)
    operationalWebhookRoutes(api, deps.manage)
    receivedRoutes(api, deps.manage)
    quarantineRoutes(api, deps.manage, deps.reverify)
    sourceRoutes(api, deps.manage, publicUrl)
    sourceEndpointRoutes(api, deps.manage)
    presetRoutes(api, deps.manage)
    sourceTriggerRoute(api, deps.manage, deps.trigger)
    detectRoute(api, deps.detect)
    nodeRoutes(api, deps.fleet)
  })
  return app
}

/** Nothing of a request is read before its key is known to allow it. */
function requireKey(api: FastifyInstance, keys: Authenticator, manage: Manage, rate: RequestRate | null): void {
  api.addHook('onRequest', (request, reply, done) => {
    const { admission } = request.routeOptions.config
    if (admission === null) return done()
    if (admission === undefined) return done(new Error(`${request.url} does not say what it needs of its caller`))
    const admit = (principal: Principal): void => {
      rate?.count(principal.callerId, reply)
      demand(principal, admission)
      if (request.url.includes('%00')) demandKeepableNames(request.params)
      request.principal = principal
      demandPlainBody(request.headers)
    }
    const known = keys.known(request.headers.authorization)
    if (known === undefined) {
      keys
        .read(request.headers.authorization)
        .then((principal) => {
          admit(principal)
          return principal.kind === 'portal' ? intoApplication(manage, principal, request) : undefined
        })
        .then(() => done(), done)
      return
    }
    try {
      admit(known)
    } catch (error) {
      return done(error instanceof Error ? error : new Error(String(error)))
    }
    if (known.kind === 'key') return done()
    intoApplication(manage, known, request).then(() => done(), done)
  })
}

function givenRequestId(request: { readonly headers: IncomingMessage['headers'] }): string | null {
  const given = request.headers['x-request-id']
  return typeof given === 'string' && /^[\w.:-]{1,64}$/.test(given) ? given : null
}

/** Cheap ids: a random word for this process, then a count. */
function requestIds(word: string): () => string {
  let count = 0
  return () => `req_${word}_${(++count).toString(36)}`
}
