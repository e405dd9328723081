import type { Command } from './command.ts'
import { runGateway } from './gateway.ts'

export const serve: Command = {
  summary: 'runs the gateway',
  usage: `Usage: posthorn serve [settings as flags]

Listens until SIGTERM or Ctrl-C, then finishes what is in flight and stops. Every setting is a variable or a flag:
posthorn config shows them all.

At the first start it makes the database, a key file beside it (back it up), and, unless POSTHORN_API_KEY is set, an
admin key, which it prints once.

Examples:
  posthorn serve
  POSTHORN_LISTEN=0.0.0.0:8071 POSTHORN_DATABASE=sqlite:/var/lib/posthorn/posthorn.db posthorn serve
  posthorn serve --log pretty --egress-allow 10.0.0.0/8

Exit codes: 0 stopped when told to, 1 could not start, 2 a setting cannot be used.`,
  run: (args, io) =>
    runGateway(args, io, {}, ({ newKey }) => {
      // To people, not to the log: logs are shipped and kept.
      if (newKey !== null) io.stderr.write(`API key of environment "default" (shown only now): ${newKey}\n`)
    }),
}
