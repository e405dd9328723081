import type { Command } from './command.ts'
import { runGateway } from './gateway.ts'
import { createKeyIn } from './keys.ts'

export const dev: Command = {
  summary: 'runs the gateway for trying out',
  usage: `Usage: posthorn dev [settings as flags]

As posthorn serve, but: receivers on this machine are allowed, the log is for people, retries come within seconds, and it
prints a key and a curl line that works when pasted. The database is posthorn.db in this folder.

Examples:
  posthorn dev
  posthorn dev --listen 127.0.0.1:9000 --log pretty,debug`,
  run: (args, io) =>
    runGateway(
      args,
      io,
      { egressAllow: '127.0.0.0/8,::1', log: 'pretty,info', retrySchedule: '2s,10s,30s,2m,10m,1h,6h' },
      async ({ url, newKey, store }) => {
        // A key made earlier is stored only as a hash, so each start that was not given one makes its own.
        const key =
          io.env.POSTHORN_API_KEY || newKey || (await createKeyIn(store, 'default', 'posthorn dev', ['admin'])).text
        io.stdout.write(greeting(url, key))
      },
    ),
}

const greeting = (url: string, key: string): string => `
  Posthorn is listening on ${url}
  API key  ${key}
  API docs ${url}/docs

  Publish a first message (paste it into another terminal):

    curl ${url}/api/v1/app/first/msg -H 'authorization: Bearer ${key}' -H 'content-type: application/json' \\
      -d '{"application":{"name":"My first customer","uid":"first"},"eventType":"invoice.paid","payload":{"amount":1.0}}'

  It is stored and waits for nobody yet: give the customer an endpoint next (README, "A first delivery").

`
