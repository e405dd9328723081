import { after } from 'node:test'
import { startReceiver } from '../support/receiver.ts'
import { startTestServer } from '../support/server.ts'
import { makeStrangers, makeVictim } from './scene.ts'

/** A server with the victim and all strangers on it, for one file of tests: gone when they are over. */
export async function openScene() {
  const server = await startTestServer()
  const receiver = await startReceiver()
  after(async () => {
    await server.stop()
    await receiver.close()
  })
  const victim = await makeVictim(server, receiver.url)
  return { server, receiver, victim, strangers: await makeStrangers(server, victim) }
}
