import { readFileSync } from 'node:fs'

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

/** Null where the kernel has no /proc to ask. */
export function usageOf(pid: number): Usage | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // Fields 14 and 15 are utime and stime; the name (field 2, in parentheses) may hold spaces.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    const status = readFileSync(`/proc/${pid}/status`, 'utf8')
    const kib = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1] ?? Number.NaN)
    return {
      cpuMs: (Number(fields[11]) + Number(fields[12])) * tickMs,
      rssBytes: kib('VmRSS') * 1024,
      peakRssBytes: kib('VmHWM') * 1024,
    }
  } catch {
    return null
  }
}
