import Type from 'typebox'
import { EndpointSecretOut, EndpointSecretRotateIn } from '../endpoint.ts'
import { done, endpoint, get, none, operation } from './shared.ts'

export const endpointSecretOperations = {
  'v1.endpoint.get-secret': operation({
    operationId: 'v1.endpoint.get-secret',
    method: 'GET',
    path: '/api/v1/app/{app_id}/endpoint/{endpoint_id}/secret',
    tag: 'Endpoint',
    summary: "Get the endpoint's signing secret",
    description: 'Whoever holds it can sign in your name, so a key that may only read does not see it.',
    scope: 'manage',
    portal: 'ViewEndpointSecret',
    params: Type.Object(endpoint),
    query: none,
    body: null,
    confidential: true,
    success: get(EndpointSecretOut),
    problems: ['not-found'],
  }),
  'v1.endpoint.rotate-secret': operation({
    operationId: 'v1.endpoint.rotate-secret',
    method: 'POST',
    path: '/api/v1/app/{app_id}/endpoint/{endpoint_id}/secret/rotate',
    tag: 'Endpoint',
    summary: "Replace the endpoint's signing secret",
    description: 'Both the former and the new secret sign for the grace period.',
    scope: 'manage',
    portal: 'ManageEndpointSecret',
    params: Type.Object(endpoint),
    query: none,
    body: EndpointSecretRotateIn,
    bodyOptional: true,
    success: done,
    problems: ['not-found', 'secret-invalid', 'changed-meanwhile'],
  }),
} as const
