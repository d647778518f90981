// One system under test: a copy of its folder, secrets made by its start, one server for
// all of its checks, which run at the same time, each over both transports.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { connect } from '../../flow/lib/clients.mjs';
import { program, start } from '../../flow/lib/sidecast.mjs';
import { bound, until } from '../../flow/lib/wait.mjs';
import { checks, is_listing, title_of } from './registry.mjs';

export const root = path.join(path.dirname(fileURLToPath(import.meta.url)), '../../..');
export const transports = ['websocket', 'polling'];
const at_once = 24;
const wait_ms = bound(4000);
const no_secrets = { SIDECAST_PUBLISHER_API_KEYS: undefined, SIDECAST_AUTH_JWT_HMAC_SECRET: undefined };

// A copy of examples/NAME, without secrets: its start makes them. `edits` are pairs of a text of
// the file and what stands there instead. Gives its path.
export function copy_system(name, edits = []) {
  const folder = mkdtempSync(path.join(tmpdir(), `sidecast-${name}-`));
  cpSync(path.join(root, 'examples', name), folder, {
    recursive: true, filter: (from) => path.basename(from) !== 'secrets',
  });
  const file = path.join(folder, 'sidecast.yaml');
  let text = readFileSync(file, 'utf8');
  for (const [was, is] of edits) {
    assert.ok(text.includes(was), `${name}: no ${was}`);
    text = text.replaceAll(was, is);
  }
  writeFileSync(file, text);
  return folder;
}

export function check_config(folder) {
  return JSON.parse(execFileSync(program, ['check-config', '--json', path.join(folder, 'sidecast.yaml')], { encoding: 'utf8' }));
}

// Serves the folder on ports of its own.
export async function serve_folder(folder, { set = [], args = [] } = {}) {
  const sidecast = await start({
    args: ['--config', path.join(folder, 'sidecast.yaml'), ...args], set, env: no_secrets,
  });
  sidecast.secret = readFileSync(path.join(folder, 'secrets/jwt.key'), 'utf8').trim();
  sidecast.key = readFileSync(path.join(folder, 'secrets/api.keys'), 'utf8').match(/sk_[\w-]+/)[0];
  return sidecast;
}

// What checks work with; `transport` is the one that clients are to use.
class World {
  constructor(shared, transport) {
    this.shared = shared;
    this.transport = transport;
    this.clients = [];
  }

  get sidecast() { return this.shared.sidecast; }
  get folder() { return this.shared.folder; }

  // Ids that no other check has, so that checks do not hear each other.
  id() {
    this.shared.ids = (this.shared.ids ?? 1000) + 1;
    return this.shared.ids;
  }

  token(claims = {}) {
    return this.sidecast.mint({ ...this.shared.claims(this.id()), ...claims });
  }

  // The official client, connected; `claims` change those of an ordinary user.
  async connect({ claims, token = this.token(claims), namespace = '', ...options } = {}) {
    const { sidecast } = this;
    const there = { gateway: `${sidecast.gateway}${namespace}`, token };
    const socket = await connect(there, { token, transports: [this.transport], ...options });
    this.clients.push(socket);
    return socket;
  }

  // Why a client is not let in.
  async refusal(options) {
    const error = await this.connect(options).then(() => { throw new Error('it was let in'); }, (why) => why);
    return { message: error.message, data: error.data };
  }

  ask(socket, event, ...args) {
    return socket.timeout(wait_ms).emitWithAck(event, ...args);
  }

  // Waits for `count` events of the name; gives the arguments of each.
  async heard(socket, name, count = 1) {
    const found = () => socket.received.filter(([event]) => event === name);
    await until(() => found().length >= count, wait_ms, () => `no ${name}: ${JSON.stringify(socket.received)}`);
    return found().map(([, ...args]) => args);
  }

  // Waits for a line of the server's log.
  logged(wanted) {
    const line = () => this.sidecast.log.split('\n').find((text) => wanted.test(text));
    return until(line, wait_ms, () => `not logged: ${wanted}`);
  }

  get(target, options) {
    return this.sidecast.request(`${this.sidecast.gateway}${target}`, options);
  }

  async metric(name) {
    const { text } = await this.sidecast.request(`${this.sidecast.ops}/metrics`);
    const rows = [...text.matchAll(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\d+)$`, 'gm'))];
    return rows.reduce((sum, [, value]) => sum + Number(value), 0);
  }

  close() {
    for (const client of this.clients)
      client.close();
  }
}

function note(check) {
  checks.push(check);
  return title_of(check);
}

function run(title, body) {
  if (!is_listing())
    test(title, body);
}

function define_check(shared, number, what, body, on = transports) {
  for (const transport of on)
    run(note({ number, what, transport }), async () => {
      const world = new World(shared, transport);
      try {
        await body(world);
      } catch (error) {
        console.error(`--- stderr of sidecast ---\n${shared.sidecast?.log.slice(-3000)}--- end ---`);
        throw error;
      } finally {
        world.close();
      }
    });
}

// What is to come: it is counted, and says why it is not there.
function define_pending(number, what, why, on = transports) {
  for (const transport of on) {
    const title = note({ number, what, transport, pending: why });
    if (!is_listing())
      test(title, { todo: why });
  }
}

// What no client can see: the test that shows it is there, under its name.
function define_elsewhere(number, what, file, name) {
  run(note({ number, what, shown_by: `${file}: ${name}` }), () => {
    assert.ok(readFileSync(path.join(root, file), 'utf8').includes(name), `${file} has no ${name}`);
  });
}

// What depends on the machine: the bench has a scenario for it.
function define_measured(number, what, scenario) {
  run(note({ number, what, shown_by: `\`./dev bench --scenario ${scenario}\`` }), () => {
    const rows = readFileSync(path.join(root, 'tests/bench/lib/scenarios.mjs'), 'utf8');
    assert.ok(rows.includes(`\n  ${scenario}: {`), `the bench has no ${scenario}`);
  });
}

// Checks of examples/NAME. `options`: claims (of a user, by number), edits (of the file), set, args,
// prepare (the folder, before the start; gives more options).
export function system(name, options, define) {
  const shared = { claims: options.claims };
  const body = () => {
    define({
      check: (...args) => define_check(shared, ...args),
      pending: define_pending,
      elsewhere: define_elsewhere,
      measured: define_measured,
    });
  };
  if (is_listing()) {
    body();
    return;
  }
  describe(`examples/${name}`, { concurrency: at_once }, () => {
    before(async () => {
      shared.folder = copy_system(name, options.edits);
      const { set = [], args = [] } = options.prepare?.(shared) ?? {};
      shared.sidecast = await serve_folder(shared.folder, {
        set, args: ['--log-level', 'debug', ...args],
      });
      await shared.sidecast.until_counted();
    });
    after(async () => {
      try {
        await shared.sidecast?.stop();
      } finally {
        shared.sidecast?.kill();
        shared.sidecast?.forget();
        if (shared.folder)
          rmSync(shared.folder, { recursive: true, force: true });
      }
    });
    test('its file has neither faults nor warnings', () => {
      assert.deepEqual(check_config(shared.folder), { ok: true, errors: [], warnings: [] });
      const [start] = shared.sidecast.log.split(' client connected ');
      assert.doesNotMatch(start, /^\S+ (warn|error) /m);
    });
    body();
  });
}
