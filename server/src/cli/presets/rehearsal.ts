import type { Preset } from '../../domain/preset.ts'
import { recordedRequests } from '../../inbound/recorded.ts'
import { rehearse } from '../../inbound/rehearse.ts'
import { exitCodes } from '../command.ts'

interface Printing {
  readonly stdout: { write(text: string): boolean }
  readonly stderr: { write(text: string): boolean }
}

/** Runs every recorded request of these presets through what the door is made of, and prints what came of it. */
export function rehearsal(presets: readonly Preset[], { stdout, stderr }: Printing): number {
  const width = Math.max(...presets.map(({ name }) => name.length))
  let requests = 0
  let failures = 0
  for (const preset of presets) {
    const recorded = recordedRequests(preset.name)
    const lines = recorded.flatMap((request) =>
      rehearse(preset, request).map((fault) => `  ${request.name}: ${fault}\n`),
    )
    const counts = ['verified', 'refused', 'unverified', 'challenge'].flatMap((kind) => {
      const count = recorded.filter(({ expect }) => expect === kind).length
      return count === 0 ? [] : [`${count} ${kind}`]
    })
    const said = lines.length > 0 ? 'FAILED' : recorded.length === 0 ? 'NOTHING RECORDED' : 'ok'
    stdout.write(`${preset.name.padEnd(width)}  ${said}  ${counts.join(', ')}\n${lines.join('')}`)
    requests += recorded.length
    failures += lines.length > 0 || recorded.length === 0 ? 1 : 0
  }
  stdout.write(`${requests} recorded requests of ${presets.length} presets\n`)
  if (failures > 0) stderr.write(`posthorn presets test: ${failures} of ${presets.length} presets failed\n`)
  return failures > 0 ? exitCodes.checkFailed : exitCodes.done
}
