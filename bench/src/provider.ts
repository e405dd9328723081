import { createHmac, randomBytes, randomInt } from 'node:crypto'

/** What is a request's own; all else is the same in all requests of a provider. Of the same length in each. */
export interface Signed {
  readonly id: string
  readonly signature: string
}

/** A third party that posts to a source. */
export interface Provider {
  /** As in `type` of a source. */
  readonly type: 'stripe' | 'github'
  readonly secret: string
  /** A request with an id of its own. `at`: seconds since 1970 UTC. */
  sign(at: number): Signed
  /** `headers`: name, value, name, value …. `at`: as when it was signed. */
  request(one: Signed, at: number): { readonly headers: readonly string[]; readonly body: string }
  /** The id of a request when it is forwarded; undefined when it has none. */
  idOf(headers: Readonly<Record<string, string | string[] | undefined>>, body: string): string | undefined
}

export const bodyBytes = 2000

// Both providers make ids that begin with the time, so that those of a moment stand together in an index. Here, each is
// made a tenth of a millisecond after the one before, whenever it is sent.
const ticksPerS = 10_000
let tick = Math.floor(Date.now() / 1000) * ticksPerS
const nextTick = (): number => {
  tick += 1
  return tick
}

const digits = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

function base62(value: number, length: number): string {
  let [text, rest] = ['', Math.floor(value)]
  for (let left = length; left > 0; left -= 1) {
    text = `${digits[rest % 62]}${text}`
    rest = Math.floor(rest / 62)
  }
  return text
}

/** RFC 9562, version 1: the 60 bits of its time, counted in 100 ns, stand with the lowest first. */
function timeUuid(ticks: number): string {
  const since1582 = (BigInt(ticks) * 10_000_000n) / BigInt(ticksPerS) + 122_192_928_000_000_000n
  const time = since1582.toString(16).padStart(15, '0')
  return `${time.slice(7)}-${time.slice(3, 7)}-1${time.slice(0, 3)}-8b3a-9a5c1c0e8d3e`
}

const hmac = (secret: string, text: string): string => createHmac('sha256', secret).update(text).digest('hex')

/** Two texts that with `between` characters between them are `bodyBytes`: cut at `^`, with dots where `~` stands. */
function mould(text: string, between: number): readonly [head: string, tail: string] {
  const [head = '', tail = ''] = text.replace('~', '.'.repeat(bodyBytes - between - (text.length - 2))).split('^')
  return [head, tail]
}

// As Stripe prints it: indented, the id first, the type last. All but what stands where the id does is always the same.
const stripeIdChars = 28
const [stripeHead, stripeTail] = mould(
  JSON.stringify(
    {
      id: '^',
      object: 'event',
      api_version: '2026-01-28.clover',
      created: 1_795_000_000,
      data: {
        object: {
          id: 'pi_3SzK8qLkdIwHu7ix0V7bX9nC',
          object: 'payment_intent',
          amount: 4250,
          amount_capturable: 0,
          amount_details: { tip: {} },
          amount_received: 4250,
          application: null,
          application_fee_amount: null,
          automatic_payment_methods: { allow_redirects: 'always', enabled: true },
          canceled_at: null,
          cancellation_reason: null,
          capture_method: 'automatic_async',
          client_secret: 'pi_3SzK8qLkdIwHu7ix0V7bX9nC_secret_x1',
          confirmation_method: 'automatic',
          created: 1_794_999_990,
          currency: 'eur',
          customer: 'cus_TxQ4mB2hVn8sLk',
          description: '~',
          last_payment_error: null,
          latest_charge: 'ch_3SzK8qLkdIwHu7ix0d2fGh6J',
          livemode: false,
          metadata: { order_id: '1042', channel: 'web' },
          payment_method: 'pm_1SzK8pLkdIwHu7ixQmW3eR5t',
          payment_method_types: ['card', 'sepa_debit'],
          receipt_email: 'zoe@example.com',
          setup_future_usage: null,
          status: 'succeeded',
        },
      },
      livemode: false,
      pending_webhooks: 1,
      request: { id: 'req_Yb7cT1uP0sKe4d', idempotency_key: '5f0f5a52-6a4f-4d25-8f5c-6c1d3c0a9d11' },
      type: 'payment_intent.succeeded',
    },
    null,
    2,
  ),
  stripeIdChars,
)

