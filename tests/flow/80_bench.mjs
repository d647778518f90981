// sidecast bench: it measures a server of its own or another one, counts, and judges.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { children_of, is_alive, program, with_sidecast } from './lib/sidecast.mjs';
import { sleep, until } from './lib/wait.mjs';

// Runs `sidecast bench`; gives {code, out, err} when it is over.
function start_bench(args, env = {}) {
  const child = spawn(program, ['bench', ...args], {
    env: { PATH: process.env.PATH, ...env }, stdio: ['ignore', 'pipe', 'pipe'],
  });
  const bench = { child, out: '', err: '' };
  child.stdout.on('data', (data) => { bench.out += data; });
  child.stderr.on('data', (data) => { bench.err += data; });
  bench.done = new Promise((resolve) => {
    const limit = setTimeout(() => child.kill('SIGKILL'), 60_000);
    child.on('close', (code, signal) => {
      clearTimeout(limit);
      resolve({ code: code ?? signal, out: bench.out, err: bench.err });
    });
  });
  return bench;
}

const bench = (args, env) => start_bench(args, env).done;
const last_line = (text) => text.trimEnd().split('\n').at(-1);
const other_secret = randomBytes(36).toString('base64');
const small = ['--clients', '50', '--ramp', '100ms', '--rate', '20', '--duration', '300ms'];

// {scenario: {figure: value}}
function figures_of(report) {
  const figures = {};
  for (const { scenario, figure, value } of report.rows)
    (figures[scenario] ??= {})[figure] = value;
  return figures;
}

test('a load that keeps its limits passes, with every delivery counted', async () => {
  const { code, out, err } = await bench([...small, '--transport', 'ws,native,polling', '--assert', 'p95=5s', '--json']);
  const report = JSON.parse(out);
  const figures = figures_of(report);

  assert.equal(code, 0, err);
  assert.equal(report.verdict, 'PASS');
  for (const transport of ['ws', 'native', 'polling']) {
    const row = figures[transport];
    assert.equal(row.connected, 50);
    assert.equal(row.published, 12); // 20 a second into each of two rooms, for 300 ms
    assert.equal(row.expected, 12 * 50);
    assert.equal(row.received, 12 * 50);
    assert.deepEqual([row.lost, row.doubled, row.disordered, row.failed], [0, 0, 0, 0]);
    assert.ok(row.p50 > 0 && row.p50 <= row.p95 && row.p95 <= row.max, JSON.stringify(row));
    assert.ok(row.server_rss > 1e6 && row.server_cpu > 0 && row.server_loop_lag >= 0, JSON.stringify(row));
  }
});

test('a limit that is not kept is a failure, and the last line says which', async () => {
  const { code, out } = await bench([...small, '--assert', 'p95=1us']);

  assert.equal(code, 1);
  assert.match(last_line(out), /^FAIL p95=\S+ > 1us$/);
  assert.match(out, /^ws +50 +\d+ +12 +600 +\d+ +0 +0 +0$/m);
});

// The bus drops frames and nobody repairs them: a count that is always zero counts nothing.
test('what is lost is counted, and fails', async () => {
  const { code, out } = await bench([...small, '--assert', 'p95=60s', '--quiet', '--drain', '500ms',
    '--test-hook', 'no-replay', '--test-hook', 'drop-frame=5']);

  assert.equal(code, 1);
  assert.match(last_line(out), /^FAIL lost=\d+ > 0/);
});

test('another server is measured with its key and its secret, as fast as it answers', with_sidecast({}, async (sidecast) => {
  const key_file = path.join(sidecast.folder, 'bench.key');
  writeFileSync(key_file, `${sidecast.key}\n`, { mode: 0o600 });
  const there = ['--url', sidecast.gateway, '--publisher-url', sidecast.publisher, '--key-file', key_file];
  const env = { SIDECAST_AUTH_JWT_HMAC_SECRET: sidecast.secret };

  const good = await bench(['--clients', '20', '--rate', '0', '--duration', '200ms', ...there, '--assert', 'p95=5s',
    '--quiet'], env);
  assert.equal(good.code, 0, good.out + good.err);
  assert.match(good.out, /^PASS p95=\S+\n$/);

  const wrong = { SIDECAST_AUTH_JWT_HMAC_SECRET: other_secret };
  const refused = await bench(['--clients', '3', '--duration', '200ms', ...there], wrong);
  assert.equal(refused.code, 1);
  assert.match(refused.out, /^3 clients were refused: the server says 44/m);
  assert.match(last_line(refused.out), /^FAIL refused=3 > 0/);
}));

