/** One real event: what GitHub sent for it. */
export interface RealEvent {
  readonly eventType: string
  /** JSON, as it is published. */
  readonly body: string
}

interface Example {
  readonly name: string
  readonly examples: readonly { readonly action?: string }[]
}

/** The webhook bodies that the npm package `@octokit/webhooks-examples` collects from GitHub: a few hundred, up to 27 kB. */
export async function realEvents(): Promise<readonly RealEvent[]> {
  const loaded: unknown = await import('@octokit/webhooks-examples', { with: { type: 'json' } }).catch(() => null)
  if (loaded === null) {
    throw new Error(
      "the demo needs GitHub's example events: run it in a clone, or `npm install @octokit/webhooks-examples`",
    )
  }
  const { default: kinds } = loaded as { default: readonly Example[] }
  return kinds.flatMap(({ name, examples }) =>
    examples.map((example) => ({
      eventType: ['github', name, example.action].filter((part) => typeof part === 'string').join('.'),
      body: JSON.stringify(example),
    })),
  )
}
