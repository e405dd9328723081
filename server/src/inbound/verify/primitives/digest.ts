import { createHash, createHmac, type KeyObject } from 'node:crypto'
import type { Algorithm } from '../../../domain/preset.ts'
import { feed, type Piece } from '../../reading/parts.ts'

const hmacs = { 'hmac-sha1': 'sha1', 'hmac-sha256': 'sha256', 'hmac-sha512': 'sha512' } as const
const hashes = { 'hash-sha1': 'sha1', 'hash-sha256': 'sha256' } as const

type Hmac = keyof typeof hmacs
type Hash = keyof typeof hashes

export const isHmac = (algorithm: Algorithm): algorithm is Hmac => Object.hasOwn(hmacs, algorithm)
export const isHash = (algorithm: Algorithm): algorithm is Hash => Object.hasOwn(hashes, algorithm)

/** The MAC that the request should carry. RFC 2104. */
export const hmacOf = (algorithm: Hmac, key: KeyObject, pieces: readonly Piece[]): Buffer =>
  feed(createHmac(hmacs[algorithm], key), pieces).digest()

/** The bare hash that the request should carry; the secret is among the pieces. */
export const hashOf = (algorithm: Hash, pieces: readonly Piece[]): Buffer =>
  feed(createHash(hashes[algorithm]), pieces).digest()
