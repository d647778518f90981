// docs/systems.md is written from a run of the systems' tests, by SIDECAST_UPDATE_DOCS=1, and must
// tell of every check that there is.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { updates_docs } from '../flow/lib/settings.mjs';
import { checks, list_only, title_of } from './lib/registry.mjs';

const here = path.dirname(fileURLToPath(import.meta.url));
const docs = path.join(here, '../../docs/systems.md');
const files = readdirSync(here).filter((name) => name.endsWith('.mjs') && readFileSync(path.join(here, name), 'utf8').includes('\nsystem('));
const begin = '<!-- tests/systems/report.mjs -->\n', end = '<!-- end -->';

const by_number = (a, b) => a.number.localeCompare(b.number, 'en', { numeric: true });

// One row for all transports of a check.
function rows_of(list) {
  const rows = new Map();
  for (const check of list) {
    const key = `${check.number} ${check.what}`;
    const row = rows.get(key) ?? { number: check.number, what: check.what, on: {} };
    row.on[check.transport ?? 'all'] = check;
    rows.set(key, row);
  }
  return [...rows.values()].sort(by_number);
}

function cell(row, transport, results) {
  const check = row.on[transport];
  if (!check)
    return '';
  if (check.pending)
    return `not yet: ${check.pending}`;
  return results.get(title_of(check)) ? 'passes' : 'FAILS';
}

function line_of(row, results) {
  const { all } = row.on;
  const cells = all
    ? [results.get(title_of(all)) ? `shown by ${all.shown_by}` : 'FAILS', '']
    : ['websocket', 'polling'].map((transport) => cell(row, transport, results));
  return `| ${[row.number, row.what, ...cells].map((text) => text.replaceAll('|', '\\|')).join(' | ')} |`;
}

function table_of(system, results) {
  const rows = rows_of(system.checks);
  const ready = rows.filter((row) => Object.values(row.on).every((check) => !check.pending)).length;
  return [`### ${system.name}`, '', `[examples/${system.name}](../examples/${system.name}): ${ready} of ${rows.length} checks are there.`, '',
    '| | what | websocket | polling |', '| --- | --- | --- | --- |', ...rows.map((row) => line_of(row, results)), ''].join('\n');
}

async function list_systems() {
  const systems = [];
  list_only();
  for (const file of files) {
    checks.length = 0;
    await import(path.join(here, file));
    systems.push({ name: path.basename(file, '.mjs'), checks: [...checks] });
  }
  return systems.sort((a, b) => by_number(a.checks[0], b.checks[0]));
}

// Title to whether it passed.
function run_all() {
  const args = ['--test', `--test-reporter=${path.join(here, 'lib/reporter.mjs')}`, '--test-reporter-destination=stdout',
    '--test-concurrency=1', ...files.map((file) => path.join(here, file))];
  let text;
  const env = { ...process.env };
  delete env.NODE_TEST_CONTEXT; // a run of its own
  try {
    text = execFileSync(process.execPath, args, { encoding: 'utf8', env, stdio: ['ignore', 'pipe', 'ignore'] });
  } catch (error) {
    text = error.stdout;
  }
  return new Map(text.split('\n').filter(Boolean).map((line) => JSON.parse(line)).map(({ name, passed }) => [name, passed]));
}

const section = (systems, results) => systems.map((system) => table_of(system, results)).join('\n');

test('docs/systems.md tells of every check', async () => {
  const systems = await list_systems();
  if (updates_docs) {
    const text = section(systems, run_all());
    const whole = readFileSync(docs, 'utf8');
    writeFileSync(docs, whole.slice(0, whole.indexOf(begin) + begin.length) + text + whole.slice(whole.indexOf(end)));
  }
  const all_pass = { get: () => true };
  const whole = readFileSync(docs, 'utf8');
  assert.ok(whole.includes(begin + section(systems, all_pass) + end),
    'docs/systems.md is stale, or tells of a failure: SIDECAST_UPDATE_DOCS=1 node --test tests/systems/report.mjs');
});
