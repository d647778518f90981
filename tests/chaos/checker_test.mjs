// The checker itself: it believes every history of a server that keeps its word, and finds out
// each that does not.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { bound, random_from } from '../flow/lib/wait.mjs';
import { check, describe } from './lib/check.mjs';
import { invent, mutations } from './lib/invent.mjs';

const at = (seq, epoch = 'epochAAA') => `${epoch}-${seq.toString(36)}`;
let clock = 0;
const in_time = (records) => records.map((record, i) => ({ ...record, at: record.at < 0 ? record.at : i }));
const long_ago = (records) => records.map((record) => ({ ...record, at: record.at - 20e9 }));
const publish = (id, seq, room = 'a', epoch = undefined) => [
  { at: ++clock, who: 'p', op: 'publish', phase: 'invoke', room, id },
  { at: ++clock, who: 'p', op: 'publish', phase: 'ok', room, id, position: at(seq, epoch) },
];
const attempt = (id, phase = 'unknown', room = 'a') => [
  { at: ++clock, who: 'p', op: 'publish', phase: 'invoke', room, id },
  { at: ++clock, who: 'p', op: 'publish', phase, room, id },
];
const asked = (who, op, phase, room = 'a') => ({ at: ++clock, who, op, phase, room });
const joined = (who, room = 'a') => asked(who, 'join', 'ok', room);
const did = (who, op, id) => ({ at: ++clock, who, op, id });
const got = (who, id, seq) => ({ at: ++clock, who, op: 'recv', id, position: at(seq) });
const back = (who, recovered) => ({ at: ++clock, who, op: 'connect', recovered });
const x = (id) => did('x', 'recv', id);
const gone = () => did('x', 'disconnect');

// [what happened, the rule that it breaks or null, the records].
const histories = [
  ['all is well', null, () => [joined('x'), ...publish('1', 1), x('1'), ...publish('2', 2), x('2')]],
  ['one is missing', 'a', () => [joined('x'), ...publish('1', 1), ...publish('2', 2), x('2')]],
  ['the last is missing', 'a', () => [joined('x'), ...publish('1', 1), x('1'), ...publish('2', 2)]],
  ['one comes twice', 'a', () => [joined('x'), ...publish('1', 1), x('1'), x('1')]],
  ['two change places', 'b', () => [joined('x'), ...publish('1', 1), ...publish('2', 2), x('2'), x('1')]],
  ['nobody published it', 'c', () => [joined('x'), x('1')]],
  ['it is of another room', 'c', () => [joined('x'), ...publish('1', 1, 'b'), x('1')]],
  ['it was refused', 'c', () => [joined('x'), ...attempt('1', 'fail'), x('1')]],
  ['without an answer: nobody', null, () => [joined('x'), joined('y'), ...attempt('1')]],
  ['without an answer: everybody', null, () => [joined('x'), joined('y'), ...attempt('1'), x('1'), did('y', 'recv', '1')]],
  ['without an answer: some', 'd', () => [joined('x'), joined('y'), ...attempt('1'), x('1')]],
  ['without an answer, but a place: some', 'd', () => [joined('x'), joined('y'), ...attempt('1'), got('x', '1', 1)]],
  ['published again, another place', 'd', () => [...publish('1', 1), ...publish('1', 2)]],
  ['received at another place', 'd', () => [joined('x'), ...publish('1', 1), got('x', '1', 2)]],
  ['the log turns the order', 'e', () => [...publish('1', 2), ...publish('2', 1)]],
  ['a new log does not', null, () => [...publish('1', 2), ...publish('2', 1, 'a', 'epochBBB')]],
  ['what came before the join', null, () => [...publish('1', 1), joined('x')]],
  ['its gateway was behind when it joined', null, () => [...publish('1', 1), asked('x', 'join', 'invoke'), joined('x'), x('1')]],
  ['what came long before the join, delivered', 'c', () => [...long_ago(publish('1', 1)), asked('x', 'join', 'invoke'), joined('x'), x('1')]],
  ['it comes before the ack of the join', null, () => [asked('x', 'join', 'invoke'), ...publish('1', 1), x('1'), joined('x')]],
  ['it does not come before the ack of the join', null, () => [asked('x', 'join', 'invoke'), ...publish('1', 1), joined('x')]],
  ['begun before the join, behind what came', 'a', () => {
    const [begun, answered] = publish('2', 2);
    return [begun, joined('x'), ...publish('1', 1), x('1'), answered, ...publish('3', 3), x('3')];
  }],
  ['a join that was refused', 'c', () => [asked('x', 'join', 'invoke'), asked('x', 'join', 'fail'), ...publish('1', 1), x('1')]],
  ['a join without an answer', null, () => [asked('x', 'join', 'invoke'), asked('x', 'join', 'unknown'), ...publish('1', 1), x('1')]],
  ['it comes before the ack of the leave', null, () => [joined('x'), asked('x', 'leave', 'invoke'), ...publish('1', 1), x('1'), asked('x', 'leave', 'ok')]],
  ['it comes after the ack of the leave', 'c', () => [joined('x'), asked('x', 'leave', 'invoke'), asked('x', 'leave', 'ok'), ...publish('1', 1), x('1')]],
  ['what comes after the end', null, () => [joined('x'), ...publish('1', 1), x('1'), gone(), ...publish('2', 2)]],
  ['a hole before the end', 'a', () => [joined('x'), ...publish('1', 1), ...publish('2', 2), x('2'), gone()]],
  ['a loss that was told', null, () => [joined('x'), ...publish('1', 1), did('x', 'resync'), ...publish('2', 2), x('2')]],
  ['a loss after it was told', 'a', () => [joined('x'), did('x', 'resync'), ...publish('2', 2)]],
  ['a return without recovery', null, () => [joined('x'), gone(), ...publish('1', 1), back('x', false), joined('x'), ...publish('2', 2), x('2')]],
  ['it comes after a return without recovery', 'c', () => [joined('x'), gone(), back('x', false), ...publish('1', 1), x('1')]],
  ['recovered, and all is there', null, () => [joined('x'), gone(), ...publish('1', 1), back('x', true), x('1'), ...publish('2', 2), x('2')]],
  ['recovered, and one is missing', 'f', () => [joined('x'), gone(), ...publish('1', 1), ...publish('2', 2), back('x', true), x('2')]],
  ['recovered, and the last is missing', 'f', () => [joined('x'), gone(), ...publish('1', 1), back('x', true)]],
  ['recovered, and one comes again', 'a', () => [joined('x'), ...publish('1', 1), x('1'), gone(), back('x', true), x('1')]],
  ['recovered, and later one is lost', 'a', () => [joined('x'), gone(), back('x', true), ...publish('1', 1), ...publish('2', 2), x('2')]],
  ['recovered without having been there', 'f', () => [back('x', true)]],
  ['recovered five times', null, () => [joined('x'), ...[1, 2, 3, 4, 5].flatMap((n) => [gone(), ...publish(`${n}`, n), back('x', true), x(`${n}`)])]],
  ['away at the end', null, () => [joined('x'), gone(), back('x', true), ...publish('1', 1), gone()]],
];

