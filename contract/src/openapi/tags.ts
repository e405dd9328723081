/** What the operations of each tag are about. */
export const tagDescriptions: Readonly<Record<string, string>> = {
  Application: 'An application is one customer of the operator: it owns endpoints and messages.',
  Authentication: 'Portal tokens let a customer see and change what is its own, for a while.',
  'Background Task':
    'Work that takes longer than a request: it goes on by itself, survives a restart, and shows where it is.',
  Endpoint: 'An endpoint is where an application wants its messages, which of them, and how they are delivered.',
  Environment:
    'An environment is a wall around keys, applications and event types; what it says counts for all of them.',
  'Event Type': 'Event types name what happens, and may say by JSON Schema what the payload looks like.',
  Health: 'Whether the server can work.',
  Message: 'A message is an accepted fact, delivered to each endpoint of its application that wants it.',
  'Message Attempt': 'An attempt is one try to deliver a message to an endpoint, and is kept.',
  Node: 'A node is one process of the gateway; several share a PostgreSQL.',
  'Operational Webhook': 'Webhooks that tell the operator what becomes of endpoints, messages and tasks.',
  Quarantine: 'Requests that a source has refused, with why, kept apart until somebody has looked at them.',
  Received: 'What has come to a source, as it came.',
  Preset:
    'A preset says how one provider signs, shakes hands and names its events: data, of which a `custom` source has its own.',
  Source: "A source is a public door for a third party's webhooks: what passes becomes messages for its endpoints.",
  Statistics: 'Counts of what was sent.',
}
