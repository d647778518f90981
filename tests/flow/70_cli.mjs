// sidecast publish and sub: what they print, and the codes that scripts act on.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test, { after } from 'node:test';
import { program, with_sidecast } from './lib/sidecast.mjs';
import { until } from './lib/wait.mjs';

const nobody = 'http://127.0.0.1:1';
const folder = mkdtempSync(path.join(tmpdir(), 'sidecast-cli-'));
const recovering = path.join(folder, 'sidecast.yaml');
writeFileSync(recovering, 'namespaces: {/: {recovery: on}}\n', { mode: 0o600 });
after(() => rmSync(folder, { recursive: true }));

// Runs the command; `done` gives {code, out, err}. `env` is all that it gets beside PATH.
function sidecast_command(args, { env = {}, input = '' } = {}) {
  const child = spawn(program, args, {
    env: { PATH: process.env.PATH, ...env }, stdio: ['pipe', 'pipe', 'pipe'],
  });
  const command = { out: '', err: '', is_over: false };

  child.stdout.on('data', (data) => { command.out += data; });
  child.stderr.on('data', (data) => { command.err += data; });
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  command.done = new Promise((resolve) => {
    const limit = setTimeout(() => child.kill('SIGKILL'), 30_000);
    child.on('close', (code, signal) => {
      clearTimeout(limit);
      command.is_over = true;
      resolve({ code: code ?? signal, out: command.out, err: command.err });
    });
  });
  return command;
}

const environment = (sidecast) => ({ SIDECAST_URL: sidecast.publisher, SIDECAST_API_KEY: sidecast.key });

const publish = (sidecast, args, options = {}) =>
  sidecast_command(['publish', ...args], { env: environment(sidecast), ...options }).done;

// A `sub` that has joined its rooms.
async function sub(sidecast, args, { token = sidecast.token } = {}) {
  const file = path.join(sidecast.folder, `token-${Math.random()}`);
  writeFileSync(file, `${token}\n`, { mode: 0o600 });
  const command = sidecast_command(['sub', '--url', sidecast.gateway, '--token-file', file, ...args]);
  await until(() => command.err.includes('listening') || command.is_over, 15_000);
  return command;
}

test('sub prints what publish sent', with_sidecast({}, async (sidecast) => {
  const listener = await sub(sidecast, ['project:7', 'project:8', '--count', '3']);
  const sent = await publish(sidecast, ['project:7', 'task:created', '{"id": 1.0, "n":"\u00e9\\u00e9"}']);

  assert.equal(sent.code, 0, sent.err);
  assert.match(sent.out, /^[0-9A-Z]{26} {2}1 recipients\n$/);
  assert.equal((await publish(sidecast, ['project:8', 'bare'])).code, 0);
  assert.equal((await publish(sidecast, ['--all', 'notice', '-'], { input: '[1,\n2]' })).code, 0);

  const { code, out, err } = await listener.done;
  assert.equal(code, 0, err);
  assert.deepEqual(out, 'project:7 task:created {"id": 1.0, "n":"\u00e9\\u00e9"}\nproject:8 bare\n- notice [1,\n2]\n');
}));

test('--json prints the server\'s own words', with_sidecast({}, async (sidecast) => {
  const listener = await sub(sidecast, ['project:7', '--count', '1', '--json']);
  const file = path.join(sidecast.folder, 'data.json');
  writeFileSync(file, '{"id":7}\n');
  const sent = await publish(sidecast, ['project:7', 'e', `@${file}`, '--id', 'my-1', '--json']);
  const answer = JSON.parse(sent.out);

  assert.equal(answer.id, 'my-1');
  assert.equal(answer.recipients, 1);
  const event = JSON.parse((await listener.done).out);
  assert.deepEqual([event.t, event.event, event.room, event.data, event.id], ['event', 'e', 'project:7', { id: 7 }, 'my-1']);
}));

test('--user reaches the user\'s devices', with_sidecast({}, async (sidecast) => {
  const token = sidecast.mint({ sub: '42', rooms: ['a'] });
  const listener = await sub(sidecast, ['a', '--count', '1'], { token });
  const sent = await publish(sidecast, ['--user', '42', 'notice', '"hi"']);

  assert.equal(sent.code, 0, sent.err);
  assert.match((await listener.done).out, / notice "hi"\n$/);
}));

test('publish reads data up to the limit of the server', with_sidecast({}, async (sidecast) => {
  for (const [code, length] of [[0, 250 * 1024], [65, 256 * 1024], [65, 300 * 1024]]) {
    const told = await publish(sidecast, ['a', 'e', '-'], { input: JSON.stringify('x'.repeat(length)) });
    assert.equal(told.code, code, `${length}: ${told.err}`);
  }
}));

