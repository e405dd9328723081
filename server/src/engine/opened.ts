import type { Endpoint } from '../domain/endpoint.ts'
import { openHeaders, openSecrets } from '../domain/endpoint-seal.ts'
import type { EndpointId, Millis } from '../domain/ids.ts'
import { type EndpointSecrets, secretsAt } from '../domain/secret.ts'
import { makeSigner, type Signer } from '../domain/signature.ts'

/** What of an endpoint lies sealed in its row, ready for the road. */
export interface OpenedEndpoint {
  /** The owner's extra headers, flat. */
  readonly extraHeaders: readonly string[]
  /** The signer of this moment: a former secret drops out when its overlap ends. */
  readonly signerAt: (now: Millis) => Signer
}

interface Kept extends OpenedEndpoint {
  readonly from: Pick<Endpoint, 'sealedSecrets' | 'sealedHeaders'>
}

// Past this the one that was opened longest ago is opened anew.
const mostKept = 10_000

/**
 * Opens what is sealed once, not at every change of its application: to open one takes 50 µs (2026-11), and where one of a
 * thousand endpoints is paused all thousand are read again.
 */
export class Opened {
  readonly #masterKey: Uint8Array
  readonly #kept = new Map<EndpointId, Kept>()

  constructor(masterKey: Uint8Array) {
    this.#masterKey = masterKey
  }

  /** Throws when the master key is another than the one it was sealed under. */
  of(endpoint: Pick<Endpoint, 'id' | 'sealedSecrets' | 'sealedHeaders'>): OpenedEndpoint {
    const { id, sealedSecrets, sealedHeaders } = endpoint
    const known = this.#kept.get(id)
    if (known?.from.sealedSecrets === sealedSecrets && known.from.sealedHeaders === sealedHeaders) return known
    const opened: Kept = {
      extraHeaders: Object.entries(openHeaders(this.#masterKey, endpoint)).flat(),
      signerAt: signersOf(openSecrets(this.#masterKey, endpoint)),
      from: { sealedSecrets, sealedHeaders },
    }
    this.#kept.delete(id)
    this.#kept.set(id, opened)
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= mostKept) break
      this.#kept.delete(oldest)
    }
    return opened
  }
}

/** Prepares the signer once for every stretch of time in which the same secrets sign. */
function signersOf(secrets: EndpointSecrets): (now: Millis) => Signer {
  let signer = makeSigner([secrets.current])
  let goodUntil = Number.NEGATIVE_INFINITY
  return (now) => {
    if (now >= goodUntil) {
      signer = makeSigner(secretsAt(secrets, now))
      goodUntil = Math.min(...secrets.former.filter(({ until }) => until > now).map(({ until }) => until))
    }
    return signer
  }
}
