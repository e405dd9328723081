// How one provider signs, shakes hands and names its events, as data: whoever can write JSON can add a provider. Read by
// inbound/, which has one function for each primitive named here.

/** A header's name; `{setting}`: the one that the source's owner has chosen. Compared without regard to case. */
type HeaderName = string | { readonly setting: string }

/**
 * Where a value stands in a request. Several values may stand there: a repeated header, a repeated parameter, `*` in a
 * pointer.
 */
export type Ref =
  /** `parameter`: of a header that is a list of `name=value`; `separator` between them, usually a comma. */
  | { readonly header: HeaderName; readonly parameter?: string; readonly separator?: string }
  | { readonly query: string }
  /** A field of a form; `pointer`: into the JSON that the field holds. */
  | { readonly form: string; readonly pointer?: string }
  /**
   * JSON Pointer (RFC 6901) into the body, whatever its content type says; a `*` stands for every item of an array. Where
   * the body is itself a token (JWT), into its claims. `inner`: what stands there is JSON as a text: pointers into that, and
   * into what stands there, and so on.
   */
  | { readonly body: string; readonly inner?: readonly string[] }
  /** `url`: the public one, as the provider knows it; `path`: its path and query; `body`: the bytes. */
  | { readonly request: 'method' | 'url' | 'path' | 'body' }
  /** What the source's owner has set beside the secrets. */
  | { readonly setting: string }

export type TextEncoding = 'hex' | 'base64' | 'base64url'
type DigestName = 'sha1' | 'sha256' | 'sha512' | 'md5'

/** A piece of what is signed, or of an answer. A string stands for itself. A value that is not there makes the whole fail. */
export type Part =
  | PlainPart
  | { readonly hash: DigestName; readonly of: readonly PlainPart[]; readonly encoding: TextEncoding }
  /** Under the source's current secret (`currentSecrets`): for answers to challenges. */
  | { readonly hmac: DigestName; readonly of: readonly PlainPart[]; readonly encoding: TextEncoding }

type PlainPart =
  | string
  | Ref
  /** Empty where it is not there. */
  | { readonly optional: Ref }
  /** CRC-32 of the body, decimal and unsigned. */
  | { readonly crc32: 'body' }
  /** The secret itself: for plain hashes. */
  | { readonly secret: true }
  /** Each field of a form body, name and value, sorted by name; repeated values once each and sorted. */
  | { readonly sortedForm: true }
  /** Members of the JSON body that are there, in this order, each as `name\nvalue\n`. */
  | { readonly fields: readonly string[] }
  /** The headers that another names in a comma list, each as `name:value`, with this between them. */
  | { readonly headersNamedBy: string; readonly join: string }

export type Algorithm =
  | 'hmac-sha1'
  | 'hmac-sha256'
  | 'hmac-sha512'
  | 'hash-sha1'
  | 'hash-sha256'
  | 'ed25519'
  | 'ecdsa-p256-sha256'
  | 'rsa-sha1'
  | 'rsa-sha256'
  | 'jwt'
  /** The value is the secret. */
  | 'equality'
  /** HTTP Basic; the secret is `user:password`. */
  | 'basic'

/** RFC 7518 §3.1, RFC 8037. */
export type TokenAlgorithm =
  | 'HS256'
  | 'HS384'
  | 'HS512'
  | 'RS256'
  | 'RS384'
  | 'RS512'
  | 'ES256'
  | 'ES384'
  | 'ES512'
  | 'EdDSA'

/** What the text of a secret becomes before it is a key. */
export type KeyEncoding =
  | 'utf8'
  | 'hex'
  | 'base64'
  /** Public keys: PEM (a key or a certificate), DER SubjectPublicKeyInfo, or the 32 bytes of Ed25519. */
  | 'pem'
  | 'spki-base64'
  | 'raw-hex'
  | 'raw-base64'

export type KeySource =
  /**
   * One of the source's secrets. `strip`: a prefix that is no part of it; `required`: what comes without it is no key of
   * this scheme. `except`: nor is what has this in it: where one scheme has public keys and another shared ones, nobody may sign
   * with the public key as if it were shared. `chosenBy`: this value names the secret.
   */
  | {
      readonly from: 'secret'
      readonly encoding: KeyEncoding
      readonly strip?: string
      readonly required?: true
      readonly except?: string
      readonly chosenBy?: Ref
    }
  /**
   * The key of a certificate that the request names, fetched over https from one of `hosts` and only when its path ends
   * with `pathEnds` (`domain/outside-url.ts`). `issuedTo`: it must moreover be issued to one of these names, as `hosts`,
   * by an authority that the machine trusts; without it, a certificate is believed for where it came from. Where the
   * source has a secret of its own, that is the certificate or key (PEM), and nothing is fetched.
   */
  | {
      readonly from: 'certificate'
      readonly url: Ref
      readonly hosts: readonly string[]
      readonly pathEnds?: string
      readonly issuedTo?: readonly string[]
    }
  /**
   * RFC 7517, from a fixed URL or one that the owner has set, never one that a request brings; chosen by the token's `kid`,
   * or each is tried. `hosts`: as above; none: the URL is the owner's own, at any host and port.
   */
  | {
      readonly from: 'jwks'
      readonly url: readonly (string | { readonly setting: string })[]
      readonly hosts: readonly string[]
    }

/** Something that must be so. Without a comparison: the value is there. */
export interface Condition {
  readonly at: Ref
  readonly equals?: string | number | boolean | null
  /** The whole value looks like this; `*` stands for any characters or none. */
  readonly like?: string
  readonly absent?: true
}

export interface Timestamp {
  /** The first that is there. */
  readonly at: readonly Ref[]
  readonly unit: 's' | 'ms' | 'iso'
  /** How old it may be when the request arrives, seconds; null: any age, unless the source says otherwise. */
  readonly tolerance: number | null
  /** `both`: neither older nor further in the future than that. */
  readonly sides: 'past' | 'both'
}

