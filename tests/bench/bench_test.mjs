// The bench itself: every scenario can be measured, nothing is lost, and the report has its
// shape. The figures of so small a run mean nothing and are not looked at.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { goal_text, make_row, median } from './lib/figures.mjs';

const here = path.dirname(fileURLToPath(import.meta.url));
const program = path.join(here, 'bench.mjs');
const client = path.join(here, '../../build/release/bench/bench_client');

function run(...args) {
  return new Promise((resolve) => {
    execFile(process.execPath, [program, ...args], { timeout: 60_000 },
      (error, stdout, stderr) => resolve({ code: error ? error.code : 0, stdout, stderr }));
  });
}

test('every scenario is measured without a loss and reported in its shape', async () => {
  assert.ok(existsSync(client), 'no release build with its bench programs: ./dev bench makes them');
  const folder = mkdtempSync(path.join(tmpdir(), 'sidecast-bench-test-'));
  const file = path.join(folder, 'bench.json');
  try {
    const names = (await run('--list')).stdout.trim().split('\n');
    const done = await run('--small', '--runs', '1', '--json', file);
    assert.equal(done.code, 0, done.stderr);
    const report = JSON.parse(readFileSync(file, 'utf8'));
    assert.deepEqual(Object.keys(report), ['machine', 'commit', 'runs', 'rows']);
    assert.equal(report.runs, 1);
    assert.deepEqual([...new Set(report.rows.map((row) => row.scenario))], names);
    for (const row of report.rows) {
      for (const name of ['value', 'min', 'max'])
        assert.equal(typeof row[name], 'number', `${name} of ${JSON.stringify(row)}`);
      assert.ok(row.figure && row.unit && row.min <= row.value && row.value <= row.max);
      assert.equal(row.limit === undefined, row.ratio === undefined);
      assert.match(done.stdout, new RegExp(`^${row.scenario} .*${row.figure}`, 'm'));
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test('what cannot be measured yet or does not exist is refused by name', async () => {
  for (const [name, reason] of [['batch', 'batch request'], ['fanout_1', 'no scenario']]) {
    const refused = await run('--scenario', name);
    assert.equal(refused.code, 2);
    assert.match(refused.stderr, new RegExp(`${name}.*${reason}|${reason} ${name}`));
  }
  assert.match((await run('--peers')).stderr, /--peers/);
});

test('a row has the median, the median of the pairs\' ratios, and a verdict', () => {
  const about = { scenario: 's', figure: 'f', unit: '/s' };
  const samples = [{ value: 90, limit: 100 }, { value: 40, limit: 50 }, { value: 300, limit: 300 }];
  const { row, verdict } = make_row({ ...about, goal: { ratio: 0.9 } }, samples);

  assert.deepEqual(row, { ...about, value: 90, limit: 100, ratio: 0.9, min: 40, max: 300 });
  assert.equal(verdict, 'met');
  assert.equal(make_row({ ...about, goal: { ratio: 0.91 } }, samples).verdict, 'MISSED');
  assert.equal(make_row({ ...about, goal: { at_most: 89 } }, samples).verdict, 'MISSED');
  assert.equal(make_row({ ...about, goal: { at_least: 89 } }, samples).verdict, 'met');
  assert.equal(goal_text({ at_most: 3 }), '<= 3');
  assert.equal(median([4, 1, 3, 2]), 2.5);
});
