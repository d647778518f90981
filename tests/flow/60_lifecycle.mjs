// Ends, and returns: SIGTERM ends all processes, and a killed child is replaced.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { closeSync, constants, mkdtempSync, openSync, readSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test from 'node:test';
import WebSocket from 'ws';
import { connect, native } from './lib/clients.mjs';
import { is_alive, program, start, with_sidecast } from './lib/sidecast.mjs';
import { bound, until } from './lib/wait.mjs';

const rounds = 5;
const promised_ms = 2000;

test('SIGTERM ends all processes in time, with exit 0 and nothing leaked', async (t) => {
  for (let round = 0; round < rounds; round++) {
    const sidecast = await start();
    t.after(() => sidecast.kill());
    const official = await connect(sidecast, { rooms: ['a'] });
    const plain = await native(sidecast, { rooms: ['a'] });
    await sidecast.publish({ event: 'e', room: 'a' });

    const took = await sidecast.stop(round % 2 ? 'SIGINT' : 'SIGTERM');
    t.diagnostic(`round ${round}: ${Math.round(took)} ms`);
    assert.ok(took <= bound(promised_ms), `took ${took} ms`);
    await until(() => plain.closed && !official.connected, 2000);
    assert.equal(plain.closed.code, 1001);
    sidecast.forget();
  }
});

// Kills a child; gives the ms until an event goes all the way again.
async function kill_and_wait(sidecast, pid) {
  process.kill(pid, 'SIGKILL');
  const began = performance.now();
  await until(() => !is_alive(pid), 2000);
  await until(() => serves(sidecast), bound(promised_ms) + 5000);
  return performance.now() - began;
}

async function serves(sidecast) {
  try {
    const client = await native(sidecast, { rooms: ['a'] });
    const answer = await sidecast.publish({ event: 'e', room: 'a' });
    if (answer.status === 202)
      await client.message((m) => m.t === 'event', 500);
    client.close();
    return answer.status === 202;
  } catch {
    return false;
  }
}

for (const role of ['gateway', 'publisher'])
  test(`a killed ${role} is back and serving in time`, with_sidecast({}, async (sidecast, t) => {
    const others = sidecast.children().filter((pid) => ![sidecast.pids.publisher, ...sidecast.pids.gateways].includes(pid));
    assert.deepEqual(others, []);
    const survivor = role === 'gateway' ? sidecast.pids.publisher : sidecast.pids.gateways[0];

    for (let round = 0; round < rounds; round++) {
      const [victim] = sidecast.children().filter((pid) => pid !== survivor);
      const took = await kill_and_wait(sidecast, victim);
      t.diagnostic(`round ${round}: ${Math.round(took)} ms`);
      assert.ok(took <= bound(promised_ms), `took ${took} ms`);
      assert.ok(is_alive(survivor), 'the other child went too');
    }
  }));

test('a gateway that stops while the directory is silent leaks nothing', with_sidecast({},
  async (sidecast) => {
    const [gateway] = sidecast.pids.gateways;
    process.kill(sidecast.pids.publisher, 'SIGSTOP');
    const waiting = Array.from({ length: 5 }, () =>
      new WebSocket(`${sidecast.gateway.replace('http', 'ws')}/ws?token=${sidecast.token}`));
    waiting.forEach((socket) => socket.on('error', () => {}));
    await until(() => waiting.every((socket) => socket.readyState === WebSocket.OPEN), 5000);
    process.kill(gateway, 'SIGTERM');
    await until(() => !is_alive(gateway), 10_000);
    process.kill(sidecast.pids.publisher, 'SIGCONT');
    await until(() => serves(sidecast), bound(promised_ms) + 5000);
  }));

test('when the supervisor is killed its children end', async (t) => {
  const sidecast = await start();
  t.after(() => sidecast.kill());
  const pids = sidecast.children();
  process.kill(sidecast.pids.self, 'SIGKILL');
  await until(() => !pids.some(is_alive), bound(promised_ms));
  sidecast.assert_clean();
  sidecast.forget();
});

// What stands in a pipe now.
function drain(fd) {
  const bytes = Buffer.alloc(65536);
  let text = '';
  try {
    for (;;)
      text += bytes.toString('utf8', 0, readSync(fd, bytes));
  } catch (error) {
    assert.equal(error.code, 'EAGAIN');
  }
  return text;
}

// Leaves no room in a pipe.
function fill(fd) {
  try {
    for (;;)
      writeSync(fd, '\n');
  } catch (error) {
    assert.equal(error.code, 'EAGAIN');
  }
}

test('a log that nobody reads holds nothing up; what was lost is told later', async (t) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'sidecast-stderr-'));
  const pipe = path.join(folder, 'pipe');
  const binary = path.join(folder, 'sidecast');
  assert.equal(spawnSync('mkfifo', [pipe]).status, 0);
  writeFileSync(binary, `#!/bin/sh\nexec '${program}' "$@" 2>'${pipe}'\n`, { mode: 0o700 });
  const reader = openSync(pipe, constants.O_RDWR | constants.O_NONBLOCK);
  t.after(() => {
    closeSync(reader);
    rmSync(folder, { recursive: true });
  });

  const sidecast = await start({ binary });
  t.after(() => sidecast.kill());
  const client = await connect(sidecast, { rooms: ['a'] });
  const got = [];
  client.on('e', (value) => got.push(value));
  fill(reader);
  for (let i = 0; i < 5; i++) // each is a line, and another when it leaves
    (await native(sidecast)).close();
  assert.equal((await sidecast.publish({ event: 'e', room: 'a', data: 1 })).status, 202);
  await until(() => got.length === 1, bound(promised_ms));
  assert.equal((await sidecast.request(`${sidecast.ops}/livez`)).status, 200);

  sidecast.log = drain(reader);
  client.close();
  await until(async () => {
    (await native(sidecast)).close();
    sidecast.log += drain(reader);
    return /log lines were lost lines=\d+\n/.test(sidecast.log);
  }, bound(promised_ms));
  await sidecast.stop();
  sidecast.forget();
});

test('a taken port is one line that names it, and exit 1', async (t) => {
  const taken = net.createServer().listen(0, '127.0.0.1');
  t.after(() => taken.close());
  await until(() => taken.address(), 1000);
  const { port } = taken.address();
  const child = spawn(process.env.SIDECAST ?? 'build/dev/sidecast', ['serve', '--port', String(port)]);
  t.after(() => child.kill('SIGKILL'));
  let text = '';
  let code = null;
  child.stderr.on('data', (data) => { text += data; });
  child.on('exit', (status) => { code = status; });
  await until(() => code !== null, 10_000);

  assert.equal(code, 1);
  assert.match(text, new RegExp(String(port)));
  assert.equal(text.trim().split('\n').length, 1, text);
});
