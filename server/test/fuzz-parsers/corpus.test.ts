import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readCorpus } from './corpus.ts'
import { type Fuzzer, hold } from './fuzzer.ts'
import { fuzzers } from './fuzzers.ts'
import { growthFault } from './growth.ts'
import { headers } from './headers.ts'
import { fuzz, outcomeOf } from './run.ts'

for (const fuzzer of fuzzers) {
  test(`every input that was worth keeping is still read as it was: ${fuzzer.name}`, async () => {
    const cases = readCorpus(fuzzer.name)
    assert.ok(cases.length >= 10, `only ${cases.length} are kept`)
    for (const { input, outcome } of cases) {
      const seen = await outcomeOf(fuzzer, input)
      assert.ok('outcome' in seen, `${JSON.stringify(input)}: ${'why' in seen ? seen.why : ''}`)
      if (outcome !== null) assert.equal(seen.outcome, outcome, JSON.stringify(input))
    }
  })

  test(`a hundred inputs that nobody has seen yet break nothing: ${fuzzer.name}`, async () => {
    const { findings } = await fuzz({ fuzzer, seed: 7, timed: false, goesOn: (runs) => runs < 100 })
    assert.deepEqual(findings, [])
  })
}

function sumOf(text: string, weigh: (sign: number) => number): number {
  let sum = 0
  for (let at = 0; at < text.length; at++) sum += weigh(text.charCodeAt(at))
  return sum
}

/** A parser that is wrong about a single word. */
const sloppy: Fuzzer = {
  name: 'sloppy',
  about: 'a parser that cannot read abc',
  words: ['abc'],
  make: (chance) => 'x'.repeat(chance.between(1, 40)),
  judge: (input) => {
    hold(!input.includes('abc'), () => 'it cannot read "abc"')
    return String(Math.min(3, input.length))
  },
  longest: 1 << 17,
  read: (input) => sumOf(input, (sign) => sign),
  growths: [],
}

test('a defect is found and made as small as it can be, and what has a new outcome is kept', async () => {
  const result = await fuzz({ fuzzer: sloppy, seed: 1, timed: false, goesOn: (runs) => runs < 2_000 })
  assert.deepEqual(
    result.findings.map(({ input }) => input),
    ['abc'],
  )
  assert.ok(result.cases.some(({ input, outcome }) => input === 'abc' && outcome === null))
  assert.deepEqual([...new Set(result.cases.map(({ outcome }) => outcome))].sort(), ['0', '1', '2', '3', null])
})

test('work that grows with the square of a text is told from work that grows with the text, and hoarding from both', () => {
  const growth = { before: '', unit: 'x', behind: '' }
  const square = { ...sloppy, longest: 1 << 15, read: (input: string) => sumOf(input, () => sumOf(input, () => 1)) }
  const hoard = { ...sloppy, longest: 4_096, read: (input: string) => [...input].map(() => new Array(1_000).fill(0)) }
  assert.equal(growthFault(sloppy, growth), null)
  assert.match(growthFault(square, growth) ?? '', /square|are the most/)
  assert.match(growthFault(hoard, growth) ?? '', /KiB/)
})

test('who passed a request on is read in time that grows with the header, and no more: quotes left open, nothing but commas', () => {
  for (const growth of [
    { before: 'for="', unit: '\\"', behind: '' },
    { before: '', unit: ',', behind: 'x' },
  ]) {
    assert.equal(growthFault(headers, growth), null)
  }
})
