import { formatDuration } from '../../domain/duration.ts'
import type { Preset, Ref } from '../../domain/preset.ts'
import type { RecordedRequest } from '../../inbound/recorded.ts'
import { triggerable, triggerName } from '../../inbound/trigger/trigger.ts'
import { answerInWords, challengeInWords, orOf, refInWords, schemeInWords } from './scheme-words.ts'

/** The page of a provider under `docs/providers/`: what to do there and here, what is checked, and how sure that is. */
export function providerPage(preset: Preset, requests: readonly RecordedRequest[]): string {
  const sections = [
    heading(preset),
    setUp(preset, requests),
    checked(preset),
    handshakes(preset),
    events(preset),
    answers(preset),
    list('Worth knowing', preset.notes ?? []),
    facts(preset, requests),
  ]
  return `${sections.filter((section) => section !== '').join('\n\n')}\n`
}

/** The index of those pages. */
export function providerIndex(presets: readonly Preset[]): string {
  const rows = presets.map((preset) => [
    `[${preset.title}](${preset.name}.md)`,
    `\`${preset.name}\``,
    ...[checkWords(preset), challengeNames(preset), preset.basis],
  ])
  return `# Providers

What a source can be of, by its \`type\`. [Receive](../receive.md) tells how; a provider that is not here is a
[custom source](../sources.md).

${table(['provider', '`type`', 'how it proves itself', 'handshakes answered', 'founded on'], rows)}

Founded on: \`read\`: the provider's page, SDK or source; \`third-party\`: what others say of it; \`general-knowledge\`: check
it before relying on it. These pages are printed from \`server/src/inbound/presets/\` by \`posthorn presets docs\`.
`
}

const cell = (text: string): string => text.replaceAll('|', '\\|')

/** How a provider proves who it is, in a few words. */
export function checkWords({ schemes }: Preset): string {
  if (schemes.length === 0) return 'nothing'
  return [...new Set(schemes.map(({ algorithm }) => short[algorithm]))].join(', ')
}

const short = {
  'hmac-sha1': 'HMAC-SHA1',
  'hmac-sha256': 'HMAC-SHA256',
  'hmac-sha512': 'HMAC-SHA512',
  'hash-sha1': 'SHA-1 with the secret',
  'hash-sha256': 'SHA-256 with the secret',
  ed25519: 'Ed25519',
  'ecdsa-p256-sha256': 'ECDSA',
  'rsa-sha1': 'RSA-SHA1',
  'rsa-sha256': 'RSA-SHA256',
  jwt: 'JWT',
  equality: 'shared secret',
  basic: 'HTTP Basic',
} as const

const challengeNames = ({ challenges = [] }: Preset): string => challenges.map(({ name }) => name).join(', ')

function heading({ title, docs }: Preset): string {
  return `# ${title}

The provider's own page: <${docs}>`
}

function setUp(preset: Preset, requests: readonly RecordedRequest[]): string {
  const { name, title, secret, settings = [], challenges = [] } = preset
  // Whoever made the source with another would be refused the handshake.
  const captured = challenges.some(({ capture }) => capture !== undefined)
  const config = Object.fromEntries([
    ...(secret === null || captured ? [] : [['secret', `your ${secret.label}`]]),
    ...settings.filter(({ required }) => required).map((setting) => [setting.name, setting.label]),
  ])
  const body = JSON.stringify({ name: title, uid: name, type: name, config }).replaceAll("'", "'\\''")
  const steps = [
    ...(secret === null
      ? []
      : [
          `The secret is the **${secret.label}**: ${sentence(secret.where)}${captured ? ' It comes with the handshake, so the source is made without one.' : ''}`,
        ]),
    `Make the source, and give its \`ingestUrl\` to ${title} as the address of the webhook (\`$INGEST\` and \`call\` are those of [receive](../receive.md)):`,
  ]
  return [
    '## Set it up',
    steps.map((step, index) => `${index + 1}. ${step}`).join('\n'),
    `   \`\`\`sh\n   call $INGEST/source -d '${body}'\n   \`\`\``,
    ...(settings.length === 0
      ? []
      : [`What \`config\` takes${secret === null ? '' : ' beside the secret'}:`, settingsTable(settings)]),
    ...tryLine(preset, requests, captured),
  ].join('\n\n')
}

const settingsTable = (settings: NonNullable<Preset['settings']>): string =>
  table(
    ['member', 'meaning', 'where it is found'],
    settings.map(({ name, required, label, where, default: usual }) => [
      `\`${name}\`${required ? ', required' : ''}`,
      usual === undefined ? label : `${label}; \`${usual}\` if left out`,
      where,
    ]),
  )

/** None where nothing can be sent that would pass: only the provider has the keys. */
function tryLine(
  { name, schemes }: Preset,
  requests: readonly RecordedRequest[],
  captured: boolean,
): readonly string[] {
  const [first] = triggerable(requests)
  if (first === undefined || (schemes.length > 0 && schemes.every(({ key }) => key.from !== 'secret'))) return []
  const event = /^[\w./-]+$/.test(triggerName(first)) ? triggerName(first) : `'${triggerName(first)}'`
  const signedByPair = schemes.length > 0 && schemes.every((scheme) => !hasSharedKey(scheme))
  const line = `npx posthorn trigger ${name} ${event} --source ${name} --key $KEY`
  return [
    signedByPair
      ? `Try it before the provider does, with a key pair of your own: the source has the public half, and \`${line} --private-key key.pem\` signs with the other.`
      : `${captured ? 'Try it when the secret has come' : 'Try it before the provider does'}: \`${line}\`.`,
  ]
}

