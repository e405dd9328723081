import { existsSync, readFileSync } from 'node:fs'

/** In which of a database's files these bytes stand, whether SQLite would find them or not. */
export function filesHolding(databasePath: string, text: string): readonly string[] {
  return ['', '-wal', '-shm', '-journal', '.lock', '.key'].filter((suffix) => {
    const path = `${databasePath}${suffix}`
    return existsSync(path) && readFileSync(path).includes(text)
  })
}
