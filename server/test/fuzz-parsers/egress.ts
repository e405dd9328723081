import { BlockList } from 'node:net'
import { isWithin, kindOfAddress, parseAddress, parseNetwork } from '../../src/domain/address.ts'
import { type EgressAllow, parseEgressAllow } from '../../src/domain/egress.ts'
import { checkEndpointUrl } from '../../src/domain/endpoint-url.ts'
import { checkOutsideUrl } from '../../src/domain/outside-url.ts'
import { Problem } from '../../src/domain/problem.ts'
import { makeGuard } from '../../src/transports/http/guard.ts'
import { Unreachable } from '../../src/transports/http/unreachable.ts'
import type { Chance } from '../faults/chance.ts'
import { attempt, type Fuzzer, fieldsOf, hold, inputOf } from './fuzzer.ts'
import { bytesOf, groupText, hostMeans, isMetadata, isPublic } from './naive-address.ts'

const nobody: EgressAllow = { networks: [], hosts: [], suffixes: [] }
const outside = { hosts: ['sns.<region>.amazonaws.com', '*.example.com'] }

const addresses = [
  ...[
    '127.0.0.1',
    '10.1.2.3',
    '172.31.255.255',
    '192.168.0.1',
    '169.254.169.254',
    '100.64.0.1',
    '0.0.0.0',
    '8.8.8.8',
    '1.1.1.1',
  ],
  ...[
    '224.0.0.1',
    '255.255.255.255',
    '198.51.100.7',
    '::1',
    '::',
    '::ffff:10.0.0.7',
    '::ffff:808:808',
    '64:ff9b::a00:1',
  ],
  ...[
    '64:ff9b::808:808',
    '2002:a00:1::',
    'fe80::1%eth0',
    'fc00::1',
    'fd00:ec2::254',
    '2606:4700::1111',
    '2001:db8::1',
    '::10.0.0.1',
  ],
  ...['2001::1', '3fff::1', 'ff02::1', '2a00:1450::5efe:a00:1', '100::1', '::ffff:0:10.0.0.1', '0:0:0:0:0:ffff:7f00:1'],
]
const names = [
  'receiver.example',
  'localhost',
  'a.localhost',
  'localhost.',
  'xn--nxasmq6b.example',
  'b\u00fccher.example',
  'a_b.example',
]
const allows = [
  '',
  '10.0.0.0/8',
  '127.0.0.1',
  '::1',
  '::ffff:10.0.0.0/104',
  'receiver.example',
  '*.example',
  'localhost,fc00::/7',
]

/** Endpoints' URLs, what names resolve to, and where it may lead: nothing inside is reached unless the operator said so. */
export const egress: Fuzzer = {
  name: 'egress',
  about: "endpoint URLs, DNS answers, allowed networks, fetched URLs: by a reading of one's own and net.BlockList",
  words: [
    ...[
      ...addresses,
      ...names,
      ...allows,
      'http://',
      'https://',
      '[',
      ']',
      ':80',
      ':0',
      '@',
      '0x7f',
      '0177',
      '2130706433',
      '%2e',
      '\u3002',
    ],
    ...[
      '127.1',
      '0x7f.1',
      '0x7f000001',
      '017700000001',
      '%31%32%37',
      '\uff11\uff12\uff17',
      '\u2460',
      '.0x',
      '0x',
      '1.2.3.08',
      'sns.us-east-1.amazonaws.com',
    ],
  ],
  make: (chance) => {
    const host = chance.comesTrue(0.6) ? spelledHost(chance) : pick(names, chance)
    const protocol = chance.comesTrue(0.1) ? 'HTTPS://' : chance.comesTrue(0.5) ? 'http://' : 'https://'
    const url = `${protocol}${host}${chance.comesTrue(0.2) ? ':8080' : ''}${chance.comesTrue(0.7) ? '/hook?a=1' : ''}`
    const answers = Array.from({ length: chance.between(0, 3) }, () => pick(addresses, chance))
    return inputOf(url, answers.join(','), pick(allows, chance))
  },
  judge: async (input) => {
    const [url = '', answerList = '', allowText = ''] = fieldsOf(input)
    const answers = answerList === '' ? [] : answerList.split(',')
    const read = attempt(() => parseEgressAllow(allowText), faultOf)
    const allow = 'value' in read ? read.value : nobody
    const kinds = answers.map(judgeAddress)
    judgeNetworks(allowText, answers)
    const alone = judgeUrl(url)
    const allowed = attempt(() => checkEndpointUrl(url, allow, '/url'), codeOf)
    const reached = 'refused' in allowed ? 'not asked' : await judgeGuard(url, answers, allow, allowText)
    return [
      alone,
      judgeOutside(url),
      kinds[0] ?? 'none',
      'refused' in allowed ? allowed.refused : 'taken',
      reached,
    ].join(' ')
  },
  longest: 1 << 14,
  read: (input) => {
    // What is allowed is written by the operator: it is not timed.
    const [url = '', answers = ''] = fieldsOf(input)
    return [
      attempt(() => checkEndpointUrl(url, nobody, '/url'), codeOf),
      checkOutsideUrl(url, outside),
      parseAddress(answers),
    ]
  },
  growths: [
    { before: 'http://', unit: 'a.', behind: 'example/' },
    { before: 'http://', unit: '1.', behind: '' },
    { before: 'http://a', unit: '%31', behind: '' },
    { before: inputOf('', ''), unit: '1.', behind: '' },
    { before: inputOf('', ''), unit: '1:', behind: ':' },
  ],
}

