import { randomUUID } from 'node:crypto'
import { existsSync, realpathSync } from 'node:fs'
import { type DatabaseTarget, shownTarget } from '../../domain/database-target.ts'
import type { Db } from '../db.ts'
import type { Schema } from '../migrations.ts'
import { PostgresDb } from '../postgres/connection.ts'
import { Connections } from '../postgres/connections.ts'
import { aliveNodes } from '../postgres/migrate.ts'
import { daysOfIds, ensurePartitions } from '../postgres/partitions.ts'
import { postgresSchema } from '../postgres/schema.ts'
import { holdAlone } from '../sqlite/alone.ts'
import { openConnection } from '../sqlite/connection.ts'
import { sqliteSchema } from '../sqlite/schema.ts'

/** The move cannot begin, or what arrived is not what was sent; the message says what to do. */
export class MoveError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'MoveError'
  }
}

/** One end of a move: a database that nobody else works on. */
export interface Side {
  readonly shown: string
  readonly schema: Schema
  /** Its schema has to be up to date by then. */
  connect(): Promise<Db>
  /** Makes room for messages with these ids. */
  expect(messageIds: readonly string[]): Promise<void>
  /** What has been written stays, whatever happens then. */
  settle(): Promise<void>
  close(): Promise<void>
}

const withinMs = 10 * 60_000

/** Throws with a plain word when somebody works on it, or it cannot be reached. */
export async function openSide(target: DatabaseTarget, pooled: boolean): Promise<Side> {
  if (target.engine === 'sqlite') return sqliteSide(target.path)
  const manner = { applicationName: 'posthorn move', pooled, origin: randomUUID() }
  const client = await new Connections(target, manner, 1).own()
  const schema = postgresSchema(target, pooled)
  const shown = shownTarget(target)
  const alive = await aliveNodes(client)
  if (alive.length > 0) {
    await client.end()
    throw new MoveError(`Nodes are running on ${shown}: ${alive.join(', ')}. Stop them first, and wait half a minute.`)
  }
  // A move that is broken off goes on behind what is stored, so a commit need not wait for the disk.
  if (!pooled) await client.query('set synchronous_commit = off')
  return {
    ...{ shown, schema },
    connect: async () => new PostgresDb(client, manner, withinMs),
    expect: (messageIds) => ensurePartitions(client, daysOfIds(messageIds)),
    async settle() {
      if (!pooled) await client.query('set synchronous_commit = on')
    },
    async close() {
      await schema.close()
      await client.end()
    },
  }
}

function sqliteSide(named: string): Side {
  const path = existsSync(named) ? realpathSync(named) : named
  const alone = heldAlone(path)
  let connection: ReturnType<typeof openConnection> | null = null
  return {
    ...{ shown: path, schema: sqliteSchema(path, true) },
    async connect() {
      connection ??= openConnection(path, 'writer', randomUUID())
      return connection
    },
    async expect() {},
    async settle() {
      connection?.database.exec('pragma wal_checkpoint(truncate)')
    },
    async close() {
      connection?.close()
      alone.release()
    },
  }
}

function heldAlone(path: string): ReturnType<typeof holdAlone> {
  try {
    return holdAlone(path)
  } catch (error) {
    throw new MoveError(error instanceof Error ? error.message : String(error))
  }
}
