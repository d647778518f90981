// Several gateways on one port: one that dies takes nobody with it but its own clients, and
// they are back; who connects meanwhile waits for its successor; and a publisher that comes
// back says that it does not know yet who is there.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test from 'node:test';
import { connect, native } from './lib/clients.mjs';
import { counted, ended, gateway_of, pid_of, stats, until_counted } from './lib/gateways.mjs';
import { with_sidecast } from './lib/sidecast.mjs';
import { bound, sleep, until } from './lib/wait.mjs';

const four = { args: ['--gateways', '4'] };
const two = { args: ['--gateways', '2'] };
const latency_ms = 100;

// Publishes one numbered event each 10 ms until told to stop; gives how many.
function publish_steadily(sidecast, room) {
  const sent_at = [];
  let is_stopped = false;
  const done = (async () => {
    while (!is_stopped) {
      sent_at.push(performance.now());
      const answer = await sidecast.publish({ event: 'e', room, data: sent_at.length - 1 });
      assert.equal(answer.status, 202, answer.text);
      await sleep(10);
    }
  })();
  return { sent_at, stop: () => { is_stopped = true; return done; } };
}

// The official client as a page uses it: it joins whenever it is connected, and comes back.
async function stay(sidecast, room, sent_at) {
  const seen = [];
  const client = { seen, worst_ms: 0, disconnects: 0, connects: 1 };
  const socket = await connect(sidecast, { rooms: [room], reconnection: true, reconnectionDelay: 100 });
  client.socket = socket;
  client.at = gateway_of(socket.io.engine.id);
  socket.on('e', (n) => {
    seen.push(n);
    client.worst_ms = Math.max(client.worst_ms, performance.now() - sent_at[n]);
  });
  socket.on('disconnect', () => { client.disconnects++; });
  socket.on('connect', () => socket.emit('subscribe', { room }, () => { client.connects++; }));
  return client;
}

test('a killed gateway takes only its own clients with it, and they return [websocket]',
  with_sidecast(four, async (sidecast, t) => {
    const load = publish_steadily(sidecast, 'r');
    const clients = [];
    for (let i = 0; i < 32; i++)
      clients.push(await stay(sidecast, 'r', load.sent_at));
    const victims = clients.filter((client) => client.at === clients[0].at);
    const others = clients.filter((client) => client.at !== clients[0].at);
    assert.ok(others.length > 0, 'all clients are on one gateway');

    process.kill(await pid_of(sidecast, `g${clients[0].at + 1}`), 'SIGKILL');
    const began = performance.now();
    await until(() => victims.every((client) => client.connects === 2), 10_000);
    const returned = load.sent_at.length;
    const away_ms = performance.now() - began;
    await sleep(200);
    await load.stop();
    const last = load.sent_at.length - 1;
    await until(() => clients.every((client) => client.seen.at(-1) === last), 5000);

    const worst_ms = Math.max(...others.map((client) => client.worst_ms));
    t.diagnostic(`${others.length} undisturbed, at worst ${Math.round(worst_ms)} ms; ` +
      `${victims.length} back after ${Math.round(away_ms)} ms`);
    for (const { seen, disconnects } of others) {
      assert.equal(disconnects, 0);
      assert.deepEqual(seen, Array.from({ length: last - seen[0] + 1 }, (_, i) => seen[0] + i));
    }
    assert.doesNotMatch(sidecast.log, /not ready/, 'another child lost its bus for it');
    assert.ok(worst_ms <= bound(latency_ms), `${worst_ms} ms`);
    assert.ok(away_ms <= bound(2000), `${away_ms} ms`);
    for (const { seen, disconnects } of victims) {
      assert.equal(disconnects, 1);
      assert.deepEqual(seen.filter((n) => n >= returned),
        Array.from({ length: last - returned + 1 }, (_, i) => returned + i));
    }
    clients.forEach(({ socket }) => socket.close());
  }));

