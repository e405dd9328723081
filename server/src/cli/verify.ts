import { parseArgs } from 'node:util'
import { formatDuration, parseDuration } from '../domain/duration.ts'
import { verify as judge, type SignedRequest, type Verdict } from '../domain/signature.ts'
import { realWorld } from '../world.ts'
import { type Command, exitCodes, UsageError } from './command.ts'
import { fileOf, readInput, secretsFrom } from './input.ts'

export const verify: Command = {
  summary: 'checks a signed request by Standard Webhooks, and says which check fails',
  usage: `Usage: posthorn verify --secret SECRET --headers HEADERS [options] FILE|-
       posthorn verify --secret SECRET --id ID --timestamp SECONDS --signature SIGNATURES [options] FILE|-

Checks the bytes of FILE (-: standard input) against the three webhook- headers they came with.

Options:
  --secret SECRET       whsec_…, whsk_… or the public key whpk_…; with several, one must fit
  --secret-file FILE    the same from a file, one a line: what is typed shows in the list of processes
  --headers HEADERS     a file of headers, "name: value" on each line; others than ours are passed over
  --id, --timestamp, --signature
                        the headers one by one; they win over the file
  --tolerance DURATION  how far the timestamp may be from now, either way; 5m if left out, "any" for old requests

Exits 0 if the request is valid, 1 if not, 2 if it could not be checked.

Examples:
  posthorn verify --secret whsec_… --headers headers.txt body.json
  posthorn verify --secret whpk_… --tolerance any --headers headers.txt - < body.json`,
  async run(args, io) {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        secret: { type: 'string', multiple: true },
        'secret-file': { type: 'string' },
        headers: { type: 'string' },
        id: { type: 'string' },
        timestamp: { type: 'string' },
        signature: { type: 'string' },
        tolerance: { type: 'string' },
      },
    })
    const file = fileOf(positionals)
    if ([file, values.headers, values['secret-file']].filter((name) => name === '-').length > 1) {
      throw new UsageError('standard input can be one of body, headers and secret')
    }
    const named = [values.headers, values.id, values.timestamp, values.signature]
    if (named.every((value) => value === undefined)) {
      throw new UsageError('needs the headers: --headers FILE, or --id, --timestamp and --signature')
    }
    const toleranceMs = values.tolerance === 'any' ? Number.POSITIVE_INFINITY : parseDuration(values.tolerance ?? '5m')
    if (toleranceMs === null) throw new UsageError('--tolerance must be a duration such as 5m, or "any"')

    const read =
      values.headers === undefined ? new Map<string, string>() : headersIn(await readInput(values.headers, io))
    const request: SignedRequest = {
      keys: await secretsFrom(values, ['whsec', 'whsk', 'whpk'], io),
      headers: {
        id: values.id ?? read.get('webhook-id'),
        timestamp: values.timestamp ?? read.get('webhook-timestamp'),
        signature: values.signature ?? read.get('webhook-signature'),
      },
      body: await readInput(file, io),
      nowSeconds: Math.floor(realWorld.now() / 1_000),
      toleranceSeconds: toleranceMs / 1_000,
    }
    const verdict = judge(request)
    io.stdout.write(`${verdict.kind === 'valid' ? 'valid' : 'invalid'}: ${told(verdict, request)}\n`)
    return verdict.kind === 'valid' ? exitCodes.done : exitCodes.checkFailed
  },
}

/** Names in lower case; a line that is no header, such as a status line, is passed over. */
function headersIn(bytes: Uint8Array): ReadonlyMap<string, string> {
  const found = new Map<string, string>()
  for (const line of Buffer.from(bytes).toString('utf8').split(/\r?\n/)) {
    const [, name, value] = /^([A-Za-z0-9-]+):[ \t]*(.*?)[ \t]*$/.exec(line) ?? []
    if (name !== undefined && value !== undefined) found.set(name.toLowerCase(), value)
  }
  return found
}

const inWords = (seconds: number): string => formatDuration(Math.ceil(seconds) * 1_000)

function told(verdict: Verdict, request: SignedRequest): string {
  switch (verdict.kind) {
    case 'valid':
      return `the ${verdict.version} signature is right${request.keys.length > 1 ? `, made with secret ${verdict.key + 1}` : ''}`
    case 'header-missing':
      return `the header ${verdict.header} is missing`
    case 'timestamp-malformed':
      return 'webhook-timestamp is not a whole number of seconds since 1970'
    case 'too-old':
      return `webhook-timestamp is ${inWords(verdict.bySeconds)} older than tolerated${besides(request)}`
    case 'too-new':
      return `webhook-timestamp is ${inWords(verdict.bySeconds)} further in the future than tolerated${besides(request)}`
    case 'no-known-version':
      return 'webhook-signature holds no signature of a version known here (v1,… or v1a,…)'
    case 'no-fitting-key':
      return verdict.versions.includes('v1')
        ? 'webhook-signature is v1, which needs the shared secret (whsec_…)'
        : 'webhook-signature is v1a, which needs the key pair (whsk_…) or its public key (whpk_…)'
    case 'signature-wrong':
      return `no signature fits this secret, id, timestamp and body${suspicion(request)}`
  }
}

/** The clock aside, is the rest right? */
function besides(request: SignedRequest): string {
  const verdict = judge({ ...request, toleranceSeconds: Number.POSITIVE_INFINITY })
  return verdict.kind === 'valid' ? '; all else is right' : `; besides, ${told(verdict, request)}`
}

/** What most often goes wrong with a right signature: an editor or a shell has touched the end of the body. */
function suspicion(request: SignedRequest): string {
  const holds = (body: Uint8Array): boolean => judge({ ...request, body }).kind === 'valid'
  const text = Buffer.from(request.body)
  for (const [ending, name] of [
    ['\r\n', 'a carriage return and line feed'],
    ['\n', 'a line feed'],
  ] as const) {
    const bytes = Buffer.from(ending)
    if (text.subarray(-bytes.length).equals(bytes) && holds(text.subarray(0, -bytes.length))) {
      return `: the body ends with ${name} that was not signed`
    }
    if (holds(Buffer.concat([text, bytes]))) return `: the body lacks ${name} at its end that was signed`
  }
  return ': check that the body is byte for byte what was sent, and the secret that of this endpoint'
}
