// Presence with real processes: the first session of a user over all gateways, the last one
// gone for a while, each told once and to the others; through the death of a gateway and of
// the publisher nobody is told what is not so.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, test } from 'node:test';
import { connect, native } from './lib/clients.mjs';
import { ended, gateway_of, pid_of, start_alone, stats } from './lib/gateways.mjs';
import { program, with_sidecast } from './lib/sidecast.mjs';
import { bound, sleep, until } from './lib/wait.mjs';

const grace_ms = 1000;
const wait_ms = 20_000;
const lease_ms = 10_000;

const folder = mkdtempSync(path.join(tmpdir(), 'sidecast-presence-'));
const file = (name, text) => {
  writeFileSync(path.join(folder, name), text, { mode: 0o600 });
  return path.join(folder, name);
};
const config = file('sidecast.yaml', `
presence:
  online: {event: "user:online", payload: {id: "{user.id}", last_seen: "{user.last_seen.ms}", at: "{now.iso}"}}
  offline: {event: "user:offline", payload: {id: "{user.id}", last_seen: "{user.last_seen}"}}
  to: [lobby, "friends:{user.id}"]
  grace: ${grace_ms}ms
  last_seen: on
connect:
  emit:
    - {event: welcome, payload: {last_seen: "{user.last_seen}", ms: "{user.last_seen.ms}"}}
`);
test.after(() => rmSync(folder, { recursive: true }));
const two = { args: ['--gateways', '2', '--config', config] };

const of_user = (sidecast, id) => ({ token: sidecast.mint({ sub: id, rooms: ['**'] }) });
const as = (sidecast, id, options = {}) => connect(sidecast, { ...of_user(sidecast, id), ...options });

// What a client was told of others: [['+', 'ada'], …].
const told = (client) => client.received
  .filter(([event]) => event.startsWith('user:'))
  .map(([event, payload]) => `${event === 'user:online' ? '+' : '-'}${payload.id}`);
const payloads = (client, event) => client.received.filter(([name]) => name === event).map(([, payload]) => payload);

async function until_told(client, wanted) {
  await until(() => told(client).length >= wanted.length, wait_ms, () => `told ${told(client)} and not ${wanted}`);
  assert.deepEqual(told(client), wanted);
}

// One more user comes: all that was to be told before is told by then.
async function settle(sidecast, client, wanted, id) {
  const last = await as(sidecast, id);
  await until_told(client, [...wanted, `+${id}`]);
  return last;
}

// Sessions of a user on both gateways.
async function on_both(sidecast, id) {
  const sockets = [];
  for (let at = new Set(); at.size < 2;) {
    assert.ok(sockets.length < 40, 'all on one gateway');
    sockets.push(await as(sidecast, id));
    at = new Set(sockets.map((socket) => gateway_of(socket.io.engine.id)));
  }
  return sockets;
}

// A session on the nth gateway.
async function on_gateway(sidecast, at, id, options = {}) {
  for (let i = 0; i < 40; i++) {
    const socket = await as(sidecast, id, { rooms: ['lobby'], ...options });
    if (gateway_of(socket.io.engine.id) === at)
      return socket;
    socket.close();
  }
  throw new Error(`nobody gets to gateway ${at}`);
}

