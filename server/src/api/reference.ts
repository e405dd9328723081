import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import { openapi, type ProblemKind, problems } from '@posthorn/contract'
import type { FastifyInstance } from 'fastify'
import { Problem } from '../domain/problem.ts'
import { type DocumentParts, openapiRoute } from './openapi.ts'
import { html, page, prose } from './page.ts'

/** What people read: a front page, the reference printed from the contract, and a page for each problem. */
export function referenceRoutes(app: FastifyInstance, parts: DocumentParts): void {
  const { publicUrl, version } = parts
  const document = JSON.parse(JSON.stringify(openapi({ publicUrl, version })))
  app.register(swagger, { mode: 'static', specification: { document } })
  app.register(swaggerUi, {
    routePrefix: '/docs',
    staticCSP: true,
    // A gateway on a private network is often reached without TLS.
    transformStaticCSP: (policy) => policy.replace('upgrade-insecure-requests;', ''),
    theme: { title: 'Posthorn: reference' },
  })
  openapiRoute(app, parts)
  app.get('/', (_, reply) => reply.header('link', services).type('text/html; charset=utf-8').send(frontPage(version)))
  app.get('/docs/problems', (_, reply) => reply.type('text/html; charset=utf-8').send(listPage))
  app.get<{ Params: { code: string } }>('/docs/problems/:code', (request, reply) => {
    const kind = byCode.get(request.params.code)
    if (!kind) throw new Problem('not-found', 'There is no problem of that code.')
    return reply.type('text/html; charset=utf-8').send(problemPage(request.params.code, kind))
  })
}

// RFC 8631
const services = '</openapi.json>; rel="service-desc"; type="application/json", </docs>; rel="service-doc"'

const byCode = new Map<string, ProblemKind>(Object.entries(problems))

const frontPage = (version: string): string =>
  page(
    'Posthorn',
    `<h1>Posthorn ${html(version)}</h1>
<p>A gateway that sends webhooks: signed, retried, logged, never lost.</p>
<ul>
<li><a href="/docs">Reference</a>, also as <a href="/openapi.json">OpenAPI 3.1</a></li>
<li><a href="/docs/problems">Problems</a> and what to do about them</li>
<li><a href="/api/v1/health">Health</a> (204 is well) and <a href="/metrics">metrics</a></li>
</ul>`,
  )

const problemPage = (code: string, { status, title, happened, remedy }: ProblemKind): string =>
  page(
    title,
    `<p><a href="/docs/problems">Problems</a></p>
<h1>${prose(title)}</h1>
<p><code>${html(code)}</code>, status ${status}</p>
<h2>What happened</h2>
<p>${prose(happened)}</p>
<h2>What to do</h2>
<p>${prose(remedy)}</p>`,
  )

const listPage = page(
  'Problems',
  `<h1>Problems</h1>
<ul>
${[...byCode]
  .map(
    ([code, { status, title }]) =>
      `<li>${status} <a href="/docs/problems/${html(code)}"><code>${html(code)}</code></a>: ${prose(title)}</li>`,
  )
  .join('\n')}
</ul>`,
)
