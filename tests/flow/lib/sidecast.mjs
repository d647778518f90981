// Starts the real program for a test, and sees to it that it ends well: exit 0 on SIGTERM,
// no child left, no word from a sanitizer. What it wrote to stderr is shown on failure.
import { spawn } from 'node:child_process';
import { createHmac, randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import http from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { gateways } from './settings.mjs';
import { until } from './wait.mjs';

const root = path.join(path.dirname(fileURLToPath(import.meta.url)), '../../..');
export const program = process.env.SIDECAST ?? path.join(root, 'build/dev/sidecast');
export const sanitizer_report = /AddressSanitizer|LeakSanitizer|ThreadSanitizer|runtime error:|Assertion .* failed/;
// Clients that a test leaves behind are not sent away slowly, unless it says so itself.
process.env.SIDECAST_DRAIN_WINDOW ??= '0s';
// Who starts the program by itself, without --set data_dir, has a log that is this script's.
if (!process.env.SIDECAST_DATA_DIR) {
  process.env.SIDECAST_DATA_DIR = mkdtempSync(path.join(tmpdir(), 'sidecast-data-'));
  process.on('exit', () => rmSync(process.env.SIDECAST_DATA_DIR, { recursive: true, force: true }));
}
const start_ms = 20_000;
const stop_ms = 20_000;
const test_ms = 100_000;

// A test's body with a running sidecar: test('...', with_sidecast({set: ['a.b=1']}, body)).
export function with_sidecast(options, body) {
  return async (t) => {
    const sidecast = await start(options);
    try {
      await within(test_ms, body(sidecast, t));
      await sidecast.stop();
    } catch (error) {
      sidecast.kill();
      console.error(`--- stderr of sidecast ---\n${sidecast.log.slice(-20_000)}--- end ---`);
      throw error;
    } finally {
      sidecast.forget();
    }
  };
}

// A test that hangs fails by itself, while its processes can still be ended.
async function within(ms, work) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not done after ${ms} ms`)), ms);
  });
  await Promise.race([work, late]).finally(() => clearTimeout(timer));
}

// Options: role ('serve' or 'demo'), set (key=value each), hooks (test switches), args, env,
// descriptors (a limit that the program cannot raise), binary (instead of the program under test).
// SIDECAST_GATEWAYS runs a script with so many gateways, where it does not say itself.
export async function start({
  role = 'serve', set = [], hooks = [], args = [], env = {}, descriptors = 0, binary = program,
} = {}) {
  const folder = mkdtempSync(path.join(tmpdir(), 'sidecast-test-'));
  const secrets = { key: `sk_${random_text(32)}`, secret: random_text(48) };
  const words = [binary, ...command_line(role, folder, set, hooks, args)];
  if (descriptors)
    words.unshift('prlimit', `--nofile=${descriptors}`, '--');
  const child = spawn(words[0], words.slice(1), {
    env: { ...process.env, ...environment(role, folder, secrets), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const sidecast = new Sidecast(child, folder, secrets);

  try {
    await sidecast.wait_until_ready();
  } catch (error) {
    sidecast.kill();
    sidecast.forget();
    throw error;
  }
  return sidecast;
}

function command_line(role, folder, set, hooks, args) {
  const own = role === 'serve'
    ? [`bus.url=ipc://${path.join(folder, 'bus')}`, `data_dir=${path.join(folder, 'data')}`] : [];
  const shared = gateways && !args.includes('--gateways') ? ['--gateways', gateways] : [];
  return [
    role, '--json', '--port', '0', '--log-level', 'info',
    ...[...own, ...set].flatMap((pair) => ['--set', pair]),
    ...hooks.flatMap((name) => ['--test-hook', name]),
    ...shared, ...args,
  ];
}

function environment(role, folder, { key, secret }) {
  if (role === 'demo')
    return { TMPDIR: folder };
  return { TMPDIR: folder, SIDECAST_PUBLISHER_API_KEYS: key, SIDECAST_AUTH_JWT_HMAC_SECRET: secret };
}

export function random_text(bytes) {
  return randomBytes(bytes).toString('base64url');
}

export class Sidecast {
  constructor(child, folder, { key, secret }) {
    this.child = child;
    this.folder = folder;
    this.key = key;
    this.secret = secret;
    this.log = '';
    this.ready_line = '';
    this.exited = null;
    this.agent = new http.Agent({ keepAlive: true });
    child.stdout.on('data', (data) => { this.ready_line += data; });
    child.stderr.on('data', (data) => { this.log += data; });
    child.on('exit', (code, signal) => { this.exited = { code, signal }; });
    child.on('error', (error) => { this.exited = { code: -1, signal: error.message }; });
  }