// While the supervisor is stopped nobody starts a successor: every connect that falls to the
// dead one's listener finds nobody there.
test('who connects while a gateway is dead is served by its successor [native]',
  with_sidecast(two, async (sidecast, t) => {
    const self = sidecast.pids.self;
    const [victim] = sidecast.pids.gateways;
    process.kill(self, 'SIGSTOP');
    process.kill(victim, 'SIGKILL');
    await ended(victim);
    const errors = [];
    const coming = Array.from({ length: 30 }, () => native(sidecast).catch((error) => errors.push(error)));
    const clients = [];
    coming.forEach((promise) => promise.then((client) => clients.push(client)));
    await sleep(1000);
    const at_once = clients.length;
    process.kill(self, 'SIGCONT');
    await Promise.all(coming);
    t.diagnostic(`${at_once} were served at once, ${30 - at_once} by the successor`);
    assert.deepEqual(errors, []);
    assert.ok(at_once < 30, 'nobody came to the dead one');
    assert.ok(at_once > 0, 'nobody came to the living one');
    clients.forEach((client) => client.close());
  }));

test('what a client says at one gateway is heard at another at once [websocket]', async (t) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'sidecast-say-'));
  const file = path.join(folder, 'sidecast.yaml');
  writeFileSync(file, `commands:
  subscribe: {do: join, room: "{args.0.room}", allow: ["**"]}
  say: {do: relay, room: r, as: said, payload: "{args.0}", member: false}
`);
  t.after(() => rmSync(folder, { recursive: true }));
  await with_sidecast({ args: ['--gateways', '2', '--config', file] }, async (sidecast) => {
    const at = [];
    for (let i = 0; i < 40 && !(at[0] && at[1]); i++) {
      const client = await connect(sidecast, { rooms: ['r'] });
      at[gateway_of(client.io.engine.id)] ??= client;
    }
    const took = [];
    at[1].on('said', (sent_at) => took.push(performance.now() - sent_at));
    for (let i = 0; i < 300; i++) {
      at[0].emit('say', performance.now());
      await sleep(3);
    }
    await until(() => took.length === 300, 10_000, () => `${took.length} of 300 were heard`);
    took.sort((a, b) => a - b);
    t.diagnostic(`p50 ${took[150].toFixed(1)} ms, p99 ${took[297].toFixed(1)} ms`);
    assert.ok(took[297] < 1000, `p99 ${took[297]} ms`);
    at.forEach((client) => client.close());
  })(t);
});

test('readiness of every gateway says within a second that the bus is down',
  with_sidecast(two, async (sidecast, t) => {
    const statuses = async () => Promise.all(Array.from({ length: 12 }, async () =>
      (await sidecast.request(`${sidecast.gateway}/readyz`)).status));
    assert.ok((await statuses()).every((status) => status === 200));
    process.kill(sidecast.pids.publisher, 'SIGSTOP');
    const began = performance.now();
    await until(async () => (await statuses()).every((status) => status === 503), 10_000);
    const took_ms = performance.now() - began;
    process.kill(sidecast.pids.publisher, 'SIGCONT');
    await until(async () => (await statuses()).every((status) => status === 200), bound(1000));
    t.diagnostic(`503 after ${Math.round(took_ms)} ms`);
    assert.ok(took_ms <= bound(1000), `${took_ms} ms`);
  }));

test('a publisher that comes back does not count before all gateways are back [native]',
  with_sidecast(two, async (sidecast, t) => {
    const clients = [];
    for (let i = 0; i < 12; i++)
      clients.push(await native(sidecast, { rooms: ['r'] }));
    await until_counted(sidecast, 'r', 12, 5000);
    const [, stopped] = sidecast.pids.gateways;
    process.kill(stopped, 'SIGSTOP');
    process.kill(sidecast.pids.publisher, 'SIGKILL');
    await until(() => counted(sidecast, 'r').catch(() => null), 10_000);

    // Longer than the directory's grace: it is the missing gateway that makes it wait.
    const began = performance.now();
    while (performance.now() - began < 2500) {
      assert.deepEqual(await counted(sidecast, 'r'), { recipients: null, complete: false });
      const { connections, users, rooms, memberships, complete } = await stats(sidecast);
      assert.deepEqual({ connections, users, rooms, memberships, complete },
        { connections: null, users: null, rooms: null, memberships: null, complete: false });
      await sleep(100);
    }
    process.kill(stopped, 'SIGCONT');
    await until_counted(sidecast, 'r', 12, 5000);
    const { connections, rooms, complete } = await stats(sidecast);
    assert.deepEqual({ connections, rooms, complete }, { connections: 12, rooms: 1, complete: true });
    assert.ok(clients.every((client) => !client.closed), 'a client was disconnected');
    t.diagnostic(`right again ${Math.round(performance.now() - began - 2500)} ms after it was let go on`);
    clients.forEach((client) => client.close());
  }));
