import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { sendRequest } from '../support/sent-request.ts'
import { startTestServer, type TestServer } from '../support/server.ts'
import { type Signed, type Signer, signers } from './signers.ts'
import { newSource, receivedMessages } from './source.ts'

let server: TestServer
before(async () => {
  server = await startTestServer()
})
after(() => server.stop())

interface Case {
  readonly name: string
  readonly verified: (signer: Signer) => boolean
  /** The secrets of the source, in their order; usually the first. */
  readonly secrets?: readonly number[]
  /** Which secret signs; usually the first. */
  readonly signedBy?: 0 | 1
  /** Seconds before it arrives that it was signed. */
  readonly age?: number
  readonly change?: (signed: Signed, signer: Signer) => Signed
}

const never = (): boolean => false
const always = (): boolean => true

const inHeaders = (signed: Signed, change: (name: string, value: string) => readonly string[]): Signed => ({
  ...signed,
  headers: signed.headers.flatMap((name, at) => (at % 2 === 0 ? change(name, signed.headers[at + 1] ?? '') : [])),
})
const inBody = (signed: Signed, change: (text: string) => string): Signed => ({
  ...signed,
  body: Buffer.from(change(signed.body.toString('utf8'))),
})

/** The member of the body that has the signature, where no header has it. */
const withoutSignature = (signed: Signed): Signed =>
  inBody(signed, (text) => text.replace(/"hmacSignature": "[^"]*"/, '"other": 1'))

const printedAnew = (text: string): string =>
  text.startsWith('{') || text.startsWith('[')
    ? JSON.stringify(JSON.parse(text))
    : new URLSearchParams([...new URLSearchParams(text)].reverse()).toString()

const cases: readonly Case[] = [
  { name: 'as it was signed', verified: always },
  {
    name: 'one bit of the body flipped',
    verified: never,
    change: (signed, { flip }) =>
      inBody(signed, (text) => {
        assert.ok(text.includes(flip))
        return text.replace(flip, `${String.fromCharCode(flip.charCodeAt(0) ^ 1)}${flip.slice(1)}`)
      }),
  },
  {
    name: 'without its signature',
    verified: never,
    change: (signed, { header }) =>
      header === null
        ? withoutSignature(signed)
        : inHeaders(signed, (name, value) => (name === header ? [] : [name, value])),
  },
  { name: 'signed with another secret', verified: never, signedBy: 1 },
  { name: 'signed an hour ago', verified: ({ clock }) => !clock, age: 3600 },
  {
    name: 'its body printed anew',
    verified: ({ survives }) => survives.includes('re-serialised'),
    change: (signed) => inBody(signed, printedAnew),
  },
  { name: 'signed with the second of two secrets', verified: always, secrets: [0, 1], signedBy: 1 },
  {
    name: 'header names in another case',
    verified: always,
    change: (signed) => inHeaders(signed, (name, value) => [name.toUpperCase(), value]),
  },
  {
    name: 'its signature header twice',
    verified: always,
    change: (signed, { header }) =>
      inHeaders(signed, (name, value) => (name === header ? [name, value, name, value] : [name, value])),
  },
  {
    name: 'a newline added to the body',
    verified: ({ survives }) => survives.includes('newline'),
    change: (signed) => inBody(signed, (text) => `${text}\n`),
  },
]

const publicUrl = 'https://hooks.example.test/callback'

for (const signer of signers) {
  describe(`signed by ${signer.name}`, () => {
    for (const [number, { name, verified, secrets = [0], signedBy = 0, age = 0, change }] of cases.entries()) {
      test(`${name}: ${verified(signer) ? 'verified' : 'refused'}`, async () => {
        const source = await newSource(server, {
          type: signer.type,
          config: { secrets: secrets.map((at) => ({ value: signer.secrets[at] })) },
          mode: 'enforce',
          publicUrl,
        })
        const at = Math.floor(server.world.now() / 1000) - age
        const signed = await signer.sign(signer.secrets[signedBy], at, publicUrl, `evt_${number}`)
        const { headers, body } = change ? change(signed, signer) : signed
        const target = source.path
        const answer = await sendRequest({ method: 'POST', origin: server.url, target, headers, body })
        assert.equal(answer.status, verified(signer) ? 200 : 401, answer.body)
        const kinds = (await receivedMessages(server, source.id)).map(({ verification }) => verification.kind)
        assert.deepEqual(kinds, verified(signer) ? ['verified'] : [])
      })
    }
  })
}
