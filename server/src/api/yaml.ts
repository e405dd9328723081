import { Worker } from 'node:worker_threads'
import type { Millis } from '../domain/ids.ts'
import { Problem } from '../domain/problem.ts'
import type { World } from '../ports/world.ts'
import { parseJson } from './json.ts'
import type { YamlReply } from './yaml-thread.ts'

const deadlineMs: Millis = 20_000
const mostMegabytes = 512
const mostWaiting = 4

/** Resolves to what YAML or JSON text holds. Throws Problem `openapi-invalid` with what is wrong at `pointer`, `unavailable`. */
export type ReadYaml = (text: string, pointer: string) => Promise<unknown>

/**
 * Reads YAML in a thread of its own that ends with it, one text at a time: a megabyte takes four seconds (yaml 2.9,
 * 2 cores, 2026-11), and some texts take for ever. JSON, which YAML contains, is read at once.
 */
export function makeReadYaml(world: Pick<World, 'after'>): ReadYaml {
  let waiting = 0
  let last: Promise<unknown> = Promise.resolve()
  return async (text, pointer) => {
    if (/^\s*\{/.test(text)) {
      try {
        return parseJson(text)
      } catch {
        // A flow mapping of YAML begins like it.
      }
    }
    if (waiting >= mostWaiting) throw new Problem('unavailable', 'Other documents are being read.', [], 5)
    waiting += 1
    const reading = last.then(() => readInThread(text, world))
    last = reading.catch(() => {})
    const reply = await reading.finally(() => {
      waiting -= 1
    })
    if ('fault' in reply) {
      throw new Problem('openapi-invalid', `The document ${reply.fault}.`, [{ pointer, message: reply.fault }])
    }
    return parseJson(reply.json)
  }
}

function readInThread(text: string, world: Pick<World, 'after'>): Promise<YamlReply> {
  return new Promise((resolve) => {
    const worker = new Worker(new URL(import.meta.url.replace(/yaml(\.\w+)$/, 'yaml-thread$1')), {
      workerData: text,
      resourceLimits: { maxOldGenerationSizeMb: mostMegabytes },
    })
    const end = (reply: YamlReply): void => {
      timer.cancel()
      void worker.terminate()
      resolve(reply)
    }
    const timer = world.after(deadlineMs, () => end({ fault: 'takes too long to read as YAML; send it as JSON' }))
    worker.on('message', end)
    worker.on('error', () => end({ fault: 'takes too much memory to read' }))
  })
}
