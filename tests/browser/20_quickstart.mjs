// The quickstart, as its README has it: every command is run as it stands there, but for the
// ports, and two people work on one board; also while the server is killed, and when all is lost.
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { free_ports } from '../flow/lib/ports.mjs';
import { children_of, program, sanitizer_report } from '../flow/lib/sidecast.mjs';
import { until } from '../flow/lib/wait.mjs';
import { laptop, launch, open, phone } from './lib/page.mjs';

const root = path.join(path.dirname(fileURLToPath(import.meta.url)), '../..');
const seen_ms = 15_000;
const session_url = '**/session?*';

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

// What runs on, in a terminal of its own. Clocks are exact here.
function begin(folder, script) {
  const child = spawn('bash', ['-ec', script], {
    cwd: folder, stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, SIDECAST_AUTH_JWT_LEEWAY: '0s' },
  });
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

const says = (page, text) => page.waitForFunction((words) =>
  document.querySelector('#state-text').textContent === words, text, { timeout: seen_ms });
const move_as = (page, user, task, to) => page.evaluate(([who, body]) =>
  fetch(`/moves?user=${who}`, { method: 'POST', body }).then(({ status }) => status), [user, JSON.stringify({ task, to })]);

async function stop(sidecast) {
  sidecast.kill('SIGTERM');
  assert.equal(await sidecast.ended, 0, sidecast.said);
  assert.doesNotMatch(sidecast.said, sanitizer_report);
}

// The tokens that the page gets from now on are over in seconds.
async function shorten_tokens(page, key_file) {
  const key = readFileSync(key_file, 'utf8').trim();
  await page.route(session_url, async (route) => {
    const session = await (await route.fetch()).json();
    const [head, claims] = session.token.split('.');
    const exp = Math.floor(Date.now() / 1000) + 5;
    const part = Buffer.from(JSON.stringify({ ...JSON.parse(Buffer.from(claims, 'base64url')), exp })).toString('base64url');
    const mac = createHmac('sha256', key).update(`${head}.${part}`).digest('base64url');
    await route.fulfill({ json: { ...session, token: `${head}.${part}.${mac}` } });
  });
}

// The gateway is killed: what happens meanwhile arrives as if nothing had been. Then a token ends.
async function return_unharmed(ada, grace, sidecast, key_file) {
  const is_gateway = (pid) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')[1] === 'gateway';
  await shorten_tokens(grace, key_file);
  const back = Promise.all([says(ada, 'live as Ada, nothing missed'), says(grace, 'live as Grace, nothing missed')]);
  process.kill(children_of(sidecast.pid).find(is_gateway), 'SIGKILL');
  assert.equal(await move_as(ada, 'linus', 4, 'done'), 204);
  await back;
  await grace.unroute(session_url);
  for (const page of [ada, grace]) {
    await in_column(page, 'done', 4);
    assert.match(await page.textContent('#feed'), /Linus moved “Water the plants” to Done/);
  }
  await says(grace, 'live as Grace'); // with a new token, and so in a new session
}

// All that the server knew is lost, and an event with it: the board is loaded again.
async function return_anew(ada, grace, serving) {
  rmSync(process.env.SIDECAST_DATA_DIR, { recursive: true });
  await move_as(ada, 'linus', 5, 'done');
  const sidecast = await serving();
  for (const [page, name] of [[ada, 'Ada'], [grace, 'Grace']]) {
    await says(page, `live as ${name}`);
    await in_column(page, 'done', 5);
    assert.doesNotMatch(await page.textContent('#feed'), /Ship it/, 'no event told of it');
  }
  await grace.click('[data-task="5"] .back');
  await in_column(ada, 'doing', 5);
  return sidecast;
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

  const serving = () => run_on(`${setup}exec ${serve}`, /is ready\./);
  const run_on = async (script, words) => {
    const child = begin(folder, script);
    running.push(child);
    await until(() => words.test(child.said), 20_000, () => `not ready: ${child.said}`);
    return child;
  };
  const checked = await shell(`${setup}sidecast check-config sidecast.yaml`);
  assert.match(checked.stdout, /is good\n$/);
  assert.equal(checked.stderr, '', 'no warning');
  let sidecast = await serving();
  const backing = await run_on(`${setup}exec ${backend}`, /the board is at/);
  assert.deepEqual(readdirSync(path.join(folder, 'examples/quickstart/secrets')), ['api.keys', 'jwt.key']);
  const browser = await launch();
  try {
    const ada = await open_board(browser, pages[0], laptop), grace = await open_board(browser, pages[1], phone);
    await work_together(ada, grace, async () => [
      JSON.parse((await shell(setup + publishes[0])).stdout), JSON.parse((await shell(setup + publishes[1])).stdout)]);
    assert.doesNotMatch(sidecast.said, / (warn|error) /);
    await return_unharmed(ada, grace, sidecast, path.join(folder, 'examples/quickstart/secrets/jwt.key'));
    await stop(sidecast);
    sidecast = await return_anew(ada, grace, serving);
  } finally {
    await browser.close();
  }
  await stop(sidecast);
  backing.kill('SIGTERM');
  await backing.ended;
});
