import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Gateway } from '../gateway.ts'
import { type Hardship, scaled, withoutMounts } from '../hardship.ts'

// An address of this machine that nobody else's name server has.
const silentServer = '127.83.47.53'

const quoted = (text: string): string => `'${text}'`

export const hangingDns: Hardship = {
  name: 'hanging-dns',
  about: 'the name server does not answer, for many names of many endpoints',
  impossible: withoutMounts,
  options: {
    // Its own view of two files, so that nobody else on the machine meets this name server.
    wrapped(folder) {
      const files = {
        'resolv.conf': `nameserver ${silentServer}\noptions timeout:5 attempts:2\n`,
        hosts: '127.0.0.1 known.test\n',
      }
      for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
      const mounts = Object.keys(files).map((name) => `mount --bind ${quoted(join(folder, name))} /etc/${name}`)
      return ['unshare', '--mount', 'sh', '-c', `${mounts.join(' && ')} && exec "$@"`, 'sh']
    },
  },
  async goThrough(gateway, scale) {
    const server = createSocket('udp4')
    let asked = 0
    server.on('message', () => {
      asked += 1
    })
    server.bind(53, silentServer)
    await once(server, 'listening')
    try {
      return await hang(gateway, scale, () => asked)
    } finally {
      server.close()
    }
  },
}

async function hang(gateway: Gateway, scale: number, asked: () => number): Promise<string> {
  const { receiver } = gateway.troubled
  const port = new URL(receiver.url).port
  // Each delivery opens a connection of its own, and so looks the name up again.
  receiver.manner = ({ socket, note }) => {
    note()
    socket.end('HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n')
  }
  // One that is known to the machine, to be found by the same look-ups.
  await gateway.newEndpoint('shop', `http://known.test:${port}/hook`)
  const names = scaled(60, scale, 12)
  for (let number = 1; number <= names; number++) await gateway.newEndpoint('shop', `http://hangs-${number}.test/hook`)
  const before = receiver.asked
  await gateway.roadIsOpen(200)
  await gateway.until(
    () => asked() > 0,
    30_000,
    () => 'the name server was never asked',
  )
  await gateway.until(
    () => receiver.asked > before + 50,
    30_000,
    () => {
      return `while ${names} names hung, only ${receiver.asked - before} deliveries found a name that is known`
    },
  )
  return `${names} names hung (the server was asked ${asked()} times); addresses and a known name were served`
}
