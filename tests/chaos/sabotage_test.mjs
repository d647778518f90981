// Every sabotage is caught: with a part of the server switched off, the scenario that guards it fails.
import assert from 'node:assert/strict';
import test from 'node:test';
import { chaos } from './lib/call.mjs';
import { scenarios } from './lib/scenarios.mjs';

for (const { name, sabotage } of scenarios.filter((row) => row.sabotage.length))
  test(`${name}: ${sabotage.map(({ switches }) => switches.join(' ')).join(', ')}`, async (t) => {
    const text = await chaos(t, '--sabotage', '--scenario', name);
    assert.equal(text.match(/^caught: /gm).length, sabotage.length, text);
  });
