// Requests as the providers' own libraries sign them: judges of our verification that are not ours.

import { hmacValidator } from '@adyen/api-library'
import { Signature } from '@hubspot/api-client'
import { sign as signOctokit } from '@octokit/webhooks-methods'
import { Webhook as StandardWebhook } from 'standardwebhooks'
import { Stripe } from 'stripe'
import { Webhook as SvixWebhook } from 'svix'
import twilio from 'twilio'

export interface Signed {
  readonly headers: readonly string[]
  readonly body: Buffer
}

export interface Signer {
  /** The npm package that signs. */
  readonly name: string
  readonly type: string
  /** Two secrets of the form that the provider gives out. */
  readonly secrets: readonly [string, string]
  /** The name of the header that has the signature; null: it is in the body. */
  readonly header: string | null
  /** Whether the signature is bound to a time. */
  readonly clock: boolean
  /** What is verified although the body was changed so: it is not all that is signed. */
  readonly survives: readonly ('re-serialised' | 'newline')[]
  /** `at` in seconds; `url` as the provider knows it; `id` differs from event to event. */
  readonly sign: (secret: string, at: number, url: string, id: string) => Promise<Signed> | Signed
  /** Where a byte is flipped that is signed: a text in the body. */
  readonly flip: string
}

const json = (type: string): readonly string[] => ['Content-Type', type]
// Spaces and a number spelled as no JavaScript would: to print it anew is to change it.
const event = (id: string): string => `{ "id": "${id}", "type": "order.paid", "total": 12.50, "name": "Zoë ☃" }`
const stripe = new Stripe('sk_test_none')
const whsec = (fill: string): string => `whsec_${Buffer.from(fill.repeat(24)).toString('base64')}`

export const signers: readonly Signer[] = [
  {
    name: 'stripe',
    type: 'stripe',
    secrets: ['whsec_first_of_two', 'whsec_second_of_two'],
    header: 'Stripe-Signature',
    clock: true,
    survives: [],
    flip: 'order.paid',
    sign(secret, timestamp, _, id) {
      const payload = event(id)
      const header = stripe.webhooks.generateTestHeaderString({ payload, secret, timestamp })
      return { headers: [...json('application/json'), 'Stripe-Signature', header], body: Buffer.from(payload) }
    },
  },
  {
    name: 'standardwebhooks',
    type: 'standard-webhooks',
    secrets: [whsec('a'), whsec('b')],
    header: 'webhook-signature',
    clock: true,
    survives: [],
    flip: 'order.paid',
    sign(secret, at, _, id) {
      const body = event(id)
      const signature = new StandardWebhook(secret).sign(id, new Date(at * 1000), body)
      const own = ['webhook-id', id, 'webhook-timestamp', `${at}`, 'webhook-signature', signature]
      return { headers: [...json('application/json'), ...own], body: Buffer.from(body) }
    },
  },
  {
    name: 'svix',
    type: 'svix',
    secrets: [whsec('c'), whsec('d')],
    header: 'svix-signature',
    clock: true,
    survives: [],
    flip: 'order.paid',
    sign(secret, at, _, id) {
      const body = event(id)
      const signature = new SvixWebhook(secret).sign(id, new Date(at * 1000), body)
      const own = ['svix-id', id, 'svix-timestamp', `${at}`, 'svix-signature', signature]
      return { headers: [...json('application/json'), ...own], body: Buffer.from(body) }
    },
  },
  {
    name: '@octokit/webhooks-methods',
    type: 'github',
    secrets: ['first of two', 'second of two'],
    header: 'X-Hub-Signature-256',
    clock: false,
    survives: [],
    flip: 'order.paid',
    async sign(secret, _, __, id) {
      const body = event(id)
      const own = [
        'X-GitHub-Event',
        'push',
        'X-GitHub-Delivery',
        id,
        'X-Hub-Signature-256',
        await signOctokit(secret, body),
      ]
      return { headers: [...json('application/json'), ...own], body: Buffer.from(body) }
    },
  },
  {
    name: 'twilio',
    type: 'twilio',
    secrets: ['12345', '67890'],
    header: 'X-Twilio-Signature',
    clock: false,
    // The fields are signed in order of their names, whatever order they come in.
    survives: ['re-serialised'],
    flip: 'Delivered',
    sign(secret, _, url, id) {
      const fields = { MessageSid: id, SmsStatus: 'Delivered', To: '+18005551212', From: '+14158675309' }
      const signature = twilio.getExpectedTwilioSignature(secret, url, fields)
      return {
        headers: [...json('application/x-www-form-urlencoded'), 'X-Twilio-Signature', signature],
        body: Buffer.from(new URLSearchParams(fields).toString()),
      }
    },
  },
  {
    name: '@hubspot/api-client',
    type: 'hubspot',
    secrets: ['yyyyyyyy-yyyy-yyyy-yyyy-yyyyyyyyyyyy', 'zzzzzzzz-zzzz-zzzz-zzzz-zzzzzzzzzzzz'],
    header: 'X-HubSpot-Signature-v3',
    clock: true,
    survives: [],
    flip: 'contact.creation',
    sign(clientSecret, at, url, id) {
      const requestBody = `[{ "eventId": "${id}", "subscriptionId": 1, "objectId": 2.50, "occurredAt": ${at}000, "subscriptionType": "contact.creation" }]`
      const timestamp = at * 1000
      const signature = Signature.getSignature('POST', 'v3', { clientSecret, requestBody, url, timestamp } as never)
      const own = ['X-HubSpot-Request-Timestamp', `${timestamp}`, 'X-HubSpot-Signature-v3', signature]
      return { headers: [...json('application/json'), ...own], body: Buffer.from(requestBody) }
    },
  },
  {
    name: '@adyen/api-library',
    type: 'adyen',
    secrets: [
      '11223344D785FBAE710E7F943F307971BB61B21281C98C9129B3D4018A57B2EB',
      'DFB1EB5485895CFA84146406857104ABB4CBCABDC8AAF103A624C8F6A3EAAB00',
    ],
    header: null,
    clock: false,
    // Eight fields of each item are signed, and nothing else.
    survives: ['re-serialised', 'newline'],
    flip: 'AUTHORISATION',
    sign(key, _, __, id) {
      const item = {
        pspReference: id,
        originalReference: '',
        merchantAccountCode: 'TestMerchant',
        merchantReference: 'order-1',
        amount: { value: 1130, currency: 'EUR' },
        eventCode: 'AUTHORISATION',
        success: 'true',
        eventDate: '2026-01-01T00:00:00+00:00',
        paymentMethod: 'visa',
        reason: '',
      }
      const hmacSignature = new hmacValidator().calculateHmac(item as never, key)
      const signed = { ...item, additionalData: { hmacSignature } }
      const body = JSON.stringify({ live: 'false', notificationItems: [{ NotificationRequestItem: signed }] }, null, 1)
      return { headers: json('application/json'), body: Buffer.from(body) }
    },
  },
]