test('the checker tells good histories from bad ones', () => {
  for (const [name, rule, make] of histories)
    assert.equal(check(in_time(make())).faults[0]?.rule ?? null, rule, name);
});

const seeds = 100;

test(`${seeds} invented histories are well`, (t) => {
  let deliveries = 0;
  for (let seed = 1; seed <= seeds; seed++) {
    const verdict = check(invent(seed));
    assert.deepEqual(verdict.faults, [], `seed ${seed}`);
    deliveries += verdict.deliveries;
  }
  t.diagnostic(`${deliveries} deliveries`);
  assert.ok(deliveries > 100 * seeds);
});

for (const [name, rule, spoil] of mutations)
  test(`found out: ${name}, rule (${rule})`, () => {
    let spoiled = 0;
    for (let seed = 1; seed <= seeds; seed++) {
      const random = random_from(seed);
      const records = spoil(random, invent(seed));
      if (!records)
        continue;
      spoiled++;
      const { faults } = check(records);
      assert.ok(faults.some((fault) => fault.rule === rule), `seed ${seed}: ${JSON.stringify(faults)}`);
    }
    assert.ok(spoiled > seeds / 2, `only ${spoiled} of ${seeds} could be spoiled`);
  });

// The square of so many would take minutes.
test('the work is linear: a history of 200,000 records is judged at once', (t) => {
  const records = invent(7, { steps: 200_000, clients: 20, rooms: 10 });
  const began = performance.now();
  assert.deepEqual(check(records).faults, []);
  const took = performance.now() - began;
  t.diagnostic(`${records.length} records ${took.toFixed(0)} ms`);
  assert.ok(took < bound(1000));
});

test('the command says the first broken rule and its lines', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'sidecast-check-'));
  const run = (name, records) => {
    const file = path.join(folder, name);
    writeFileSync(file, records.map((record) => `${JSON.stringify(record)}\n`).join(''));
    return spawnSync(process.execPath, [fileURLToPath(new URL('check.mjs', import.meta.url)), file], { encoding: 'utf8' });
  };
  const good = run('good.jsonl', [joined('x'), ...publish('1', 1), x('1')]);
  assert.equal(good.status, 0, good.stdout);
  assert.match(good.stdout, /1 events, 1 deliveries: lost 0, doubled 0, disordered 0, strange 0, false recovered 0\n/);
  const bad = run('bad.jsonl', [joined('x'), ...publish('1', 1), ...publish('2', 2), x('2')]);
  assert.equal(bad.status, 1);
  assert.match(bad.stdout, /first: rule \(a\) x: 1 did not come\n {2}line 1: .*"join".*\n {2}line 2: .*"invoke".*\n {2}line 3: .*"ok"/);
  rmSync(folder, { recursive: true });
});

test('the verdict has all in one line', () => {
  assert.equal(describe(check([])), '0 events, 0 deliveries: lost 0, doubled 0, disordered 0, strange 0, false recovered 0');
});