const hasSharedKey = ({ key }: Preset['schemes'][number]): boolean =>
  key.from === 'secret' && ['utf8', 'hex', 'base64'].includes(key.encoding)

function checked({ title, schemes }: Preset): string {
  if (schemes.length === 0) {
    return `## What is checked

Nothing: ${title} does not sign. Every request is marked \`unverified\`; the URL is the only secret, so keep it one, and
say \`allowedAddresses\` where the provider publishes where it posts from.`
  }
  const several =
    schemes.length > 1
      ? '\n\nA request passes when one of these does; `schemes` of the source names those that count.'
      : ''
  return `## What is checked${several}

${schemes
  .map(
    (scheme) =>
      `**${scheme.name}**\n\n${schemeInWords(scheme)
        .map((line) => `- ${line}`)
        .join('\n')}`,
  )
  .join('\n\n')}`
}

function handshakes({ challenges = [] }: Preset): string {
  if (challenges.length === 0) return ''
  return `## Handshakes

Answered by the gateway, always, and forwarded only where the source says \`forwardChallenges\`.

${challenges.map((challenge) => `- **${challenge.name}**: ${lowered(challengeInWords(challenge))}`).join('\n')}`
}

function events({ id, type, orderingKey, retry }: Preset): string {
  const alternatives = (given: readonly (readonly Ref[])[]): string =>
    given.map((refs) => refs.map(refInWords).join(' with ')).join('; or else ')
  const otherwise = id.otherwise === 'body' ? 'method, query and body' : 'nothing: each request is a message'
  const same = id.alternatives.length === 0 ? otherwise : `${alternatives(id.alternatives)}; or else ${otherwise}`
  return `## What it tells

${table(
  ['', 'taken from'],
  [
    ['what makes two requests the same', same],
    ...(type === undefined || type.length === 0 ? [] : [['event type', alternatives(type)]]),
    ...(orderingKey === undefined || orderingKey.length === 0 ? [] : [['ordering key', alternatives(orderingKey)]]),
    ...(retry?.number === undefined ? [] : [['number of the retry', refInWords(retry.number)]]),
    ...(retry?.reason === undefined ? [] : [['reason of the retry', refInWords(retry.reason)]]),
  ],
)}`
}

// At least that long: people press buttons that say “send again”.
const daySeconds = 86_400

function answers({ title, id, ack, refusal, deadline, retryWindow, giveUpOn = [], ips }: Preset): string {
  return list('Answers and retries', [
    `What is stored is answered ${ack === undefined ? '200, without a body' : answerInWords(ack)}; what does not pass, ${refusal ?? 401}.`,
    ...(deadline === undefined ? [] : [`${title} waits ${formatDuration(deadline * 1_000)} for the answer.`]),
    retryWindow === 0
      ? `${title} does not repeat by itself.`
      : `It may repeat a request for ${formatDuration(retryWindow * 1_000)}.`,
    id.alternatives.length === 0 && id.otherwise === 'none'
      ? 'Nothing is taken for a duplicate: each request is a message.'
      : `A request that is the same as one before is a duplicate for ${formatDuration(Math.max(retryWindow, daySeconds) * 1_000)}.`,
    ...(giveUpOn.length === 0 ? [] : [`It gives up after ${orOf(giveUpOn.map(String))}.`]),
    ...(ips === undefined
      ? []
      : [
          `It posts from ${ips.ranges.length} networks (<${ips.published}>, as of ${ips.asOf}): \`"allowedAddresses":["provider"]\` lets in nobody else.`,
        ]),
  ])
}

const foundations = {
  read: "What this page says was read in the provider's own page, SDK or source",
  'third-party': 'What this page says comes from others than the provider. Check it before relying on it',
  'general-knowledge': 'What this page says is general knowledge. Check it before relying on it',
} as const

const origins = {
  published: 'published',
  derived: 'derived from published ones',
  made: 'made by the rule above',
} as const

function facts({ basis, source }: Preset, requests: readonly RecordedRequest[]): string {
  const counted = Object.entries(origins).flatMap(([origin, words]) => {
    const count = requests.filter((request) => request.origin === origin).length
    return count === 0 ? [] : [`${count} ${words}`]
  })
  return `## How well this is founded

${foundations[basis]}${source === undefined ? '' : `: ${source}`}.

${requests.length} recorded ${requests.length === 1 ? 'request is' : 'requests are'} checked with it by every test run: ${counted.join(', ')}.`
}

const list = (title: string, lines: readonly string[]): string =>
  lines.length === 0 ? '' : `## ${title}\n\n${lines.map((line) => `- ${line}`).join('\n')}`

/** Aligned, as the formatter of this repository wants it. */
function table(head: readonly string[], body: readonly (readonly string[])[]): string {
  const rows = [head, ...body].map((cells) => cells.map(cell))
  const widths = head.map((_, column) => Math.max(3, ...rows.map((cells) => (cells[column] ?? '').length)))
  const line = (cells: readonly string[], filler: string): string =>
    `| ${widths.map((width, column) => (cells[column] ?? '').padEnd(width, filler)).join(' | ')} |`
  const [first = [], ...others] = rows
  return [line(first, ' '), line([], '-'), ...others.map((cells) => line(cells, ' '))].join('\n')
}

const sentence = (text: string): string => (/[.!?]$/.test(text) ? text : `${text}.`)
const lowered = (text: string): string => text.charAt(0).toLowerCase() + text.slice(1)
