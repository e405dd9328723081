// CONFORMANCE: what every store must do, as tests over the port. Each engine runs all of it on a real database; a store
// that cannot do something has a failing test here, not an exception elsewhere. Knows the port and the domain, no SQL.

import { describe } from 'node:test'
import { answersConformance } from './answers.ts'
import { applicationsConformance } from './applications.ts'
import { attemptsConformance } from './attempts.ts'
import { changesConformance } from './changes.ts'
import { claimConformance } from './claim.ts'
import { commitConformance } from './commit.ts'
import { endpointsConformance } from './endpoints.ts'
import { environmentsConformance } from './environments.ts'
import { eventTypesConformance } from './event-types.ts'
import { keysConformance } from './keys.ts'
import { leaseConformance } from './lease.ts'
import { messagesConformance } from './messages.ts'
import { nodesConformance } from './nodes.ts'
import type { OpenStore } from './opened.ts'
import { orderConformance } from './order.ts'
import { portalTokensConformance } from './portal-tokens.ts'
import { quarantineConformance } from './quarantine.ts'
import { receivedConformance } from './received.ts'
import { retentionConformance } from './retention.ts'
import { routesConformance } from './routes.ts'
import { sourcesConformance } from './sources.ts'
import { tasksConformance } from './tasks.ts'

/**
 * Declares the suite for one engine. `open` makes a new, empty, migrated store each time; `close` ends it for good.
 * `alone`: only one process can work on such a store.
 */
export function storeConformance(name: string, alone: boolean, open: OpenStore): void {
  describe(name, () => {
    describe('environments', () => environmentsConformance(open))
    describe('keys', () => keysConformance(open))
    describe('portal tokens', () => portalTokensConformance(open))
    describe('applications', () => applicationsConformance(open))
    describe('endpoints', () => endpointsConformance(open))
    describe('sources', () => sourcesConformance(open))
    describe('quarantine', () => quarantineConformance(open))
    describe('received', () => receivedConformance(open))
    describe('event types', () => eventTypesConformance(open))
    describe('messages', () => messagesConformance(open))
    describe('attempts', () => attemptsConformance(open))
    describe('answers', () => answersConformance(open))
    describe('commit', () => commitConformance(open))
    describe('routes', () => routesConformance(open))
    describe('claim', () => claimConformance(open))
    describe('lease', () => leaseConformance(open, alone))
    describe('order', () => orderConformance(open, alone))
    describe('tasks', () => tasksConformance(open))
    describe('nodes', () => nodesConformance(open))
    describe('changes', () => changesConformance(open))
    describe('removal', () => retentionConformance(open))
  })
}
