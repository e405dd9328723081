import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { type AppliedStep, readSteps, type Step, schemaState } from './migrations.ts'
import { migrate, sqliteApplied, sqliteSteps } from './sqlite/migrate.ts'

const step = (number: number, changes: Partial<Step> = {}): Step => ({
  ...{ number, name: `step_${'abc'[number - 1]}`, breaking: true, sql: `create table t${number} (id integer)` },
  ...changes,
})
const applied = (number: number, changes: Partial<AppliedStep> = {}): AppliedStep => ({
  ...{ number, name: `step_${'abc'[number - 1]}`, breaking: true, at: 0, version: '9.8.7' },
  ...changes,
})

test('every step says whether older programs can live with it, and both engines have the same ones', () => {
  const postgres = readSteps(new URL('./postgres/migrations/', import.meta.url))
  const told = (steps: readonly Step[]): unknown => steps.map(({ sql, ...rest }) => rest)
  assert.deepEqual(told(postgres), told(sqliteSteps()))
  for (const { number, name, sql } of [...postgres, ...sqliteSteps()])
    assert.match(sql, /^-- (compatible|breaking)\n/, `${number} ${name}`)
})

test('what is not noted is pending, in order, and nothing else', () => {
  const known = [step(1), step(2), step(3)]
  const state = schemaState(known, [applied(1)])
  assert.deepEqual(state, { kind: 'usable', pending: [known[1], known[2]], newer: [] })
})

test('steps of a newer version are no hindrance as long as all of them are compatible', () => {
  const newer = [applied(2, { breaking: false }), applied(3, { breaking: false })]
  assert.deepEqual(schemaState([step(1)], [applied(1), ...newer]), { kind: 'usable', pending: [], newer })

  const state = schemaState([step(1)], [applied(1), applied(2), applied(3, { breaking: false })])
  assert.ok(state.kind === 'refused')
  assert.match(state.because, /0002_step_b.*Start that version \(9\.8\.7 or later\), or restore the backup/)
})

test('a database whose step of a number is another one is refused', () => {
  const state = schemaState([step(1)], [applied(1, { name: 'another' })])
  assert.ok(state.kind === 'refused')
  assert.match(state.because, /0001_another, where this Posthorn .* has 0001_step_a/)
})

test('a step that fails leaves nothing behind but the steps before it, and is named', () => {
  const database = new DatabaseSync(':memory:')
  const broken = step(2, { sql: 'create table t2 (id integer); insert into nowhere values (1)' })
  assert.throws(() => migrate(database, [step(1), broken, step(3)]), /0002_step_b failed.*no such table: nowhere/s)
  assert.deepEqual(
    sqliteApplied(database).map(({ number }) => number),
    [1],
  )
  assert.throws(() => database.prepare('select * from t2'), /no such table/)

  assert.deepEqual(
    migrate(database, [step(1), step(2), step(3)]).applied.map(({ number }) => number),
    [2, 3],
  )
})

test('a database from before steps said whether they break is taken further, and its steps count as breaking', () => {
  const database = new DatabaseSync(':memory:')
  database.exec(`create table schema_step (number integer primary key, name text not null, at integer not null);
    create table t1 (id integer); insert into schema_step values (1, 'step_a', 5)`)
  assert.deepEqual(sqliteApplied(database), [applied(1, { at: 5, version: null })])
  migrate(database, [step(1), step(2, { breaking: false })])
  assert.deepEqual(
    sqliteApplied(database).map(({ number, breaking }) => [number, breaking]),
    [
      [1, true],
      [2, false],
    ],
  )
})
