// The supervisor and its children: stops that come at odd moments, and pauses.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test from 'node:test';

import { native } from './lib/clients.mjs';
import { children_of, program, start, with_sidecast } from './lib/sidecast.mjs';
import { bound, sleep, until } from './lib/wait.mjs';

const rounds = 5;

function tell(pid, signal) {
  try {
    process.kill(pid, signal);
  } catch {
    // gone already
  }
}

// As systemd stops a service: each process is told, and the supervisor passes it on.
test('SIGTERM to every process, more than once, is a clean stop', async (t) => {
  for (let round = 0; round < rounds; round++) {
    const sidecast = await start();
    t.after(() => sidecast.kill());
    for (const pid of sidecast.children()) {
      tell(pid, 'SIGTERM');
      await sleep(round);
      tell(pid, 'SIGTERM');
    }
    await sidecast.stop();
    sidecast.forget();
  }
});

test('SIGTERM while the children are starting is a clean stop', async (t) => {
  for (let round = 0; round < rounds; round++) {
    const child = spawn(program, ['serve', '--port', '0'], { stdio: ['ignore', 'ignore', 'pipe'] });
    let text = '';
    let code = null;
    t.after(() => child.kill('SIGKILL'));
    child.stderr.on('data', (data) => { text += data; });
    child.on('exit', (status, signal) => { code = status ?? signal; });
    await until(() => children_of(child.pid).length === 2 || code !== null, 10_000);
    child.kill('SIGTERM');
    await until(() => code !== null, 10_000);
    assert.equal(code, 0, text);
    assert.doesNotMatch(text, /error/);
  }
});

test('SIGHUP while the children are starting kills none', async (t) => {
  for (let round = 0; round < rounds; round++) {
    const child = spawn(program, ['serve', '--port', '0'], { stdio: ['ignore', 'pipe', 'pipe'] });
    let text = '';
    let out = '';
    t.after(() => child.kill('SIGKILL'));
    child.stderr.on('data', (data) => { text += data; });
    child.stdout.on('data', (data) => { out += data; });
    await until(() => children_of(child.pid).length === 2, 10_000);
    child.kill('SIGHUP');
    await until(() => out.includes('ready') || child.exitCode !== null, 10_000);
    child.kill('SIGTERM');
    await until(() => child.exitCode !== null, 10_000);
    assert.equal(child.exitCode, 0, text);
    assert.doesNotMatch(text, /has ended/);
  }
});

// The variables of the real one may lie around in the terminal where somebody tries the demo.
test('the demo keeps off a bus that is configured', async (t) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'sidecast-bus-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const sidecast = await start({ role: 'demo', env: { SIDECAST_BUS_URL: `ipc://${folder}` } });
  t.after(() => sidecast.kill());
  assert.deepEqual(readdirSync(folder), []);
  await sidecast.stop();
  sidecast.forget();
});

// Ctrl-Z and fg: what the children said in between has waited in their pipes.
test('a supervisor that slept does not take its children for silent', with_sidecast({}, async (sidecast) => {
  const before = sidecast.children();
  process.kill(sidecast.pids.self, 'SIGSTOP');
  await sleep(11_000);
  process.kill(sidecast.pids.self, 'SIGCONT');
  await sleep(1500);
  assert.deepEqual(sidecast.children(), before);
}));

// No beacon comes, so that every gateway is without its bus, and nobody is to blame for it.
test('a disk that stands still costs no child and no client, and /readyz says so', async (t) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'sidecast-hold-'));
  const file = path.join(folder, 'hold');
  const hold = (is_held) => writeFileSync(file, Buffer.from([is_held, 0, 0, 0, 0, 0, 0, 0]), { flag: 'r+' });
  t.after(() => rmSync(folder, { recursive: true }));
  writeFileSync(file, Buffer.alloc(8));
  await with_sidecast({ hooks: [`hold-commit=${file}`] }, async (sidecast) => {
    const before = sidecast.children();
    const client = await native(sidecast, { rooms: ['a'] });
    const ready = async () => (await sidecast.request(`${sidecast.publisher}/readyz`)).status;

    hold(1);
    const began = performance.now();
    const answer = sidecast.publish({ event: 'e', room: 'a' });
    await until(async () => await ready() === 503, bound(1000));
    assert.match((await sidecast.request(`${sidecast.ops}/metrics`)).text, /^sidecast_log_down 1$/m);
    await sleep(2500 - (performance.now() - began));
    assert.equal(await ready(), 503);
    hold(0);
    assert.equal((await answer).status, 202);
    await client.message((m) => m.t === 'event');
    await until(async () => await ready() === 200, bound(1000));
    await client.subscribe('b', 1);
    assert.deepEqual(sidecast.children(), before);
    client.close();
  })(t);
});

// A socket whose path is gone looks to a dialer like one that accepts nobody.
test('a bus that lets nobody in is opened anew', with_sidecast({}, async (sidecast) => {
  const { publisher, gateways: [gateway] } = sidecast.pids;
  rmSync(path.join(sidecast.folder, 'bus', 'directory'));
  tell(gateway, 'SIGKILL');
  await until(() => !sidecast.children().includes(publisher), 40_000);
  const client = await until(() => native(sidecast, { rooms: ['a'] }).catch(() => null), 40_000);
  await sidecast.until_counted();
  assert.equal((await sidecast.publish({ event: 'e', room: 'a' })).json.recipients, 1);
  await client.message((m) => m.t === 'event', 5000);
}));
