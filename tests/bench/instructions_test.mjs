// The cost of the hot paths, in instructions and system calls of the release build, against
// the figures in instructions.json. A wanted rise is written down there:
//   ./dev bench --update-instructions
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { count_all, find_rises, print_figures, read_baseline, why_not } from './instructions.mjs';

test('a delivery and a publish cost what they did, within 10 %', { timeout: 120_000 }, async () => {
  assert.equal(why_not(), null);
  const baseline = read_baseline();
  const counted = await count_all(baseline);

  print_figures(baseline, counted);
  assert.deepEqual(find_rises(baseline, counted), []);
});

test('a rise of 15 % fails, one of 5 % and any fall do not', () => {
  for (const [name, was] of Object.entries(read_baseline())) {
    assert.deepEqual(find_rises({ [name]: was }, { [name]: was * 1.15 }).map((rise) => rise.name), [name]);
    assert.deepEqual(find_rises({ [name]: was }, { [name]: was * 1.05 }), []);
    assert.deepEqual(find_rises({ [name]: was }, { [name]: was * 0.5 }), []);
  }
});

test('a figure that is no longer counted fails', () => {
  assert.equal(find_rises({ delivery_native: 100 }, {}).length, 1);
});
