import { execFileSync } from 'node:child_process'
import { mkdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Where a gateway keeps its database. */
export class Disk {
  /** The database's. */
  readonly folder: string
  /** Beside it, on a disk where there is always room. */
  readonly outside: string
  readonly #isMounted: boolean

  private constructor(outside: string, isMounted: boolean) {
    this.outside = outside
    this.folder = join(outside, 'disk')
    this.#isMounted = isMounted
    mkdirSync(this.folder)
  }

  static folder(outside: string): Disk {
    return new Disk(outside, false)
  }

  /** One of its own, in memory. Needs root. */
  static mounted(outside: string, mebibytes: number): Disk {
    const disk = new Disk(outside, true)
    const mount = ['-t', 'tmpfs', '-o', `size=${mebibytes}m,mode=0700`, 'tmpfs', disk.folder]
    execFileSync('/bin/mount', mount, { stdio: ['ignore', 'ignore', 'pipe'] })
    return disk
  }

  get #ballast(): string {
    return join(this.folder, 'ballast')
  }

  /** Leaves no byte for anybody else. */
  fill(): void {
    const { bavail, bsize } = statfsSync(this.folder)
    for (let bytes = bavail * bsize; bytes >= bsize; bytes = Math.floor(bytes / 2)) {
      try {
        writeFileSync(this.#ballast, Buffer.alloc(bytes), { flag: 'a' })
      } catch {
        // As much as there was room for is written.
      }
    }
  }

  empty(): void {
    rmSync(this.#ballast, { force: true })
  }

  get freeBytes(): number {
    const { bavail, bsize } = statfsSync(this.folder)
    return bavail * bsize
  }

  /** Nobody may have a file of it open for writing. */
  setReadOnly(isReadOnly: boolean): void {
    execFileSync('/bin/mount', ['-o', `remount,${isReadOnly ? 'ro' : 'rw'}`, this.folder])
  }

  remove(): void {
    if (this.#isMounted) execFileSync('/bin/umount', ['--lazy', this.folder])
    rmSync(this.outside, { recursive: true, force: true })
  }
}