const stripe: Provider = {
  type: 'stripe',
  secret: `whsec_${randomBytes(24).toString('base64url')}`,
  sign: (at) => {
    const id = `evt_1${base62(nextTick() / ticksPerS, 6)}LkdIwHu7ix${base62(randomInt(62 ** 7), 7)}`
    return { id, signature: hmac(stripe.secret, `${at}.${stripeHead}${id}${stripeTail}`) }
  },
  request: ({ id, signature }, at) => ({
    headers: [
      ...['User-Agent', 'Stripe/1.0 (+https://stripe.com/docs/webhooks)'],
      ...['Accept', '*/*; q=0.5, application/xml'],
      ...['Cache-Control', 'no-cache'],
      ...['Content-Type', 'application/json; charset=utf-8'],
      ...['Stripe-Signature', `t=${at},v1=${signature}`],
    ],
    body: `${stripeHead}${id}${stripeTail}`,
  }),
  idOf: (_, body) => /"id": "(evt_\w+)"/.exec(body)?.[1],
}

// As GitHub prints it: in one line. Nothing in it is a delivery's own.
const githubBody = mould(
  `${JSON.stringify({
    action: 'opened',
    issue: {
      url: 'https://api.github.com/repos/acme/teapots/issues/1347',
      html_url: 'https://github.com/acme/teapots/issues/1347',
      id: 2_806_512_301,
      node_id: 'I_kwDOKx7q5M6nR1Wt',
      number: 1347,
      title: 'The spout drips when the lid is on',
      user: { login: 'octo-ann', id: 583_231, type: 'User', site_admin: false },
      labels: [
        { id: 208_045_946, name: 'bug', color: 'f29513', default: true, description: "Something isn't working" },
      ],
      state: 'open',
      locked: false,
      assignee: null,
      assignees: [],
      milestone: null,
      comments: 0,
      created_at: '2026-11-21T08:00:00Z',
      updated_at: '2026-11-21T08:00:00Z',
      closed_at: null,
      author_association: 'CONTRIBUTOR',
      body: '~',
    },
    repository: {
      id: 724_101_348,
      node_id: 'R_kgDOKx7q5A',
      name: 'teapots',
      full_name: 'acme/teapots',
      private: true,
      owner: { login: 'acme', id: 9919, type: 'Organization', site_admin: false },
      html_url: 'https://github.com/acme/teapots',
      fork: false,
      default_branch: 'main',
      open_issues_count: 12,
    },
    organization: { login: 'acme', id: 9919, url: 'https://api.github.com/orgs/acme' },
    sender: { login: 'octo-ann', id: 583_231, type: 'User', site_admin: false },
  })}^`,
  0,
).join('')

const githubSecret = randomBytes(24).toString('base64url')
const githubSignature = hmac(githubSecret, githubBody)

const github: Provider = {
  type: 'github',
  secret: githubSecret,
  sign: () => ({ id: timeUuid(nextTick()), signature: githubSignature }),
  request: ({ id, signature }) => ({
    headers: [
      ...['Accept', '*/*'],
      ...['Content-Type', 'application/json'],
      ...['User-Agent', 'GitHub-Hookshot/044aadd'],
      ...['X-GitHub-Delivery', id],
      ...['X-GitHub-Event', 'issues'],
      ...['X-GitHub-Hook-ID', '292430182'],
      ...['X-GitHub-Hook-Installation-Target-ID', '724101348'],
      ...['X-GitHub-Hook-Installation-Target-Type', 'repository'],
      ...['X-Hub-Signature-256', `sha256=${signature}`],
    ],
    body: githubBody,
  }),
  idOf: (headers) => headers['x-github-delivery']?.toString(),
}

export const providers: readonly Provider[] = [stripe, github]