const pick = (list: readonly string[], chance: Chance): string => list[chance.between(0, list.length - 1)] ?? ''
const codeOf = (error: unknown): string | null => (error instanceof Problem ? error.code : null)
const faultOf = (error: unknown): string | null =>
  error instanceof Error && error.message.includes('neither a network nor a host name') ? 'no list' : null

/** One address in one of the ways that somebody might write it, or hide it. */
function spelledHost(chance: Chance): string {
  const address = pick(addresses, chance)
  const bytes = bytesOf(address) ?? []
  if (bytes.length === 16) return `[${chance.comesTrue(0.5) ? address : groupText(bytes)}]`
  const number = (value: number): string => {
    const base = chance.between(0, 4)
    return base === 0 ? `0x${value.toString(16)}` : base === 1 ? `0${value.toString(8)}` : String(value)
  }
  const [a = 0, b = 0, c = 0, d = 0] = bytes
  const parts = [[a, b, c, d], [a, b, c * 256 + d], [a, (b * 256 + c) * 256 + d], [((a * 256 + b) * 256 + c) * 256 + d]]
  const text = (parts[chance.comesTrue(0.5) ? 0 : chance.between(0, 3)] ?? [])
    .map(number)
    .join(chance.comesTrue(0.05) ? '\u3002' : '.')
  const dressed = chance.comesTrue(0.1)
    ? text.replaceAll(/\d/g, (digit) => String.fromCharCode(0xff10 + Number(digit)))
    : text
  return chance.comesTrue(0.1) ? `${dressed}.` : dressed
}

function judgeAddress(text: string): string {
  const [read, bytes] = [parseAddress(text), bytesOf(text)]
  hold((read === null) === (bytes === null), () => `"${text}" is read as ${read} and means ${bytes}`)
  if (read === null || bytes === null) return 'no-address'
  const kind = kindOfAddress(read)
  hold(
    (kind === 'public') === isPublic(bytes),
    () => `"${text}" is ${kind}, and is ${isPublic(bytes) ? '' : 'not '}public`,
  )
  return kind
}

/** Whether an address is in a network, asked of Node's own list. */
function judgeNetworks(allowText: string, answers: readonly string[]): void {
  for (const entry of allowText.split(',').map((text) => text.trim())) {
    const network = parseNetwork(entry)
    const [baseText = '', length] = entry.split('/')
    const base = bytesOf(baseText)
    if (network === null || base === null) continue
    for (const answer of answers) {
      const [read, bytes] = [parseAddress(answer), bytesOf(answer)]
      if (read === null || bytes === null) continue
      const list = new BlockList()
      const [four, text] = family(base)
      const prefix = length === undefined ? (four ? 32 : 128) : Number(length) - (four && base.length === 16 ? 96 : 0)
      list.addSubnet(text, prefix, four ? 'ipv4' : 'ipv6')
      const [isFour, plain] = family(bytes)
      const inside = isFour === four && list.check(plain, isFour ? 'ipv4' : 'ipv6')
      hold(isWithin(read, network) === inside, () => `"${answer}" is ${inside ? '' : 'not '}within "${entry}"`)
    }
  }
}

