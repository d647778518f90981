// Everything is stopped and started again, as an operator or a machine does it, killed at
// once, or gone with the power of a machine whose log is synced: every client of every gateway
// comes back to its session, and has missed nothing. Without the syncs it is told.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { connect } from './lib/clients.mjs';
import { stats } from './lib/gateways.mjs';
import { free_row } from './lib/ports.mjs';
import { is_alive, random_text, start } from './lib/sidecast.mjs';
import { until } from './lib/wait.mjs';

const clients = 18;
const patience_ms = 30_000;
const calm = {
  timeout: 20_000, reconnection: true, reconnectionDelay: 50, reconnectionDelayMax: 200,
};

// The same installation at each call: its port, its log, its secrets. On a boot of its own
// where `durability` is to outlive the power.
async function installation(folder, { durability = 'log', loses_power = false } = {}) {
  const file = path.join(folder, 'sidecast.yaml');
  const port = await free_row(3);
  const env = {
    SIDECAST_PUBLISHER_API_KEYS: `sk_${random_text(32)}`,
    SIDECAST_AUTH_JWT_HMAC_SECRET: random_text(48),
  };
  writeFileSync(file, 'namespaces:\n  /: {recovery: on}\n', { mode: 0o600 });
  let boots = 0;
  return async () => {
    const sidecast = await start({
      set: [`data_dir=${folder}/data`, `log.durability=${durability}`],
      hooks: loses_power ? [`boot=${++boots}`] : [],
      args: ['--port', String(port), '--gateways', '3', '--config', file], env,
    });
    sidecast.key = env.SIDECAST_PUBLISHER_API_KEYS;
    sidecast.secret = env.SIDECAST_AUTH_JWT_HMAC_SECRET;
    sidecast.token = sidecast.mint({ sub: 'tester', rooms: ['**'] });
    return sidecast;
  };
}

async function kill_all(sidecast) {
  const pids = [sidecast.pids.self, ...sidecast.children()];
  sidecast.kill();
  await until(() => sidecast.exited && !pids.some(is_alive), patience_ms);
}

// Half of them on polling; each in a room of all and in one of its own.
async function crowd(sidecast, count = clients) {
  const sockets = [];
  for (let i = 0; i < count; i++) {
    const socket = await connect(sidecast, {
      ...calm, transports: [i % 2 ? 'polling' : 'websocket'], rooms: ['all', `own:${i}`],
    });
    socket.off('connect_error'); // the helper gives up at the first one
    socket.returns = [];
    socket.on('connect', () => socket.returns.push(socket.recovered));
    sockets.push(socket);
  }
  return sockets;
}

const received = (socket) => socket.received.filter(([name]) => name === 'n').map(([, n]) => n);

async function publish(sidecast, numbers) {
  for (const n of numbers) {
    const answer = await sidecast.publish({ event: 'n', room: 'all', data: n });
    assert.equal(answer.status, 202, answer.text);
  }
}

// `scene`: begin() starts all of it anew, `sidecast` is what runs, `sockets` are its clients.
async function with_installation(options, body) {
  const folder = mkdtempSync(path.join(tmpdir(), 'sidecast-whole-'));
  const start_it = await installation(folder, options);
  const scene = {
    sockets: [],
    begin: async () => {
      scene.sidecast?.forget();
      scene.sidecast = await start_it();
    },
  };
  try {
    await scene.begin();
    await body(scene);
    await scene.sidecast.stop();
  } catch (error) {
    scene.sidecast?.kill();
    console.error(`--- stderr of sidecast ---\n${scene.sidecast?.log.slice(-10_000)}--- end ---`);
    throw error;
  } finally {
    scene.sockets.forEach((socket) => socket.close());
    scene.sidecast?.forget();
    rmSync(folder, { recursive: true, force: true });
  }
}

const ways = [
  ['stopped', (s) => s.stop(), 1, {}],
  ['killed', kill_all, 2, {}],
  ['without power, synced before,', kill_all, 2, { durability: 'fsync', loses_power: true }],
];

for (const [how, end, rounds, options] of ways) {
  test(`all clients of three gateways recover when everything is ${how} and started again`, () =>
    with_installation(options, async (scene) => {
      const sockets = scene.sockets = await crowd(scene.sidecast);
      const ids = sockets.map((socket) => socket.id);
      await publish(scene.sidecast, [1, 2, 3]);
      await until(() => sockets.every((socket) => received(socket).length === 3), patience_ms);
      for (let round = 1; round <= rounds; round++) {
        await end(scene.sidecast);
        await scene.begin();
        await publish(scene.sidecast, [10 * round, 10 * round + 1]);
        await until(() => sockets.every((socket) => socket.connected && socket.returns.length === round), patience_ms, () =>
          JSON.stringify(sockets.map(({ connected, returns }) => [connected, returns])));
      }
      for (const [i, socket] of sockets.entries())
        await scene.sidecast.publish({ event: 'n', room: `own:${i}`, data: 100 + i });
      await until(() => sockets.every((socket) => received(socket).length >= 4 + 2 * rounds), patience_ms, () =>
        JSON.stringify(sockets.map(received)));
      assert.deepEqual(sockets.map((socket) => socket.id), ids);
      for (const [i, socket] of sockets.entries()) {
        assert.deepEqual(socket.returns, Array(rounds).fill(true));
        assert.deepEqual(received(socket), [1, 2, 3, 10, 11, ...(rounds > 1 ? [20, 21] : []), 100 + i]);
      }
      sockets.forEach((socket) => socket.close());
      await until(async () => (await stats(scene.sidecast)).memberships === 0, patience_ms);
    }));
}

test('a log that was not synced tells its clients that the power was gone', () =>
  with_installation({ loses_power: true }, async (scene) => {
    const sockets = scene.sockets = await crowd(scene.sidecast, 4);
    const ids = sockets.map((socket) => socket.id);
    await publish(scene.sidecast, [1]);
    await until(() => sockets.every((socket) => received(socket).length === 1), patience_ms);
    await kill_all(scene.sidecast);
    await scene.begin();
    await until(() => sockets.every((socket) => socket.returns.length === 1), patience_ms);
    assert.ok(sockets.every((socket, i) => !socket.returns[0] && socket.id !== ids[i]));
    sockets.forEach((socket) => socket.close());
  }));
