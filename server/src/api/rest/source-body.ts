import type { IngestSourceIn, IngestSourcePatch } from '@posthorn/contract'
import type { ControlPart } from '../../domain/control.ts'
import type { Preset } from '../../domain/preset.ts'
import type { SecretWish, SourceSaying } from '../../domain/source-change.ts'
import type { SourcePatch, SourceWish } from '../../manage/sources.ts'
import { invalid } from '../input.ts'
import { controlWish } from './control.ts'
import { timeOf } from './time.ts'

/** What a body says about a source. What is ours stays as it was where it is left out: the client libraries know nothing of it. */
export const sourceWish = (body: IngestSourceIn): SourceWish => ({
  ...sourcePatch(body),
  ...{ name: body.name, type: body.type, metadata: body.metadata ?? {} },
})

/** The same, where everything may be left out. */
export function sourcePatch(body: IngestSourcePatch): SourcePatch {
  refuseMisplaced(body)
  return {
    ...{ name: body.name, type: body.type, uid: body.uid, metadata: body.metadata, throttleRate: body.throttleRate },
    control: (held: ControlPart): ControlPart => controlWish('application', held, body.control),
    ...configSaid(body.config ?? {}),
    custom: customOf(body),
    settings: {
      ...{ mode: body.mode, state: body.state, disabledAnswer: body.disabledAnswer, publicUrl: body.publicUrl },
      ...{ schemes: body.schemes, allowedAddresses: body.allowedAddresses, schemas: body.schemas },
      ...{ schemaCheck: body.schemaCheck, forwardChallenges: body.forwardChallenges },
      tolerance: millis(body.toleranceSeconds === undefined ? graceSaid(body) : body.toleranceSeconds),
      duplicateWindow: millis(body.duplicateWindowSeconds),
      ack: body.ack,
    },
  }
}

// Not `secrets`: that is shown there, and may come back with what was read.
const ofConfig = ['secret', 'publicKey', 'preset']

/**
 * Members that nobody knows are ignored everywhere; but who puts a secret beside `config` would get a source that checks
 * nothing. Throws Problem `request-invalid`.
 */
function refuseMisplaced(body: object): void {
  const misplaced = ofConfig.filter((name) => Object.hasOwn(body, name))
  if (misplaced.length === 0) return
  throw invalid(misplaced.map((name) => ({ pointer: `/${name}`, message: `belongs into config: /config/${name}` })))
}

/** What the client libraries call it, and only for sources of one type. */
const graceSaid = ({ config }: IngestSourcePatch): number | null | undefined => config?.timestampGraceSeconds

const millis = (seconds: number | null | undefined): number | null | undefined => seconds && seconds * 1000

type Config = NonNullable<IngestSourcePatch['config']>

function configSaid(config: Config): Pick<SourceSaying, 'secrets' | 'values'> {
  const { secret, publicKey, secrets, preset: _, timestampGraceSeconds: __, ...values } = config
  return { secrets: secretsSaid(secret, publicKey, secrets), values }
}

/** Undefined where none of the three is named; none at all where one is, and only as null. */
function secretsSaid(
  secret: Config['secret'],
  publicKey: Config['publicKey'],
  secrets: Config['secrets'],
): readonly SecretWish[] | undefined {
  if (secret === undefined && publicKey === undefined && secrets === undefined) return undefined
  const plain = (value: string | null | undefined, pointer: string): readonly SecretWish[] =>
    value == null ? [] : [{ value, name: null, from: null, until: null, pointer }]
  const listed = (secrets ?? []).map(({ value, name = null, from, until }, at) => ({
    ...{ value, name, from: timeOf(from), until: timeOf(until), pointer: `/config/secrets/${at}` },
  }))
  return [...plain(secret, '/config/secret'), ...plain(publicKey, '/config/publicKey'), ...listed]
}

const day = 86_400

/** The descriptor of a custom source; who only says how it signs need not say the rest. */
function customOf({ config, name }: IngestSourcePatch): Preset | undefined {
  const said = config?.preset
  if (said == null) return undefined
  return {
    ...{
      title: name ?? 'Custom',
      docs: '',
      basis: 'read',
      secret: { label: 'Secret', where: 'From whoever sends the webhooks.' },
      schemes: [],
    },
    // Who knows how long its sender goes on trying says so.
    ...{ id: { alternatives: [], otherwise: 'body' }, retryWindow: 3 * day },
    ...said,
    name: 'custom',
  }
}