  async wait_until_ready() {
    await until(() => this.ready_line.includes('\n') || this.exited, start_ms, () =>
      `sidecast is not ready after ${start_ms} ms\n${this.log}`);
    if (this.exited)
      throw new Error(`sidecast ended at its start: ${JSON.stringify(this.exited)}\n${this.log}`);
    this.ready = JSON.parse(this.ready_line.slice(0, this.ready_line.indexOf('\n')));
    this.gateway = this.ready.gateway;
    this.publisher = this.ready.publisher;
    this.ops = this.ready.ops;
    this.pids = this.ready.pids;
    this.key = this.ready.key ?? this.key;
    this.token = this.ready.token ?? this.mint({ sub: 'tester', rooms: ['**'] });
  }

  // A token signed with this sidecar's secret; `claims` may override exp.
  mint(claims, { header = {}, secret = this.secret } = {}) {
    const exp = Math.floor(Date.now() / 1000) + 3600;
    const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const text = `${part({ alg: 'HS256', typ: 'JWT', ...header })}.${part({ exp, ...claims })}`;
    return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`;
  }

  // `body` as an object, or the exact bytes. Gives {status, headers, text, json}.
  publish(body, headers = {}) {
    return this.request(`${this.publisher}/broadcast`, {
      method: 'POST',
      headers: { authorization: `Bearer ${this.key}`, 'content-type': 'application/json', ...headers },
      body: typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body),
    });
  }

  request(url, { method = 'GET', headers = {}, body = null } = {}) {
    const length = body === null ? {} : { 'content-length': Buffer.byteLength(body) };
    return new Promise((resolve, reject) => {
      const sent = http.request(url, { method, headers: { ...length, ...headers }, agent: this.agent },
        (answer) => {
          const chunks = [];
          answer.on('data', (chunk) => chunks.push(chunk));
          answer.on('error', reject);
          answer.on('end', () => resolve(read_answer(answer, Buffer.concat(chunks).toString())));
        });
      sent.on('error', reject);
      sent.setTimeout(15_000, () => sent.destroy(new Error(`no answer from ${url} in 15 s`)));
      sent.end(body);
    });
  }

  // Right after its start a publisher has not heard from all gateways who is connected.
  until_counted() {
    return until(async () => (await this.request(`${this.ops}/v1/stats`)).json?.complete, 5000);
  }

  children() {
    return children_of(this.pids.self);
  }

  // Ends it as an operator does. Gives the milliseconds until all its processes were gone.
  async stop(signal = 'SIGTERM') {
    const began = performance.now();
    const pids = this.pids ? [this.pids.self, ...this.children()] : [];

    this.agent.destroy();
    this.child.kill(signal);
    await until(() => this.exited && !pids.some(is_alive), stop_ms, () =>
      `still there ${stop_ms} ms after ${signal}: ${pids.filter(is_alive)}`);
    const took = performance.now() - began;
    if (this.exited.code !== 0)
      throw new Error(`ended with ${JSON.stringify(this.exited)}`);
    this.assert_clean();
    return took;
  }

  assert_clean() {
    const found = this.log.split('\n').find((line) => sanitizer_report.test(line));
    if (found)
      throw new Error(`a sanitizer spoke: ${found}`);
  }

  // The hard way, for a test that has failed: what this test started, by pid.
  kill() {
    const pids = this.exited ? [] : [this.child.pid, ...children_of(this.child.pid)];
    this.agent.destroy();
    for (const pid of pids) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // gone by itself
      }
    }
  }

  forget() {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function read_answer(answer, text) {
  let json = null;
  try {
    json = JSON.parse(text);
  } catch {
    // not every answer is JSON
  }
  return { status: answer.statusCode, headers: answer.headers, text, json };
}

export function children_of(pid) {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ')
      .filter(Boolean).map(Number);
  } catch {
    return [];
  }
}

// One whose first thread has ended has its sockets until the last one has.
export function is_alive(pid) {
  try {
    const has_ended = /^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
    return !has_ended || readdirSync(`/proc/${pid}/task`).length > 1;
  } catch {
    return false;
  }
}

// CPU time that a process has used, in ms.
export function cpu_ms(pid) {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10;
}
