// Loaded ahead of a gateway (`--import`), and of its threads: samples where CPU time goes and what allocates, from when the
// file `begin` is there until `end` is. `--cpu-prof` and `--heap-prof` of Node would do, but they begin with the start, and the
// latter knows only of what is still there at the end.
import { existsSync, renameSync, writeFileSync } from 'node:fs'
import { type HeapProfiler, type Profiler, Session } from 'node:inspector'
import { join } from 'node:path'
import { threadId } from 'node:worker_threads'

const lookEveryMs = 50
const [cpuEveryUs, heapEveryBytes] = [500, 128 * 1024]

/** What one thread was seen to do. Allocations are all, collected since or not. */
export interface ThreadProfile {
  readonly thread: number
  readonly cpu: Profiler.Profile
  readonly heap: HeapProfiler.SamplingHeapProfile
}

const folder = process.env.BENCH_PROFILES
if (folder === undefined) throw new Error('BENCH_PROFILES names the folder for profiles')

const session = new Session()

function begin(): void {
  session.connect()
  session.post('Profiler.enable')
  session.post('Profiler.setSamplingInterval', { interval: cpuEveryUs })
  session.post('Profiler.start')
  const everything = { includeObjectsCollectedByMajorGC: true, includeObjectsCollectedByMinorGC: true }
  session.post('HeapProfiler.startSampling', { samplingInterval: heapEveryBytes, ...everything })
}

function end(into: string): void {
  // In the same thread: each is answered before the next line.
  let cpu: Profiler.Profile | null = null
  let heap: HeapProfiler.SamplingHeapProfile | null = null
  session.post('Profiler.stop', (_, stopped) => {
    cpu = stopped.profile
  })
  session.post('HeapProfiler.stopSampling', (_, stopped) => {
    heap = stopped.profile
  })
  session.disconnect()
  writeFileSync(`${into}.part`, JSON.stringify({ thread: threadId, cpu, heap }))
  renameSync(`${into}.part`, into)
}

let begun = false
const looking = setInterval(() => {
  if (!begun && existsSync(join(folder, 'begin'))) {
    begun = true
    begin()
  } else if (begun && existsSync(join(folder, 'end'))) {
    clearInterval(looking)
    end(join(folder, `${threadId}.json`))
  }
}, lookEveryMs)
looking.unref()