// A client that waits for answers would see one slow event here, and a p95 of nothing.
test('a server that stands still shows in all the events that were due', with_sidecast({}, async (sidecast) => {
  const run = start_bench(['--url', sidecast.gateway, '--publisher-url', sidecast.publisher, '--clients', '5',
    '--rooms', '1', '--rate', '50', '--duration', '1500ms', '--assert', 'p95=1h', '--json'],
  { SIDECAST_API_KEY: sidecast.key, SIDECAST_AUTH_JWT_HMAC_SECRET: sidecast.secret });
  await until(async () => (await sidecast.request(`${sidecast.ops}/v1/stats`)).json?.published > 0, 20_000);
  process.kill(sidecast.pids.publisher, 'SIGSTOP');
  await sleep(600);
  process.kill(sidecast.pids.publisher, 'SIGCONT');
  const { code, out, err } = await run.done;
  const { ws } = figures_of(JSON.parse(out));

  assert.equal(code, 0, out + err);
  assert.equal(ws.published, 75);
  assert.ok(ws.p95 > 400_000, JSON.stringify(ws));
}));

test('Ctrl-C ends it, and the verdict is on what there is', with_sidecast({}, async (sidecast) => {
  const run = start_bench(['--url', sidecast.gateway, '--publisher-url', sidecast.publisher, '--clients', '5',
    '--rate', '20', '--duration', '50s', '--assert', 'p95=5s'],
  { SIDECAST_API_KEY: sidecast.key, SIDECAST_AUTH_JWT_HMAC_SECRET: sidecast.secret });
  await until(async () => (await sidecast.request(`${sidecast.ops}/v1/stats`)).json?.published > 9, 20_000);
  run.child.kill('SIGINT');
  const { code, out, err } = await run.done;

  assert.equal(code, 0, out + err);
  assert.match(out, /^ended early$/m);
  assert.match(last_line(out), /^PASS p95=/);
}));

test('Ctrl-C leaves no process of its own server', async () => {
  const run = start_bench(['--clients', '5', '--duration', '50s']);
  await until(() => children_of(run.child.pid).length > 0, 20_000);
  const [server] = children_of(run.child.pid);
  await until(() => children_of(server).length === 2, 20_000);
  const roles = children_of(server);
  run.child.kill('SIGINT');
  const { out, err } = await run.done;

  assert.match(out, /^ended early$/m, out + err);
  assert.deepEqual([server, ...roles].filter(is_alive), []);
});

test('what cannot be measured is one line and a code', async () => {
  for (const [args, code, line] of [
    [['--clients', 'many'], 2, /--clients needs a number/],
    [['--transport', 'carrier-pigeon'], 2, /--transport needs ws, polling \(Socket\.IO\) or native.*: carrier-pigeon/],
    [['--transport', 'raw'], 2, /ws,native: raw/],
    [['--assert', 'p96=1ms'], 2, /--assert knows no "p96"/],
    [['--size', '1B'], 2, /--size needs/],
    [['--rooms', '0'], 2, /at least 1/],
    [['--url', 'http://127.0.0.1:1'], 2, /--publisher-url belong together/],
    [['--url', 'http://127.0.0.1:1', '--publisher-url', 'http://127.0.0.1:1'], 77, /no key to publish with/],
  ]) {
    const result = await bench(args);
    assert.equal(result.code, code, result.err);
    assert.match(result.err, line);
    assert.equal(result.err.trimEnd().split('\n').length, 1, result.err);
    assert.equal(result.out, '');
  }
});

test('nobody there is one line and a code', async () => {
  const nobody = ['--url', 'http://127.0.0.1:1', '--publisher-url', 'http://127.0.0.1:1'];
  const { code, err } = await bench([...nobody, '--clients', '2', '--duration', '200ms'],
    { SIDECAST_API_KEY: 'sk_x', SIDECAST_AUTH_JWT_HMAC_SECRET: other_secret });

  assert.equal(code, 69);
  assert.match(err, /no connection to the publisher: Connection refused/);
});
