import { type Capability, capabilities, type Operation, operations } from '@posthorn/contract'
import type { FastifyInstance } from 'fastify'
import { html, page, pageOnlyPolicy } from './page.ts'

const portalPath = '/portal'

/** Where the holder of a portal token goes. In the fragment, which browsers keep to themselves: no server, proxy or log on the way sees it. */
export const portalUrl = (publicUrl: string, token: string, applicationId: string): string =>
  `${publicUrl}${portalPath}#key=${token}&app=${applicationId}`

const all: readonly Operation[] = Object.values(operations)

const group = (capability: Capability): string => {
  const granted = all.filter(({ portal }) => portal === capability)
  if (granted.length === 0) return ''
  const items = granted.map(
    ({ method, path, summary }) => `<li>${html(summary)}: <code>${html(`${method} ${path}`)}</code></li>`,
  )
  return `<h3><code>${html(capability)}</code></h3>\n<ul>\n${items.join('\n')}\n</ul>`
}

// No script at all: the token in the fragment of the link never leaves the address bar.
const text = page(
  'Webhooks',
  `<h1>Webhooks</h1>
<p>There is no page here yet to look after your webhooks with. What it would do, the API does already.</p>
<p>The link you followed ends in <code>#key=…&amp;app=…</code>: a token, and the application it is for. Whoever has it can do
what it allows until it ends, so treat the link as a password. Send the token as a header:</p>
<p><code>Authorization: Bearer &lt;what stands after #key=&gt;</code></p>
<p>A link that has ended is answered 401; ask whoever gave it to you for a new one.</p>
<h2>What a token can do</h2>
<p>What it was given of these, in its own application only. <a href="/docs">The reference</a> says how.</p>
${capabilities.map(group).filter(Boolean).join('\n')}`,
)

/** Where portal links lead. */
export function portalPage(app: FastifyInstance): void {
  app.get(portalPath, (_, reply) =>
    reply
      .type('text/html; charset=utf-8')
      .headers({
        'content-security-policy': pageOnlyPolicy,
        'referrer-policy': 'no-referrer',
        'x-content-type-options': 'nosniff',
      })
      .send(text),
  )
}
