import type { EndpointPatch } from '@posthorn/contract'

// The client libraries have renamed these: where both names are given, the newer one counts.

export const rateOf = (body: Pick<EndpointPatch, 'throttleRate' | 'rateLimit'>): number | null | undefined =>
  body.throttleRate === undefined ? body.rateLimit : body.throttleRate

export const eventTypesOf = (
  body: Pick<EndpointPatch, 'eventTypes' | 'filterTypes'>,
): readonly string[] | null | undefined => (body.eventTypes === undefined ? body.filterTypes : body.eventTypes)
