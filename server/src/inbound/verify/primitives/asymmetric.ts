import { type KeyObject, sign, verify } from 'node:crypto'
import type { Algorithm } from '../../../domain/preset.ts'
import type { Piece } from '../../reading/parts.ts'

/** The name of the hash for Node; null: the algorithm has its own. */
const hashes = {
  ed25519: null,
  'ecdsa-p256-sha256': 'sha256',
  'rsa-sha1': 'sha1',
  'rsa-sha256': 'sha256',
} as const

type Asymmetric = keyof typeof hashes

export const isAsymmetric = (algorithm: Algorithm): algorithm is Asymmetric => Object.hasOwn(hashes, algorithm)

/** RSA: PKCS #1 v1.5; ECDSA: DER, as these providers send it. */
export const isSignedBy = (
  algorithm: Asymmetric,
  key: KeyObject,
  content: Uint8Array,
  signature: Uint8Array,
): boolean => verify(hashes[algorithm], content, key, signature)

/** The other way round. */
export const signatureBy = (algorithm: Asymmetric, key: KeyObject, content: Uint8Array): Buffer =>
  sign(hashes[algorithm], content, key)

/** What is signed, in one piece: Ed25519 reads it twice. */
export const whole = (pieces: readonly Piece[]): Buffer =>
  Buffer.concat(pieces.map((piece) => (typeof piece === 'string' ? Buffer.from(piece) : piece)))
