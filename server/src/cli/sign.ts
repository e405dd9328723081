import { isUtf8 } from 'node:buffer'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { makeIds } from '../domain/ids.ts'
import { makeSigner } from '../domain/signature.ts'
import { realWorld } from '../world.ts'
import { type Command, exitCodes, UsageError } from './command.ts'
import { fileOf, readInput, secretsFrom } from './input.ts'

export const sign: Command = {
  summary: 'signs a body as a delivery is signed, by Standard Webhooks',
  usage: `Usage: posthorn sign --secret SECRET [options] FILE|-

Prints the three headers that make the bytes of FILE (-: standard input) a signed webhook; posthorn verify reads them.

Options:
  --secret SECRET      whsec_… (v1, HMAC-SHA256) or whsk_… (v1a, Ed25519); several make several signatures
  --secret-file FILE   the same from a file, one a line: what is typed shows in the list of processes
  --id ID              the message id; made up if left out
  --timestamp SECONDS  seconds since 1970; now if left out
  --curl URL           print a curl command that sends it instead

Examples:
  posthorn sign --secret whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw body.json
  echo -n '{"test":1}' | posthorn sign --secret-file secret.txt --curl http://localhost:3000/hooks -`,
  async run(args, io) {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        secret: { type: 'string', multiple: true },
        'secret-file': { type: 'string' },
        id: { type: 'string' },
        timestamp: { type: 'string' },
        curl: { type: 'string' },
      },
    })
    const file = fileOf(positionals)
    if (file === '-' && values['secret-file'] === '-')
      throw new UsageError('standard input can be the body or the secret, not both')
    const id = values.id ?? makeIds(realWorld.now, realWorld.randomBytes)('message')
    // A dot would make two messages out of one signed text; Standard Webhooks 1.0.0, "Signature scheme".
    if (!/^[\x21-\x2d\x2f-\x7e]+$/.test(id)) throw new UsageError('--id must be visible ASCII without dots or spaces')
    const timestamp = values.timestamp ?? String(Math.floor(realWorld.now() / 1_000))
    if (!/^(0|[1-9]\d{0,14})$/.test(timestamp))
      throw new UsageError('--timestamp must be whole seconds since 1970, such as 1614265330')
    if (values.curl !== undefined && !/^https?:$/.test(URL.parse(values.curl)?.protocol ?? '')) {
      throw new UsageError('--curl must be an http or https URL')
    }

    const signer = makeSigner(await secretsFrom(values, ['whsec', 'whsk'], io))
    const body = await readInput(file, io)
    const headers = [
      `webhook-id: ${id}`,
      `webhook-timestamp: ${timestamp}`,
      `webhook-signature: ${signer.sign(id, Number(timestamp), body)}`,
    ]
    const text = values.curl === undefined ? headers.join('\n') : curlLine(values.curl, headers, file, body)
    io.stdout.write(`${text}\n`)
    return exitCodes.done
  },
}

const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`

function curlLine(url: string, headers: readonly string[], file: string, body: Buffer): string {
  if (file === '-' && (!isUtf8(body) || body.includes(0) || body.length > 64 * 1024)) {
    throw new UsageError(
      'a body that is not plain text, or is beyond 64 KiB, does not fit on a curl line: put it in a file',
    )
  }
  // --data-raw, unlike --data, leaves an @ at the start alone.
  const data =
    file === '-' ? `--data-raw ${quoted(body.toString('utf8'))}` : `--data-binary ${quoted(`@${resolve(file)}`)}`
  const given = ['content-type: application/json', ...headers].map((header) => `-H ${quoted(header)}`)
  return ['curl -i', ...given, data, quoted(url)].join(' ')
}
