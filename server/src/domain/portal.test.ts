import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Capability, capabilities, capabilitiesOf, covers, shownWith } from './portal.ts'

test('each capability covers what it says and no more', () => {
  const covered: Readonly<Record<Capability, readonly Capability[]>> = {
    ViewBase: ['ViewBase'],
    ViewEndpointSecret: ['ViewEndpointSecret'],
    ManageEndpointSecret: ['ViewEndpointSecret', 'ManageEndpointSecret'],
    ManageTransformations: ['ManageTransformations'],
    CreateAttempts: ['CreateAttempts'],
    ManageEndpoint: ['ViewEndpointSecret', 'ManageEndpointSecret', 'ManageEndpoint'],
  }
  for (const held of capabilities) {
    assert.deepEqual(
      capabilities.filter((needed) => covers([held], needed)),
      covered[held],
      held,
    )
  }
  assert.equal(covers([], 'ViewBase'), false)
})

test('a token gets everything unless told what, always the base, and nothing else when it only reads', () => {
  assert.deepEqual(capabilitiesOf(null, false), capabilities)
  assert.deepEqual(capabilitiesOf([], false), ['ViewBase'])
  assert.deepEqual(capabilitiesOf(['CreateAttempts', 'CreateAttempts'], false), ['ViewBase', 'CreateAttempts'])
  assert.deepEqual(capabilitiesOf(null, true), ['ViewBase'])
  assert.deepEqual(capabilitiesOf(['ManageEndpoint'], true), ['ViewBase'])
})

test('an event type is shown when it has no flags, or one that is held', () => {
  const shown = (featureFlags: readonly string[] | null, held: readonly string[]) => shownWith(held, { featureFlags })
  assert.ok(shown(null, []))
  assert.ok(shown([], []))
  assert.ok(shown(['beta', 'eu'], ['eu']))
  assert.ok(!shown(['beta'], []))
  assert.ok(!shown(['beta'], ['eu']))
})
