import { spawnSync } from 'node:child_process'
import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs'
import { cpus, loadavg, release, totalmem, type } from 'node:os'
import { join } from 'node:path'
import { coreShare } from './cores.ts'
import { postgresPrograms } from './postgres.ts'
import { spreadOf } from './spread.ts'
import { findTool } from './tool.ts'
import { filesystemOf, makeFolder, root } from './workspace.ts'

const says = (command: string, args: readonly string[], part: RegExp): string | null => {
  const { stdout, stderr } = spawnSync(command, args, { cwd: root, encoding: 'utf8', timeout: 5000 })
  return part.exec(`${stdout ?? ''}${stderr ?? ''}`)?.[1] ?? null
}

/** What one fsync of 4 KiB costs where the database will be, in microseconds: near 0 means that nothing reaches a disk. */
function fsyncCost(path: string): { readonly median: number; readonly most: number } {
  const file = openSync(join(path, 'fsync'), 'w')
  const page = Buffer.alloc(4096, 1)
  const costs = Array.from({ length: 100 }, () => {
    writeSync(file, page)
    const start = performance.now()
    fsyncSync(file)
    return (performance.now() - start) * 1000
  })
  closeSync(file)
  return spreadOf(costs)
}

const postgresVersion = (): string => {
  try {
    return says(join(postgresPrograms(), 'postgres'), ['--version'], /(\d.*)$/m) ?? 'unknown version'
  } catch {
    return 'not installed'
  }
}

const installHint = 'not installed (apt-get install wrk nginx-light): the Node one stands in, and costs far more CPU'

/** Everything a number needs beside it to mean something. */
export async function machine(args: readonly string[]): Promise<string> {
  const share = await coreShare()
  const folder = makeFolder('disk')
  const fsync = fsyncCost(folder.path)
  const disk = filesystemOf(folder.path)
  folder.remove()
  const [wrk, nginx, redis] = [findTool('wrk'), findTool('nginx'), findTool('redis-server')]
  const revision = says('git', ['rev-parse', '--short', 'HEAD'], /^([0-9a-f]+)$/m)
  const changed = says('git', ['status', '--porcelain'], /(\S)/) !== null
  const inMemory = disk === 'tmpfs' || disk === 'ramfs'
  const facts = [
    ['date', new Date().toISOString()],
    ['command', ['npm run bench', ...(args.length > 0 ? ['--', ...args] : [])].join(' ')],
    ['revision', revision === null ? 'unknown' : `${revision}${changed ? ' with changes' : ''}`],
    [
      'cpu',
      `${cpus()[0]?.model.trim() ?? 'unknown'}, ${cpus().length} cores, shared by gateway, generator and receiver`,
    ],
    ['a core while all are busy', `${Math.round(share * 100)} % of one alone`],
    ['memory', `${Math.round(totalmem() / 2 ** 30)} GiB`],
    ['kernel', `${type()} ${release()}`],
    [
      'load at start',
      loadavg()
        .map((load) => load.toFixed(2))
        .join(' '),
    ],
    ['database on', `${disk ?? 'unknown filesystem'}${inMemory ? ': IN MEMORY, an fsync costs nothing here' : ''}`],
    ['fsync of 4 KiB', `median ${Math.round(fsync.median)} µs, most ${Math.round(fsync.most)} µs of 100`],
    ['Node', `${process.versions.node}, SQLite ${process.versions.sqlite ?? 'unknown'}`],
    ['PostgreSQL', postgresVersion()],
    ['Redis', redis === null ? 'not installed' : (says(redis, ['--version'], /v=(\S+)/) ?? 'unknown version')],
    ['wrk', wrk === null ? installHint : (says(wrk, ['-v'], /wrk (\S+)/) ?? 'unknown version')],
    ['nginx', nginx === null ? installHint : (says(nginx, ['-v'], /nginx\/(\S+)/) ?? 'unknown version')],
  ]
  return facts.map(([name, fact]) => `- ${name}: ${fact}`).join('\n')
}