/** Whether it is IPv4, also in the coat of IPv6, and as text. */
function family(bytes: readonly number[]): readonly [boolean, string] {
  if (bytes.length === 4) return [true, bytes.join('.')]
  const coat = bytes.slice(0, 12).join(',') === '0,0,0,0,0,0,0,0,0,0,255,255'
  return coat ? [true, bytes.slice(12).join('.')] : [false, groupText(bytes)]
}

/** Where nobody has allowed anything, a URL that is taken must not mean anything inside. */
function judgeUrl(url: string): string {
  const taken = attempt(() => checkEndpointUrl(url, nobody, '/url'), codeOf)
  const means = hostMeans(url)
  const inside = means !== null && ('loopback' in means || !isPublic(means.bytes))
  if ('refused' in taken) {
    hold(
      taken.refused !== 'endpoint-url-private' || inside,
      () => `"${url}" is refused for leading inside, and does not`,
    )
    return taken.refused
  }
  hold(!inside, () => `"${url}" leads inside, and is taken`)
  hold(taken.value === url && URL.canParse(url), () => `"${url}" is not kept as it was spelled`)
  return means === null ? 'name' : 'address'
}

async function judgeGuard(
  url: string,
  answers: readonly string[],
  allow: EgressAllow,
  allowText: string,
): Promise<string> {
  const { hostname } = new URL(url)
  try {
    const reached = await makeGuard(allow, async () => answers)(hostname)
    hold(reached.length > 0, () => `"${hostname}" may be reached nowhere`)
    const all = hostMeans(url) !== null || reached.length === answers.length
    hold(
      all,
      () => `"${hostname}" is "${answers}", and only "${reached}" of it may be reached: one bad address spoils all`,
    )
    for (const address of reached) {
      const bytes = bytesOf(address)
      hold(bytes !== null, () => `"${address}" is no address, and may be reached`)
      if (isPublic(bytes)) continue
      const named = allow.networks.some((network) => isWithin(parseAddress(address) ?? network.base, network))
      const vouched = !isMetadata(bytes) && isVouchedFor(hostname, allowText)
      hold(named || vouched, () => `"${hostname}" may reach "${address}" with "${allowText}"`)
    }
    return 'reached'
  } catch (error) {
    if (!(error instanceof Unreachable)) throw error
    const asked = hostMeans(url) === null ? answers : [url]
    const bad = asked.some((address) => !isPublic(bytesOf(address) ?? []))
    hold(error.reason !== 'blocked' || bad, () => `"${hostname}" is blocked, though "${answers}" are public`)
    return error.reason
  }
}

function isVouchedFor(hostname: string, allowText: string): boolean {
  const host = hostname.toLowerCase().replace(/\.$/, '')
  return allowText
    .split(',')
    .map((entry) => entry.trim().toLowerCase().replace(/\.$/, ''))
    .some((entry) => (entry.startsWith('*.') ? host.endsWith(entry.slice(1)) : entry === host))
}

/** What is fetched for a stranger is at one of the hosts that were meant, whichever reader looks at the URL. */
function judgeOutside(url: string): string {
  if (!checkOutsideUrl(url, outside).ok) return 'not-outside'
  const { protocol, hostname, port, username, password } = new URL(url)
  const host = url
    .slice('https://'.length)
    .split(/[/?#\\:@]/, 1)[0]
    ?.toLowerCase()
  const meant = /^(?:sns\.[a-z]+-[a-z-]+-\d+\.amazonaws\.com|[a-z0-9.-]+\.example\.com)$/.test(hostname)
  const plain = protocol === 'https:' && port === '' && username === '' && password === '' && host === hostname
  hold(meant && plain, () => `"${url}" would be fetched from elsewhere`)
  return 'outside'
}
