// The quickstart, as its README has it: every command is run as it stands there, but for the
// ports, and two people work on one board.
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { free_ports } from '../flow/lib/ports.mjs';
import { program, sanitizer_report } from '../flow/lib/sidecast.mjs';
import { until } from '../flow/lib/wait.mjs';
import { laptop, launch, open, phone } from './lib/page.mjs';

const root = path.join(path.dirname(fileURLToPath(import.meta.url)), '../..');
const seen_ms = 15_000;

// A copy of what the README needs, with ports of its own; a release is built already.
async function lay_out(folder) {
  const ports = Object.fromEntries((await free_ports(4)).map((port, i) => [[3000, 7410, 7411, 7412][i], port]));
  const example = path.join(folder, 'examples/quickstart');
  mkdirSync(path.join(folder, 'build/release'), { recursive: true });
  symlinkSync(program, path.join(folder, 'build/release/sidecast'));
  symlinkSync(path.join(root, 'node_modules'), path.join(folder, 'node_modules'));
  writeFileSync(path.join(folder, 'dev'), '#!/bin/sh\n');
  chmodSync(path.join(folder, 'dev'), 0o755);
  cpSync(path.join(root, 'examples/quickstart'), example, {
    recursive: true, filter: (from) => path.basename(from) !== 'secrets',
  });
  for (const name of ['README.md', 'backend.mjs', 'sidecast.yaml']) {
    const file = path.join(example, name);
    writeFileSync(file, readFileSync(file, 'utf8').replace(/\b(3000|741[012])\b/g, (port) => ports[port]));
  }
  const readme = readFileSync(path.join(example, 'README.md'), 'utf8');
  return {
    blocks: [...readme.matchAll(/^```sh\n([^]*?)^```/gm)].map(([, block]) => block),
    pages: [...readme.matchAll(/<(http:[^>]+)>/g)].map(([, url]) => url),
  };
}

// What runs on, in a terminal of its own.
function begin(folder, script) {
  const child = spawn('bash', ['-ec', script], { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
  child.said = '';
  child.ended = new Promise((resolve) => child.on('exit', resolve));
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (data) => { child.said += data; });
  return child;
}

async function open_board(browser, url, device) {
  const page = await open(browser, url, device);
  await page.waitForSelector('#state[data-state="connected"]', { timeout: seen_ms });
  await page.waitForSelector('.card', { timeout: seen_ms });
  return page;
}

const in_column = (page, column, task) =>
  page.waitForSelector(`[data-column="${column}"] [data-task="${task}"]`, { timeout: seen_ms });

async function work_together(ada, grace, publish_both) {
  await ada.click('[data-task="3"] .on');
  await in_column(grace, 'doing', 3);
  await grace.fill('#title', '<b>bold</b> & new');
  await grace.click('#add button');
  await in_column(ada, 'todo', 6);
  assert.equal(await ada.textContent('[data-task="6"] .title'), '<b>bold</b> & new');
  await until(async () => {
    await grace.focus('#title');
    await grace.focus('[data-task="5"] .on');
    return await ada.textContent('[data-task="5"] .who') === 'Grace';
  }, seen_ms);
  assert.equal(await grace.textContent('[data-task="5"] .who'), '', 'not to herself');

  const [kept, refused] = await publish_both();
  assert.deepEqual([kept.recipients, kept.rooms], [2, ['project:7']]);
  assert.deepEqual([refused.code, refused.errors[0].pointer], ['E_BAD_PAYLOAD', '/data/to']);
  for (const page of [ada, grace]) {
    await in_column(page, 'doing', 4);
    assert.match(await page.textContent('#feed'), /curl moved “Water the plants” to Doing/);
    assert.deepEqual(page.complaints, []);
    const width = await page.evaluate(() => [document.documentElement.scrollWidth, window.innerWidth]);
    assert.equal(width[0], width[1], 'no sideways scrolling');
  }
}

test('the quickstart runs as its README says, and two people see one board', async (t) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'sidecast-test-'));
  const { blocks, pages } = await lay_out(folder);
  const [setup, serve, backend, ...publishes] = blocks;
  const shell = async (script) => (await promisify(execFile)('bash', ['-ec', script], { cwd: folder, timeout: 30_000 }));
  const running = [];
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  t.after(() => running.forEach((child) => child.kill('SIGKILL')));
  assert.deepEqual([serve, backend, publishes.length], ['sidecast serve -c sidecast.yaml\n', 'node backend.mjs\n', 2]);

  const checked = await shell(`${setup}sidecast check-config sidecast.yaml`);
  assert.match(checked.stdout, /is good\n$/);
  assert.equal(checked.stderr, '', 'no warning');
  for (const [script, words] of [[serve, /is ready\./], [backend, /the board is at/]]) {
    const child = begin(folder, `${setup}exec ${script}`);
    running.push(child);
    await until(() => words.test(child.said), 20_000, () => `not ready: ${child.said}`);
  }
  assert.deepEqual(readdirSync(path.join(folder, 'examples/quickstart/secrets')), ['api.keys', 'jwt.key']);
  const browser = await launch();
  try {
    const ada = await open_board(browser, pages[0], laptop), grace = await open_board(browser, pages[1], phone);
    await work_together(ada, grace, async () => [
      JSON.parse((await shell(setup + publishes[0])).stdout), JSON.parse((await shell(setup + publishes[1])).stdout)]);
  } finally {
    await browser.close();
  }
  for (const child of running)
    child.kill('SIGTERM');
  assert.equal(await running[0].ended, 0, running[0].said);
  assert.doesNotMatch(running[0].said, sanitizer_report);
  assert.doesNotMatch(running[0].said, / (warn|error) /);
  await running[1].ended;
});