test('publish tells by its exit code what went wrong', with_sidecast({}, async (sidecast) => {
  const key_file = path.join(sidecast.folder, 'key');
  writeFileSync(key_file, `${sidecast.key}\n`);
  const rows = [
    [65, ['not a room', 'e'], {}, /E_BAD_TARGET/],
    [65, ['a', 'e', 'hello'], {}, /not JSON/],
    [65, ['a', 'e', `"${'x'.repeat(100_000)}"`, '--id', 'a b'], {}, /E_BAD_/],
    [69, ['a', 'e'], { SIDECAST_URL: nobody }, /no server at 127\.0\.0\.1:1: Connection refused/],
    [77, ['a', 'e'], { SIDECAST_API_KEY: `sk_${'A'.repeat(43)}` }, /E_UNAUTH/],
    [77, ['a', 'e'], { SIDECAST_API_KEY: '' }, /^sidecast: no API key: set SIDECAST_API_KEY or give --key-file$/m],
    [65, ['a', 'connect'], {}, /E_BAD_PAYLOAD: .*\w\. \w/],
    [77, ['a', 'e', '--key-file', '/nowhere'], {}, /No such file/],
    [2, ['a'], {}, /needs ROOM EVENT/],
    [2, ['a', 'e', '--url', 'ftp://x/y'], {}, /no address/],
    [2, ['--user', '1', '--all', 'e'], {}, /exclude each other/],
    [2, ['--user', '1', 'e', '{}', 'more'], {}, /unexpected word/],
    [0, ['a', 'e', '--key-file', key_file], { SIDECAST_API_KEY: 'sk_wrong' }, /^$/],
  ];

  for (const [code, args, env, words] of rows) {
    const told = await publish(sidecast, args, { env: { ...environment(sidecast), ...env } });
    assert.equal(told.code, code, `${args}: ${told.err}`);
    assert.match(told.err, words);
    assert.ok(told.err.split('\n').length <= 2, told.err);
    assert.doesNotMatch(told.err, /[.?]\./);
  }
}));

test('sub tells by its exit code what went wrong', with_sidecast({}, async (sidecast) => {
  const rows = [
    [77, ['a'], sidecast.mint({ sub: 'x', exp: 1 }), /E_UNAUTH/],
    [77, ['b'], sidecast.mint({ sub: 'x', rooms: ['a'] }), /E_FORBIDDEN/],
    [65, ['not a room'], sidecast.token, /E_BAD_TARGET/],
    [69, ['a', '--url', nobody], sidecast.token, /no server/],
    [69, ['a', '--url', sidecast.publisher], sidecast.token, /instead of a WebSocket/],
    [1, ['a', '--count', '1', '--timeout', '300ms'], sidecast.token, /0 of 1 events/],
    [0, ['a', '--timeout', '300ms'], sidecast.token, /^listening\n$/],
    [2, [], sidecast.token, /needs ROOM/],
  ];

  for (const [code, args, token, words] of rows) {
    const told = await (await sub(sidecast, args, { token })).done;
    assert.equal(told.code, code, `${args}: ${told.err}`);
    assert.match(told.err, words);
  }
}));

test('sub comes back to its session by itself, and says when it missed something',
  with_sidecast({ set: ['log.durability=memory'], args: ['-c', recovering] }, async (sidecast) => {
    const listener = await sub(sidecast, ['a', '--count', '6']);
    const send = async (n) => assert.equal((await publish(sidecast, ['a', 'n', String(n)])).code, 0);
    const heard = (...ns) => until(() => listener.out === ns.map((n) => `a n ${n}\n`).join(''), 15_000,
      () => `${listener.out}${listener.err}`);

    await send(1);
    await heard(1);
    process.kill(sidecast.pids.gateways[0], 'SIGKILL');
    await send(2);
    await heard(1, 2);
    await send(3);
    await heard(1, 2, 3);
    assert.equal(listener.err, 'listening\n');
    // A log in memory forgets all with its process: that is told.
    process.kill(sidecast.pids.publisher, 'SIGKILL');
    await until(() => /events may be missing: epoch_changed\n$/.test(listener.err), 15_000, () => listener.err);
    for (const n of [4, 5, 6])
      await until(async () => (await publish(sidecast, ['a', 'n', String(n)])).code === 0, 15_000);
    assert.equal((await listener.done).code, 0, listener.err);
    assert.equal(listener.out, [1, 2, 3, 4, 5, 6].map((n) => `a n ${n}\n`).join(''));
  }));

test('sub lives through pings, and ends when the server does',
  with_sidecast({ set: ['gateway.ping_interval=200ms', 'gateway.ping_timeout=200ms'] }, async (sidecast) => {
    const listener = await sub(sidecast, ['a', '--retry', '0s']);
    await new Promise((resolve) => { setTimeout(resolve, 1500); });
    assert.equal((await publish(sidecast, ['a', 'still', 'true'])).code, 0);
    await until(() => listener.out === 'a still true\n', 5000);
    process.kill(sidecast.pids.gateways[0], 'SIGTERM');
    assert.equal((await listener.done).code, 69);
  }));

test('sub notices a server that is silent without an end',
  with_sidecast({ set: ['gateway.ping_interval=200ms', 'gateway.ping_timeout=200ms'] }, async (sidecast) => {
    const listener = await sub(sidecast, ['a', '--retry', '0s']);
    process.kill(sidecast.pids.gateways[0], 'SIGSTOP');
    try {
      const { code, err } = await listener.done;
      assert.equal(code, 69, err);
      assert.match(err, /the connection was lost/);
    } finally {
      process.kill(sidecast.pids.gateways[0], 'SIGCONT');
    }
  }));
