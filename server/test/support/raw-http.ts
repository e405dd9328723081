import { once } from 'node:events'
import { connect } from 'node:net'

/** Says these bytes on a bare socket to the server at this URL, and hears until the other side is done. */
export async function spoken(url: string, text: string): Promise<string> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1')
  let heard = ''
  socket.on('data', (bytes) => {
    heard += bytes
  })
  // The server may close while we still speak; what it said before counts.
  socket.on('error', () => {})
  socket.write(text)
  await once(socket, 'close')
  return heard
}
