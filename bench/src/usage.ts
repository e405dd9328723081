import { readdirSync, readFileSync } from 'node:fs'

/** What a process has used so far. */
export interface Usage {
  /** User and system time of all its threads. */
  readonly cpuMs: number
  readonly rssBytes: number
  /** Since it started. */
  readonly peakRssBytes: number
}

// proc(5): stat counts in USER_HZ, which Linux fixes at 100 for user space on every architecture Node runs on.
const tickMs = 10

// Fields of /proc/<pid>/stat behind the name (field 2, in parentheses, which may hold spaces), from field 3 on.
function statOf(pid: number | string): readonly string[] {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')
}

/** User and system time (fields 14 and 15); with `ended`, also that of children that have ended (16 and 17). */
const cpuMsOf = (fields: readonly string[], ended = false): number =>
  fields.slice(11, ended ? 15 : 13).reduce((sum, ticks) => sum + Number(ticks), 0) * tickMs

/** Null where the kernel has no /proc to ask. */
export function usageOf(pid: number): Usage | null {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8')
    const kib = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1] ?? Number.NaN)
    return {
      cpuMs: cpuMsOf(statOf(pid)),
      rssBytes: kib('VmRSS') * 1024,
      peakRssBytes: kib('VmHWM') * 1024,
    }
  } catch {
    return null
  }
}

/** CPU of a process and all its children, those that have ended included, in milliseconds. Null as above. */
export function cpuMsOfFamily(pid: number): number | null {
  try {
    const children = readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .flatMap((name) => {
        try {
          const fields = statOf(name)
          return Number(fields[1]) === pid ? [cpuMsOf(fields)] : []
        } catch {
          return [] // Ended while we looked: from now on its time is with its parent's.
        }
      })
    return children.reduce((sum, cpuMs) => sum + cpuMs, cpuMsOf(statOf(pid), true))
  } catch {
    return null
  }
}
