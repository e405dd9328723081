import type { Db } from '../db.ts'
import { answers } from './answers.ts'
import { applications } from './applications.ts'
import { attempts } from './attempts.ts'
import { changes } from './changes.ts'
import { endpoints } from './endpoints.ts'
import { environments } from './environments.ts'
import { eventTypes } from './event-types.ts'
import { expunge } from './expunge.ts'
import { keys } from './keys.ts'
import { messages } from './messages.ts'
import { nodes } from './nodes.ts'
import { portalTokens } from './portal-tokens.ts'
import { quarantine } from './quarantine.ts'
import { received } from './received.ts'
import { retention } from './retention.ts'
import { road } from './road.ts'
import { sources } from './sources.ts'
import { tallies } from './tallies.ts'
import { tasks } from './tasks.ts'

/** Every statement there is, by noun and method, for whoever owns a connection. Ports are in the order of `Store`. */
export const nouns = {
  answers,
  applications,
  attempts,
  endpoints,
  environments,
  eventTypes,
  expunge,
  keys,
  messages,
  portalTokens,
  quarantine,
  received,
  retention,
  road,
  sources,
  tallies,
  nodes,
  changes,
  tasks,
} as unknown as Readonly<
  Record<string, Readonly<Record<string, (db: Db, ...parameters: readonly unknown[]) => Promise<unknown>>>>
>