describe('presence', { concurrency: true }, () => {
  test('a user over two gateways is told of once, and by the last one gone [websocket]',
    with_sidecast(two, async (sidecast) => {
      const watcher = await as(sidecast, 'w', { rooms: ['lobby'] });
      const friend = await native(sidecast, { token: sidecast.mint({ sub: 'f', rooms: ['**'] }), rooms: ['friends:ada'] });
      await until_told(watcher, ['+f']);

      const sockets = await on_both(sidecast, 'ada');
      await sockets.at(-1).timeout(wait_ms).emitWithAck('subscribe', { room: 'lobby' });
      await until_told(watcher, ['+f', '+ada']);
      const [, online] = payloads(watcher, 'user:online');
      assert.equal(online.last_seen, null);
      assert.ok(Math.abs(Date.parse(online.at) - Date.now()) < wait_ms);

      const closed_at = Date.now();
      sockets.forEach((socket) => socket.close());
      const back = await as(sidecast, 'ada'); // within the grace
      assert.ok(Math.abs(payloads(back, 'welcome')[0].ms - closed_at) < wait_ms);
      await sleep(2 * grace_ms);
      assert.deepEqual(told(watcher), ['+f', '+ada']);

      const left_at = Date.now();
      back.close();
      await until_told(watcher, ['+f', '+ada', '-ada']);
      assert.ok(Date.now() - left_at >= grace_ms - 50, 'told before the grace was over');
      const [{ last_seen }] = payloads(watcher, 'user:offline');
      assert.ok(Math.abs(Date.parse(last_seen) - left_at) < bound(500), last_seen);

      const again = await as(sidecast, 'ada');
      await until_told(watcher, ['+f', '+ada', '-ada', '+ada']);
      const [welcome] = payloads(again, 'welcome');
      assert.equal(welcome.last_seen, last_seen);
      assert.equal(welcome.ms, Date.parse(last_seen));
      assert.equal(payloads(watcher, 'user:online').at(-1).last_seen, welcome.ms);
      assert.deepEqual(sockets.flatMap(told), [], 'the user was told of herself');
      const heard = () => friend.messages.filter((m) => m.event?.startsWith('user:')).map((m) => [m.event, m.data.id]);
      await until(() => heard().length === 3, wait_ms);
      assert.deepEqual(heard(), [['user:online', 'ada'], ['user:offline', 'ada'], ['user:online', 'ada']]);
      friend.close();
    }));

  test('the death of the publisher tells nobody anything that is not so [websocket]',
    with_sidecast(two, async (sidecast) => {
      const stays = { reconnection: true, reconnectionDelay: 100 };
      const watcher = await as(sidecast, 'w', { ...stays, rooms: ['lobby'] });
      const stayer = await as(sidecast, 'stayer', stays);
      const leaver = await as(sidecast, 'leaver', stays);
      await until_told(watcher, ['+stayer', '+leaver']);
      const pid = sidecast.pids.publisher;
      process.kill(pid, 'SIGKILL');
      leaver.close();
      await ended(pid);
      await until(async () => (await stats(sidecast).catch(() => null))?.complete, wait_ms);
      const late = await settle(sidecast, watcher, ['+stayer', '+leaver'], 'late');
      // Who was here before the start has a while to come back.
      await until_told(watcher, ['+stayer', '+leaver', '+late', '-leaver']);
      const [{ last_seen }] = payloads(watcher, 'user:offline');
      assert.ok(Date.now() - Date.parse(last_seen) < 4 * wait_ms, last_seen);
      [stayer, late].forEach((socket) => socket.close());
      await until(() => told(watcher).length === 6, wait_ms, () => `told ${told(watcher)}`);
      assert.deepEqual(told(watcher).slice(4).sort(), ['-late', '-stayer']);
    }));

  test('a gateway that nobody replaces takes its users with it when its lease is over [websocket]',
    with_sidecast({ args: ['--gateways', '1', '--config', config] }, async (sidecast, t) => {
      const alone = await start_alone(sidecast, t, 'g2');
      const watcher = await as(sidecast, 'w', { rooms: ['lobby'] });
      const lost = await connect(alone, of_user(sidecast, 'lost'));
      await until_told(watcher, ['+lost']);
      const began = Date.now();
      alone.signal('SIGKILL');
      await until(() => !lost.connected, wait_ms);
      await until_told(watcher, ['+lost', '-lost']);
      assert.ok(Date.now() - began >= lease_ms - 1100 + grace_ms, `told after ${Date.now() - began} ms`);
    }));

  test('the death of a gateway takes those who do not return [websocket]',
    with_sidecast(two, async (sidecast) => {
      const stays = { reconnection: true, reconnectionDelay: 100, reconnectionDelayMax: 200 };
      const watchers = [];
      for (const at of [0, 1])
        watchers[at] = await on_gateway(sidecast, at, `w${at}`);
      const watcher = watchers[0];
      const returns = await on_gateway(sidecast, 1, 'returns', stays);
      await on_gateway(sidecast, 1, 'lost');
      await until(() => told(watcher).includes('+lost'), wait_ms);
      const before = told(watcher);
      const pid = await pid_of(sidecast, 'g2');
      process.kill(pid, 'SIGKILL');
      await until(() => told(watcher).length >= before.length + 2, wait_ms);
      // w1 was there, too: in which order two are lost is nobody's promise.
      assert.deepEqual(told(watcher).slice(before.length).sort(), ['-lost', '-w1']);
      assert.ok(returns.connected);
      await settle(sidecast, watcher, [...told(watcher)], 'last');
    }));
});

test('a file is told what presence knows, and what it does not', (t) => {
  const rows = [
    ['presence: {online: x, to: "r:{user.name}"}', 'user.id'],
    ['presence: {online: {payload: 1}}', 'presence.online is an event'],
    ['presence: {online: connect}', 'keeps for itself'],
    ['presence: {to: lobby}', 'needs an event'],
    ['presence: {online: {event: x, payload: {a: "{user.last_seen}"}}}', 'last_seen on'],
    ['presence: {away: x}', 'not built yet'],
    ['presence: {grace: soon}', 'presence.grace'],
    ['presence: {last_sen: on}', 'last_seen'],
    ['connect: {emit: [{event: w, payload: "{user.last_seen}"}]}', 'last_seen on'],
    ['auth: {data: {last_seen: "{claims.x}"}}', 'last_seen'],
  ];
  for (const [text, wanted] of rows)
    assert.throws(() => execFileSync(program, ['check-config', file('bad.yaml', text)], { stdio: 'pipe' }),
      (error) => String(error.stderr).includes(wanted) || t.diagnostic(String(error.stderr)), text);
});
