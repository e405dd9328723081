import assert from 'node:assert/strict'
import { test } from 'node:test'
import { allHold } from './conditions.ts'
import { RequestView } from './view.ts'

const request = {
  ...{ method: 'POST', target: '/in/x', headers: [], peer: '192.0.2.1', client: '192.0.2.1' },
  ...{ body: new Uint8Array(), receivedAt: 0 },
}
const view = new RequestView(request, { url: 'https://posthorn.example/in/x', pathLength: 5 })

test('a star stands for anything or nothing; the pieces beside it stand in their order, none on the ground of another', () => {
  for (const [like, those, others] of [
    ['abc', ['abc'], ['ab', 'abcd', 'xabc']],
    ['*', ['a'], []],
    ['a*', ['a', 'ab'], ['ba']],
    ['*c', ['c', 'bc'], ['cb']],
    ['a*a', ['aa', 'aba'], ['a']],
    ['a*b*c', ['abc', 'a-b-c', 'abbc'], ['ac', 'acb', 'cba']],
    ['a*bc*c', ['abcc', 'abcbc'], ['abc']],
    ['*b*b*', ['bb', 'abab'], ['b', 'ab']],
    ['a.c', ['a.c'], ['abc']],
  ] as const) {
    const isLike = (text: string): boolean => allHold([{ at: { setting: 'text' }, like }], view, { text })
    for (const text of those) assert.ok(isLike(text), `${text} is like ${like}`)
    for (const text of others) assert.ok(!isLike(text), `${text} is not like ${like}`)
  }
})
