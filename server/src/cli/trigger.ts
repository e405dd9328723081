import { parseArgs } from 'node:util'
import { presetBook } from '../inbound/presets.ts'
import { recordedRequests } from '../inbound/recorded.ts'
import { viewOf } from '../inbound/trigger/sign.ts'
import {
  findTriggerable,
  trigger as make,
  type TriggerKind,
  triggerable,
  triggerName,
} from '../inbound/trigger/trigger.ts'
import { settingValues } from '../inbound/verify/verifier.ts'
import { realWorld } from '../world.ts'
import { type Command, exitCodes, type Io, UsageError } from './command.ts'
import { readInput } from './input.ts'
import { presetNamed } from './presets.ts'
import { askSource } from './trigger/ask.ts'
import { type Answer, curlOf, type ReadyRequest, send } from './trigger/send.ts'

const options = {
  source: { type: 'string' },
  server: { type: 'string' },
  key: { type: 'string' },
  url: { type: 'string' },
  secret: { type: 'string' },
  'secret-file': { type: 'string' },
  'private-key': { type: 'string' },
  set: { type: 'string', multiple: true },
  forge: { type: 'boolean' },
  stale: { type: 'boolean' },
  duplicate: { type: 'boolean' },
  print: { type: 'string' },
} as const

export const trigger: Command = {
  summary: 'sends a request as a provider would: signed, with an id and a time of its own',
  usage: `Usage: posthorn trigger PROVIDER EVENT --source SOURCE [options]
       posthorn trigger PROVIDER EVENT --url URL --secret SECRET [options]
       posthorn trigger PROVIDER

With --source, the server makes the request with the secret of that source, which it tells nobody, and it is sent to the
source. With --url, it is made here and sent to any handler. Without EVENT, the events that are recorded are listed.

Options:
  --source SOURCE       id or uid of a source; with --url as well, what it signs goes there instead
  --server URL          where Posthorn is (default: POSTHORN_PUBLIC_URL, or http://127.0.0.1:8071)
  --key KEY             an API key with scope manage (default: POSTHORN_API_KEY)
  --url URL             where it is sent; for providers that sign their URL, that which they know
  --secret SECRET       the secret that the handler has; --secret-file FILE reads it from a file
  --private-key FILE    PEM; where the provider signs with a key pair, one of your own
  --set NAME=VALUE      a setting of the preset, with --url; may be given several times
  --forge               a signature that is wrong: 4xx is right
  --stale               a time that is too old: 4xx is right
  --duplicate           the very same request twice: both must be answered alike
  --print curl          print a curl line instead of sending it

Examples:
  posthorn trigger stripe
  posthorn trigger stripe payment_intent.succeeded --source stripe --key $KEY
  posthorn trigger github push --url http://localhost:3000/hooks --secret topsecret
  posthorn trigger slack message --source slack --key $KEY --forge

Exit codes: 0 answered as it should be (2xx, or 4xx for --forge and --stale), 1 not, 2 typed wrongly.`,
  async run(args, io) {
    const { values, positionals } = parseArgs({ args: [...args], allowPositionals: true, options })
    const [provider, event, ...more] = positionals
    if (provider === undefined || more.length > 0) throw new UsageError('name a provider and one of its events')
    const preset = presetNamed(provider)
    if (event === undefined) {
      io.stdout.write(`${triggerable(recordedRequests(preset.name)).map(triggerName).join('\n')}\n`)
      return exitCodes.done
    }
    if (values.forge && values.stale) throw new UsageError('--forge and --stale exclude each other')
    const kind: TriggerKind = values.forge ? 'forged' : values.stale ? 'stale' : 'valid'
    if (values.print !== undefined && values.print !== 'curl') throw new UsageError('--print knows curl')
    if (values.url !== undefined && !/^https?:$/.test(URL.parse(values.url)?.protocol ?? '')) {
      throw new UsageError('--url must be an http or https URL')
    }
    const privateKey =
      values['private-key'] === undefined ? null : (await readInput(values['private-key'], io)).toString('utf8')
    const wish = { provider: preset.name, event, kind, privateKey }
    const request =
      values.source === undefined
        ? await madeHere(wish, values, io)
        : await askSource({ ...wish, source: values.source, ...whereOf(values, io) })
    const ready = values.url === undefined ? request : { ...request, url: elsewhere(request.url, values.url) }
    if (values.print !== undefined) {
      io.stdout.write(`${curlOf(ready)}\n`)
      return exitCodes.done
    }
    return deliver(ready, kind, { twice: values.duplicate === true, ofSource: values.source !== undefined }, io)
  },
}

