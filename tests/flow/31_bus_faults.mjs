// The bus loses a fifth of its frames, doubles and reorders others, is cut a hundred times, and
// a gateway is stopped in the middle of it: nothing of that is seen by a client.
import assert from 'node:assert/strict';
import test from 'node:test';
import { bus_faults } from '../chaos/lib/bus_faults.mjs';
import { check, describe } from '../chaos/lib/check.mjs';
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

// --- the checker itself

const at = (seq, epoch = 'epochAAA') => `${epoch}-${seq.toString(36)}`;
let clock = 0;
const publish = (id, seq, room = 'a') => [
  { at: ++clock, who: 'p', op: 'publish', phase: 'invoke', room, id },
  { at: ++clock, who: 'p', op: 'publish', phase: 'ok', room, id, position: at(seq) },
];
const attempt = (id, phase = 'unknown', room = 'a') => [
  { at: ++clock, who: 'p', op: 'publish', phase: 'invoke', room, id },
  { at: ++clock, who: 'p', op: 'publish', phase, room, id },
];
const joined = (who, room = 'a') => ({ at: ++clock, who, op: 'join', phase: 'ok', room });
const did = (who, op, id) => ({ at: ++clock, who, op, id });

const histories = [
  ['all is well', null, () => [joined('x'), ...publish('1', 1), did('x', 'recv', '1'), ...publish('2', 2), did('x', 'recv', '2')]],
  ['one is missing', 'a', () => [joined('x'), ...publish('1', 1), ...publish('2', 2), did('x', 'recv', '2')]],
  ['the last is missing', 'a', () => [joined('x'), ...publish('1', 1), did('x', 'recv', '1'), ...publish('2', 2)]],
  ['one comes twice', 'a', () => [joined('x'), ...publish('1', 1), did('x', 'recv', '1'), did('x', 'recv', '1')]],
  ['two change places', 'b', () => [joined('x'), ...publish('1', 1), ...publish('2', 2), did('x', 'recv', '2'), did('x', 'recv', '1')]],
  ['nobody published it', 'c', () => [joined('x'), did('x', 'recv', '1')]],
  ['it is of another room', 'c', () => [joined('x'), ...publish('1', 1, 'b'), did('x', 'recv', '1')]],
  ['it was refused', 'c', () => [joined('x'), ...attempt('1', 'fail'), did('x', 'recv', '1')]],
  ['without an answer: nobody', null, () => [joined('x'), joined('y'), ...attempt('1')]],
  ['without an answer: everybody', null, () => [joined('x'), joined('y'), ...attempt('1'), did('x', 'recv', '1'), did('y', 'recv', '1')]],
  ['without an answer: some', 'd', () => [joined('x'), joined('y'), ...attempt('1'), did('x', 'recv', '1')]],
  ['the log turns the order', 'e', () => [...publish('1', 2), ...publish('2', 1)]],
  ['what came before the join', null, () => [...publish('1', 1), joined('x')]],
  ['what comes after the end', null, () => [joined('x'), ...publish('1', 1), did('x', 'recv', '1'), did('x', 'disconnect'), ...publish('2', 2)]],
  ['a hole before the end', 'a', () => [joined('x'), ...publish('1', 1), ...publish('2', 2), did('x', 'recv', '2'), did('x', 'disconnect')]],
  ['a loss that was told', null, () => [joined('x'), ...publish('1', 1), did('x', 'resync'), ...publish('2', 2), did('x', 'recv', '2')]],
  ['a loss after it was told', 'a', () => [joined('x'), did('x', 'resync'), ...publish('2', 2)]],
];

test('the checker tells good histories from bad ones', () => {
  for (const [name, rule, make] of histories)
    assert.equal(check(make()).faults[0]?.rule ?? null, rule, name);
});
