// HARDSHIP: one gateway as an operator runs it, on a real disk and real sockets, and what machines, disks, networks and
// strangers do to it. What three nodes on PostgreSQL go through is in faults/.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Disk } from './disk.ts'
import type { Gateway, GatewayOptions } from './gateway.ts'

export interface Hardship {
  readonly name: string
  /** What goes wrong, in a line. */
  readonly about: string
  /** What the gateway is started with, where that is not the usual. */
  readonly options?: GatewayOptions
  /** Why it cannot be gone through here; null: it can. */
  readonly impossible?: () => string | null
  /**
   * Does the damage and takes it back again, while there is load. `scale` is 1 for a whole run, less for a short one.
   * Resolves to what was seen. Throws where the gateway did what it must not do.
   */
  readonly goThrough: (gateway: Gateway, scale: number) => Promise<string>
}

/** So many of something, but never too few to mean anything. */
export const scaled = (most: number, scale: number, least: number): number => Math.max(least, Math.round(most * scale))

/** What the gateway must not do. */
export class Failed extends Error {
  override readonly name = 'Failed'
}

export function demand(kept: boolean, otherwise: () => string): asserts kept {
  if (!kept) throw new Failed(otherwise())
}

/** Only root may mount a disk of its own size, or a file over another, and in many containers not even root. */
export function withoutMounts(): string | null {
  const outside = mkdtempSync(join(tmpdir(), 'posthorn-mount-'))
  try {
    Disk.mounted(outside, 1).remove()
    return null
  } catch {
    rmSync(outside, { recursive: true, force: true })
    return 'it needs Linux and the right to mount (root, and in a container CAP_SYS_ADMIN)'
  }
}
