// How long an upgrade takes, from the open packet to the moment that the client writes to its
// WebSocket; idle, and while both sides talk. SIDECAST_UPGRADES=1000 makes so many of each.
import assert from 'node:assert/strict';
import test from 'node:test';
import { io } from 'socket.io-client';
import { with_conformance } from './lib/conformance.mjs';
import { upgrades } from './lib/settings.mjs';
import { bound, sleep, until } from './lib/wait.mjs';

const lanes = 10;
const p99_ms = 200;
const slowest_ms = 1000;
const wait_ms = bound(4000);

// Connects, upgrades and leaves; gives the milliseconds of the upgrade.
async function one_upgrade(gateway, { talks }) {
  const socket = io(gateway, { forceNew: true, reconnection: false });
  const heard = [], said = [];
  let opened = 0, took = 0, n = 0;

  socket.io.on('open', () => {
    opened = performance.now();
    socket.io.engine.once('upgrade', () => { took = performance.now() - opened; });
  });
  socket.on('message-back', (i) => heard.push(i));
  socket.on('said', (i) => said.push(i));
  try {
    await until(() => socket.connected, wait_ms);
    if (talks)
      socket.emit('join', 'talk', () => {});
    while (!took) {
      assert.ok(performance.now() < opened + wait_ms, 'no upgrade');
      if (talks)
        socket.emit('message', n++);
      await sleep(2);
    }
    socket.emit('message', n++);
    await until(() => heard.length >= n, wait_ms, () => `${heard.length} of ${n} echoes`);
    assert.deepEqual(heard, heard.map((_, i) => i));
    assert.deepEqual(said, said.map((_, i) => said[0] + i));
  } finally {
    socket.disconnect();
  }
  return took;
}

async function many_upgrades(t, gateway, options) {
  const times = [];
  let begun = 0;
  await Promise.all(Array.from({ length: lanes }, async () => {
    while (begun++ < upgrades)
      times.push(await one_upgrade(gateway, options));
  }));
  times.sort((a, b) => a - b);
  const p99 = times[Math.ceil(times.length * 0.99) - 1], slowest = times.at(-1);
  t.diagnostic(`${upgrades} upgrades: p50 ${times[upgrades >> 1].toFixed(1)} ms, p99 ${p99.toFixed(1)} ms, slowest ${slowest.toFixed(1)} ms`);
  assert.ok(p99 <= bound(p99_ms), `p99 is ${p99} ms`);
  assert.ok(slowest <= bound(slowest_ms), `the slowest took ${slowest} ms`);
}

// Keeps the room talking while `work` runs.
async function with_talker(gateway, work) {
  const socket = io(gateway, { forceNew: true, transports: ['websocket'] });
  let n = 0;
  const timer = setInterval(() => socket.connected && socket.emit('say', 'talk', n++), 5);
  try {
    await work();
  } finally {
    clearInterval(timer);
    socket.disconnect();
  }
}

test('an upgrade is quick', with_conformance('calm', async ({ gateway }, t) => {
  await t.test('of a client that is idle', (t) => many_upgrades(t, gateway, { talks: false }));
  await t.test('while both sides talk', (t) => with_talker(gateway, () => many_upgrades(t, gateway, { talks: true })));
}));
