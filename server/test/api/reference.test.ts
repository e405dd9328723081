import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type Operation, openapi, operations, problems } from '@posthorn/contract'
import { openDatabase } from '../support/database.ts'
import { startTestServer, type TestServer } from '../support/server.ts'

let server: TestServer
before(async () => {
  server = await startTestServer()
  await server.svix.application.create({ name: 'A', uid: 'a' })
})
after(() => server.stop())

/** Without a key: what people read is open. */
async function read(
  path: string,
  method = 'GET',
): Promise<{ readonly status: number; readonly type: string; readonly text: string }> {
  const answer = await fetch(`${server.url}${path}`, { method })
  return { status: answer.status, type: answer.headers.get('content-type') ?? '', text: await answer.text() }
}

test('the reference is the table, printed; and it is open to read', async () => {
  const { status, type, text } = await read('/openapi.json')
  assert.deepEqual([status, type], [200, 'application/json; charset=utf-8'])
  const document = JSON.parse(text)
  assert.deepEqual(
    document,
    JSON.parse(JSON.stringify(openapi({ version: document.info.version, publicUrl: document.servers[0].url }))),
  )
})

test('the reference page comes whole from this server', async () => {
  const { status, type, text } = await read('/docs')
  assert.deepEqual([status, type], [200, 'text/html; charset=utf-8'])
  const parts = [...text.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, path]) => path ?? '')
  assert.ok(parts.length > 3)
  for (const part of parts) {
    assert.doesNotMatch(part, /^(https?:)?\/\//)
    assert.equal((await read(new URL(part, `${server.url}/docs`).pathname)).status, 200, part)
  }
})

test('every problem has a page, and the page of none is not found', async () => {
  const list = await read('/docs/problems')
  for (const [code, { title }] of Object.entries(problems)) {
    assert.ok(list.text.includes(`/docs/problems/${code}"`), code)
    const { status, type, text } = await read(`/docs/problems/${code}`)
    assert.deepEqual([status, type], [200, 'text/html; charset=utf-8'])
    assert.ok(text.includes(`<title>${title.replaceAll("'", '&#39;')}</title>`), code)
    assert.doesNotMatch(
      text.replaceAll(/<\/?(!doctype html|html|meta|title|style|p|a|h1|h2|code)\b[^>]*>/g, ''),
      /<[a-z]/i,
      code,
    )
  }
  assert.equal((await read('/docs/problems/toString')).status, 404)
  assert.equal((await read('/docs/problems/%3Cscript%3E')).status, 404)
})

test('the front page leads to the reference, the problems, health and metrics', async () => {
  const { status, text } = await read('/')
  assert.equal(status, 200)
  for (const [, path = ''] of text.matchAll(/href="([^"]+)"/g)) assert.ok((await read(path)).status < 300, path)
})

test('metrics are text for Prometheus', async () => {
  const { status, type, text } = await read('/metrics')
  assert.equal(status, 200)
  assert.match(type, /^text\/plain/)
  assert.match(text, /^# (HELP|TYPE) /m)
})

test('every GET has a HEAD with the same status and headers, and no body', async () => {
  const all: readonly Operation[] = Object.values(operations)
  const paths = all
    .filter(({ method }) => method === 'GET')
    .map(({ path }) => path.replace('{app_id}', 'a').replaceAll(/\{\w+\}/g, 'nowhere'))
  const shown = ['content-type', 'content-length', 'link', 'allow']
  let found = 0
  for (const path of [...paths, '/', '/openapi.json', '/docs/problems', '/api/v1/nowhere']) {
    const get = await server.fetch(path)
    const head = await server.fetch(path, { method: 'HEAD' })
    await get.arrayBuffer()
    assert.equal(head.status, get.status, path)
    for (const name of shown) assert.equal(head.headers.get(name), get.headers.get(name), `${path} ${name}`)
    assert.equal((await head.arrayBuffer()).byteLength, 0)
    if (get.ok) found++
  }
  assert.ok(found >= 8, `${found} of them were found`)
})

test('a slash at the end of a path is not another path', async () => {
  const answer = await server.fetch('/api/v1/app/a/')
  assert.equal(JSON.parse(await answer.text()).uid, 'a')
})

test('a server whose store does not answer says so, and that it may pass, wherever it is asked', async () => {
  const broken = await startTestServer()
  await broken.store.close()
  for (const path of ['/api/v1/health', '/api/v1/app', '/api/v1/app/shop/msg']) {
    const answer = await broken.fetch(path)
    assert.deepEqual([answer.status, JSON.parse(await answer.text()).code], [503, 'unavailable'], path)
    assert.ok(Number(answer.headers.get('retry-after')) > 0, path)
  }
  const metrics = await fetch(`${broken.url}/metrics`)
  const text = await metrics.text()
  assert.equal(metrics.status, 200)
  assert.match(text, /^posthorn_in_flight 0$/m)
  assert.doesNotMatch(text, /^posthorn_stored_backlog \d/m, 'not known is not the same as none')
  await broken.stop().catch(() => {})
})

test('a defect of ours is answered with nothing but the name under which the log has it', async (t) => {
  const broken = await startTestServer()
  t.after(() => broken.stop())
  const disk = openDatabase(broken.databaseUrl)
  await disk.exec('alter table application rename to gone')
  await disk.close()
  const answer = await broken.fetch('/api/v1/app')
  const problem = JSON.parse(await answer.text())
  assert.deepEqual([answer.status, problem.code], [500, 'internal'])
  assert.match(problem.incident, /^inc_[\w-]{16}$/)
  assert.deepEqual(Object.keys(problem), ['type', 'title', 'status', 'code', 'detail', 'incident'])
  assert.equal(problem.detail, `The operator finds it in the log as ${problem.incident}.`)
})