/** What the provider adds to the query goes along. */
const elsewhere = (url: string, to: string): string =>
  to.includes('?') || !url.includes('?') ? to : to + url.slice(url.indexOf('?'))

interface Wish {
  readonly provider: string
  readonly event: string
  readonly kind: TriggerKind
  readonly privateKey: string | null
}

type Words = ReturnType<typeof parseArgs<{ options: typeof options }>>['values']

function whereOf(values: Words, { env }: Io): { readonly server: string; readonly key: string } {
  const key = values.key ?? env.POSTHORN_API_KEY
  if (key === undefined || key === '') throw new UsageError('needs an API key: --key KEY, or POSTHORN_API_KEY')
  const server = values.server ?? (env.POSTHORN_PUBLIC_URL || 'http://127.0.0.1:8071')
  if (!/^https?:$/.test(URL.parse(server)?.protocol ?? ''))
    throw new UsageError('--server must be an http or https URL')
  return { key, server: server.replace(/\/+$/, '') }
}

async function madeHere({ provider, event, kind, privateKey }: Wish, values: Words, io: Io): Promise<ReadyRequest> {
  if (values.url === undefined) throw new UsageError('say where to: --source SOURCE, or --url URL')
  const preset = presetBook.get(provider)
  const requests = recordedRequests(provider)
  const recorded = findTriggerable(requests, event)
  if (preset === null || recorded === null) {
    throw new UsageError(
      `${provider} has no recorded event ${JSON.stringify(event)}, but: ${triggerable(requests).map(triggerName).join(', ')}`,
    )
  }
  const secrets = [
    ...(values.secret === undefined ? [] : [values.secret]),
    ...(values['secret-file'] === undefined
      ? []
      : [(await readInput(values['secret-file'], io)).toString('utf8').trim()]),
  ]
  const signed = make({
    ...{ preset, recorded, kind, publicUrl: values.url, now: realWorld.now(), randomBytes: realWorld.randomBytes },
    ...{ schemes: null, tolerance: null, settings: settingValues(preset, settingsSaid(values.set ?? [])) },
    keys: { secrets: secrets.map((value) => ({ name: null, value })), privateKey },
  })
  if (signed.kind === 'not-signable') {
    const hint =
      secrets.length + (privateKey === null ? 0 : 1) > 0 ? '' : ' Give what it signs with: --secret, or --private-key.'
    throw new UsageError(signed.because + hint)
  }
  const { method, headers, body } = signed.request
  return { method, url: viewOf(signed.request).url(), headers, body: Buffer.from(body) }
}

function settingsSaid(given: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    given.map((text) => {
      const [, name, value] = /^([^=]+)=(.*)$/s.exec(text) ?? []
      if (name === undefined || value === undefined) throw new UsageError('--set takes NAME=VALUE')
      return [name, value]
    }),
  )
}

interface Manner {
  readonly twice: boolean
  /** Usually it goes there too, and is kept there where it is refused. */
  readonly ofSource: boolean
}

async function deliver(request: ReadyRequest, kind: TriggerKind, { twice, ofSource }: Manner, io: Io): Promise<number> {
  const answers: Answer[] = []
  for (let time = 0; time < (twice ? 2 : 1); time++) {
    const answer = await send(request).catch((error: unknown) => {
      io.stderr.write(
        `posthorn trigger: ${request.url} did not answer: ${error instanceof Error ? error.message || String(error) : String(error)}\n`,
      )
      return null
    })
    if (answer === null) return exitCodes.checkFailed
    answers.push(answer)
    io.stdout.write(`${answer.status}${answer.body === '' ? '' : ` ${answer.body}`}\n`)
  }
  const fault = faultOf(answers, kind)
  const refused = kind === 'valid' && answers.some(({ status }) => status === 401 || status === 403)
  const where = ofSource && refused ? '; if the source refused it, its quarantine says why' : ''
  if (fault !== null) io.stderr.write(`posthorn trigger: ${fault}${where}\n`)
  return fault === null ? exitCodes.done : exitCodes.checkFailed
}

/** What is not as it should be; null: nothing. */
function faultOf(answers: readonly Answer[], kind: TriggerKind): string | null {
  const [first, second] = answers
  if (first === undefined) return 'nothing was sent'
  const taken = first.status >= 200 && first.status < 300
  if (kind === 'valid' && !taken) return `a right request was answered ${first.status}`
  if (kind !== 'valid' && taken) return `a ${kind} request was taken`
  if (kind !== 'valid' && first.status >= 500) return `a ${kind} request was answered ${first.status}, not refused`
  return second !== undefined && second.status !== first.status ? 'the same request was answered in another way' : null
}