/** The URL as the provider may have signed it. `exact`: the public URL with what stood behind the token. */
export type UrlForm = 'exact' | 'with-port' | 'without-port' | 'percent-decoded' | 'legacy-query' | 'without-query'

/** One way in which a provider signs. A request passes when one of the provider's schemes passes. */
export interface Scheme {
  /** What it is called where it is shown, unique in its preset. */
  readonly name: string
  /** It is not this scheme's request where one of these is not so. */
  readonly when?: readonly Condition[]
  readonly algorithm: Algorithm
  readonly key: KeySource
  /** Where signatures may stand; any of them may be the right one. */
  readonly signature: readonly Ref[]
  /** What stands before the signature; a value without it is none of this scheme. */
  readonly prefix?: string
  /** What separates several signatures in one value. */
  readonly list?: string
  readonly encoding?: TextEncoding
  /** What is signed. Equality, basic and tokens have none. */
  readonly template?: readonly Part[]
  readonly timestamp?: Timestamp
  /**
   * What must moreover be so, or the request is refused (`claim-wrong`): what stands there is this. A hash of the body in a
   * URL that is signed; what the owner has set, where a provider's key signs for all of its customers and any of them
   * could post here. Where a part is not there, or has not been set, it is not so.
   */
  readonly agree?: readonly { readonly at: Ref; readonly is: readonly Part[] }[]
  /** The forms of the URL that are tried where the template has one; usually only `exact`. */
  readonly url?: readonly UrlForm[]
  /** JSON Pointer to an array of the body: every item is verified by itself, and pointers begin at the item. */
  readonly each?: string
  readonly jwt?: {
    readonly algorithms: readonly TokenAlgorithm[]
    /** What these claims must say. */
    readonly claims: Readonly<Record<string, readonly Part[]>>
    /** Those of `claims` that are there exactly when there is a body. */
    readonly withBody?: readonly string[]
  }
}

/** What the gateway answers. `json`: an object with these members, each a text; else `text`; else nothing. */
export interface Answer {
  readonly status: number
  readonly headers?: Readonly<Record<string, readonly Part[]>>
  readonly contentType?: string
  readonly text?: readonly Part[]
  readonly json?: Readonly<Record<string, readonly Part[] | number | boolean>>
}

/** A probe that the gateway itself answers, for ever, and that is no message. */
export interface Challenge {
  readonly name: string
  /** All must be so. */
  readonly match: readonly Condition[]
  /** Only where its signature is right; without this, as it comes. */
  readonly verified?: true
  /** This value must be what has been set, else the answer is `refusal`. */
  readonly check?: { readonly at: Ref; readonly setting: string; readonly refusal: number }
  /** The value becomes a secret of the source: it is first seen here. Only while the source has none. */
  readonly capture?: Ref
  /** Null: as for any message. */
  readonly answer: Answer | null
  /**
   * This URL is fetched after all else was right, once the provider has been answered, and only at these hosts (as in
   * `KeySource`). `setting`: those that the owner has listed there, separated by commas; without any, nothing is fetched.
   */
  readonly fetch?: { readonly url: Ref; readonly hosts: readonly string[] | { readonly setting: string } }
}

/** What a person must fetch from the provider. */
interface Setting {
  readonly name: string
  readonly label: string
  /** Where it is found at the provider. */
  readonly where: string
  readonly required?: true
  readonly default?: string
}

export interface Preset {
  /** As in `type` of a source: lower case and dashes. */
  readonly name: string
  readonly title: string
  /** The provider's page about its webhooks. */
  readonly docs: string
  /** How well this is founded. `read`: in the provider's page, SDK or source; else check before relying on it. */
  readonly basis: 'read' | 'third-party' | 'general-knowledge'
  readonly source?: string
  /** What the owner should know: traps, limits, what to set at the provider. Sentences. */
  readonly notes?: readonly string[]
  /** What its requests are recognised by, beside the headers of its schemes. All must be so. */
  readonly recognise?: readonly Condition[]
  /** Where its secret is found; null: it has none. */
  readonly secret: { readonly label: string; readonly where: string } | null
  readonly settings?: readonly Setting[]
  /** Empty: it does not sign. The strongest first. */
  readonly schemes: readonly Scheme[]
  /**
   * What makes two requests the same: the first alternative of which every part is there, or else (`body`) method, query
   * and body. `none`: nothing does; each is a message. `oneId`: each
   * alternative is another name for one id, so that what is sent under one and repeated under another is the same.
   */
  readonly id: {
    readonly alternatives: readonly (readonly Ref[])[]
    readonly otherwise: 'body' | 'none'
    readonly oneId?: true
  }
  /** The event type: as `id`, its parts joined by dots. */
  readonly type?: readonly (readonly Ref[])[]
  readonly orderingKey?: readonly (readonly Ref[])[]
  /** What it says about its retries. */
  readonly retry?: { readonly number?: Ref; readonly reason?: Ref }
  readonly challenges?: readonly Challenge[]
  /** The answer to a message that is stored. Usually 200 without a body. */
  readonly ack?: Answer
  /** The answer to a bad signature; usually 401. */
  readonly refusal?: number
  /** How long it waits for the answer, seconds. */
  readonly deadline?: number
  /** For how long it may repeat a request, seconds; 0: it never does. The window of duplicates is at least that. */
  readonly retryWindow: number
  /** Statuses after which it gives up or switches the webhook off. */
  readonly giveUpOn?: readonly number[]
  /** The addresses it posts from, as it publishes them. */
  readonly ips?: { readonly published: string; readonly ranges: readonly string[]; readonly asOf: string }
}
