import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readCaptured } from './captured.ts'

const read = (raw: string) => {
  const { method, url, headers, body } = readCaptured(raw)
  return { method, url, headers: headers.map((pair) => [...pair]), body: Buffer.from(body).toString() }
}

const github = { method: 'POST', url: '/hooks?a=1', headers: [['X-GitHub-Event', 'push']], body: '{"n":1}' }

test('an HTTP message is read as it stands: request line, headers, an empty line, the body', () => {
  assert.deepEqual(read('POST /hooks?a=1 HTTP/1.1\r\nX-GitHub-Event:  push \r\n\r\n{"n":1}'), github)
  assert.deepEqual(read('X-GitHub-Event: push\n\n{"a":\n\n1}'), { ...github, url: '/', body: '{"a":\n\n1}' })
  assert.deepEqual(read('X-GitHub-Event: push'), { ...github, url: '/', body: '' })
})

test('what curl -v prints is read without what it says about itself', () => {
  const text = '* Connected to x\n> POST /hooks?a=1 HTTP/1.1\n> X-GitHub-Event: push\n> \n< HTTP/1.1 200 OK\n'
  assert.deepEqual(read(text), { ...github, body: '' })
})

test('a curl command is read as a shell would: quotes, continued lines, options with =', () => {
  const command = `curl -sS 'https://x.example/hooks?a=1' \\\n  -H 'X-GitHub-Event: push' --data-raw "{\\"n\\":1}"`
  assert.deepEqual(read(command), { ...github, url: 'https://x.example/hooks?a=1' })
  const other = `$ curl --request=PUT --url=https://x.example -H "A: it's" -d $'l\\n\\u00e9' -A agent -o out`
  assert.deepEqual(read(other), {
    ...{ method: 'PUT', url: 'https://x.example', body: 'l\né' },
    headers: [
      ['A', "it's"],
      ['user-agent', 'agent'],
    ],
  })
})

test('an entry of a log is read: headers as an object, with lists, or as pairs; the body as text, base64 or JSON', () => {
  const headers = { 'X-GitHub-Event': 'push' }
  assert.deepEqual(read(JSON.stringify({ method: 'POST', url: '/hooks?a=1', headers, body: '{"n":1}' })), github)
  const lambda = { httpMethod: 'POST', rawPath: '/hooks', rawQueryString: 'a=1', headers, isBase64Encoded: true }
  assert.deepEqual(read(JSON.stringify({ ...lambda, body: Buffer.from('{"n":1}').toString('base64') })), github)
  const nested = { request: { url: '/hooks?a=1', headers: [['X-GitHub-Event', 'push']], body: { n: 1 } } }
  assert.deepEqual(read(JSON.stringify(nested)), github)
  assert.deepEqual(read('{"headers":{"A":["1","2"]}}').headers, [
    ['A', '1'],
    ['A', '2'],
  ])
})

test('what is none of these is the body, whatever it is', () => {
  for (const body of ['{"id":"evt_1","type":"x"}', '{"broken":', 'a=1&b=2', '<xml/>', '']) {
    assert.deepEqual(read(body), { method: 'POST', url: '/', headers: [], body })
  }
})

test('nothing that is pasted takes longer than it is long', () => {
  const begun = performance.now()
  for (const char of ["'", '"', '\\', ':', '\n', '$', ' ', "$'\\'", '"\\"', '-H ']) {
    const many = char.repeat(60_000)
    for (const text of [`curl ${many}`, `curl ${many}x`, many, `a${many}`, `a: x${many}y`]) readCaptured(text)
  }
  assert.ok(performance.now() - begun < 3_000)
})

test('in double quotes two backslashes before the end of a line are one, and the line goes on as it was', () => {
  const { body } = readCaptured('curl https://x.example -d "a\\\\\nb\\\nc"')
  assert.equal(Buffer.from(body).toString(), 'a\\\nbc')
})
