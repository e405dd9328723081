import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('../../', import.meta.url))

const folders = new Set<string>()
process.on('exit', () => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})

/**
 * A folder for one process's files, removed at the end. Beside the project and not in the system's temporary folder:
 * that one is often in memory, where an fsync costs nothing.
 */
export function makeFolder(name: string): { readonly path: string; remove(): void } {
  const parent = join(root, '.runtime')
  mkdirSync(parent, { recursive: true })
  const path = mkdtempSync(join(parent, `bench-${name}-`))
  folders.add(path)
  return {
    path,
    remove() {
      rmSync(path, { recursive: true, force: true })
      folders.delete(path)
    },
  }
}

/** Bytes of the files in a folder. */
export function sizeOf(folder: string): number {
  return readdirSync(folder).reduce((sum, file) => sum + statSync(join(folder, file)).size, 0)
}

/** The filesystem a path is on, as the kernel names it; null where it does not say. */
export function filesystemOf(path: string): string | null {
  let found: { readonly mount: string; readonly type: string } | null = null
  try {
    for (const line of readFileSync('/proc/self/mounts', 'utf8').split('\n')) {
      const [, mount, type] = line.split(' ')
      if (mount === undefined || type === undefined) continue
      const covers = mount === '/' || `${resolve(path)}/`.startsWith(`${mount}/`)
      // Later mounts cover earlier ones of the same length.
      if (covers && mount.length >= (found?.mount.length ?? 0)) found = { mount, type }
    }
  } catch {
    return null
  }
  return found?.type ?? null
}
