// The bus loses a fifth of its frames, doubles and reorders others, is cut a hundred times, and
// a gateway is stopped in the middle of it: nothing of that is seen by a client.
import assert from 'node:assert/strict';
import test from 'node:test';
import { bus_faults } from '../chaos/lib/bus_faults.mjs';
import { describe } from '../chaos/lib/check.mjs';
import { insist } from '../chaos/lib/keep.mjs';
import { bound } from './lib/wait.mjs';

test('loss on the bus is invisible: 100 clients, 2 gateways, 1,000 events/s [websocket native]', async (t) => {
  const run = await bus_faults({ ms: 9000, tails: 12 });
  const { verdict, figures } = run;
  t.diagnostic(`${describe(verdict)}; ${JSON.stringify(figures)}`);
  insist('31_bus_faults', run);
  assert.ok(figures.cuts >= 100, `${figures.cuts} cuts`);
  assert.ok(figures.repairs > 1000 && figures.tails > 100, 'frames were lost, and repaired');
  assert.ok(figures.repair_p99 <= bound(500), `repair p99 ${figures.repair_p99} ms`);
  assert.ok(figures.tail_max <= bound(250), `tail ${figures.tail_max} ms`);
});

test('without replay the same is a loss, and is noticed [websocket native]', async (t) => {
  const { verdict } = await bus_faults({
    sabotage: ['no-replay'], clients: 20, rate: 300, ms: 2500, cuts: 10, stop_ms: 500, tails: 1,
  });
  t.diagnostic(describe(verdict));
  assert.ok(verdict.lost > 0);
});
