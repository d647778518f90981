// The native dialect says in plain words what became of a client that comes back:
// connected {recovered, reason}, what it missed, then what is live; resync when a part of
// the past is lost while it is there.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test, { after } from 'node:test';
import { native, native_raw } from './lib/clients.mjs';
import { with_sidecast } from './lib/sidecast.mjs';
import { until } from './lib/wait.mjs';

const wait_ms = 15_000;
const folder = mkdtempSync(path.join(tmpdir(), 'sidecast-native-'));
const file = path.join(folder, 'sidecast.yaml');
writeFileSync(file, 'namespaces: {/: {recovery: on}}\n', { mode: 0o600 });
after(() => rmSync(folder, { recursive: true }));

const with_recovery = (options, body) => with_sidecast({ args: ['-c', file], ...options }, body);

// A client as an application would write it: it keeps its session and the last position.
class Returning {
  constructor(sidecast, token = sidecast.token) {
    Object.assign(this, { sidecast, token, heard: [] });
  }

  // `way`: in the first message, or in the handshake's address.
  async come({ way = 'message', rooms, ...changes } = {}) {
    const { session, position } = { ...this, ...changes };
    const place = session ? { session, ...(position ? { position } : {}) } : {};
    const in_address = new URLSearchParams({ token: this.token, ...place });
    this.socket = native_raw(this.sidecast, way === 'address' ? { query: `?${in_address}` } : {});
    await this.socket.opened();
    if (way === 'message')
      this.socket.send(JSON.stringify({ t: 'connect', token: this.token, ...place, rooms }));
    this.hello = await this.socket.message((m) => m.t === 'connected');
    assert.equal(this.socket.messages[0], this.hello, 'nothing comes before connected');
    this.session = this.hello.session;
    this.position = this.hello.position;
    return this.hello;
  }

  async events(count) {
    const found = () => this.socket.messages.filter(({ t }) => t === 'event');
    await until(() => found().length >= count, wait_ms, () => JSON.stringify(this.socket.messages));
    if (found().length > 0)
      this.position = found().at(-1).position;
    return found().map(({ data }) => data);
  }

  leave() {
    this.socket.close();
  }
}

async function publish(sidecast, room, ...numbers) {
  for (const n of numbers) {
    const { status } = await sidecast.publish({ event: 'n', room, data: n });
    assert.equal(status, 202);
  }
}

for (const way of ['message', 'address'])
  test(`who names session and position goes on where it was [by ${way}]`, with_recovery({}, async (sidecast) => {
    const client = new Returning(sidecast);
    const { sid, recovered, reason } = await client.come({ rooms: ['a', 'b'] });
    assert.deepEqual([recovered, reason], [false, undefined]);

    await publish(sidecast, 'a', 1, 2);
    assert.deepEqual(await client.events(2), [1, 2]);
    for (let round = 0; round < 5; round++) {
      client.leave();
      await publish(sidecast, 'a', 10 * round, 10 * round + 1);
      await publish(sidecast, 'c', 99);
      await publish(sidecast, 'b', 10 * round + 2);
      const back = await client.come({ way });
      assert.deepEqual([back.recovered, back.reason, back.sid, back.rooms.sort()], [true, undefined, sid, ['a', 'b']]);
      await publish(sidecast, 'a', 10 * round + 3);
      assert.deepEqual(await client.events(4), [0, 1, 2, 3].map((n) => 10 * round + n));
    }
    client.leave();
  }));

test('a client that got nothing yet, or names no position, goes on from what is proven',
  with_recovery({}, async (sidecast) => {
    const client = new Returning(sidecast);
    await client.come({ rooms: ['a'] });
    client.leave();
    await publish(sidecast, 'a', 1);
    assert.equal((await client.come()).recovered, true);
    assert.deepEqual(await client.events(1), [1]);
    client.leave();
    await publish(sidecast, 'a', 2);
    assert.equal((await client.come({ position: '' })).recovered, true);
    assert.equal((await client.events(1)).at(-1), 2);
    client.leave();
  }));

test('who is not recovered is told why, and is somebody new', with_recovery({}, async (sidecast) => {
  const { mint } = sidecast;
  const ada = mint.call(sidecast, { sub: 'ada', rooms: ['a'] });
  const bob = mint.call(sidecast, { sub: 'bob', rooms: ['a'] });
  const narrow = mint.call(sidecast, { sub: 'ada', rooms: ['b'] });
  const rows = [
    ['unknown_session', { session: 'x'.repeat(32) }, ada],
    ['unknown_session', { session: 'x' }, ada],
    ['unknown_session', {}, bob], // a secret of somebody else is worth nothing
    ['epoch_changed', { position: 'AAAAAAAB-1' }, ada],
    ['epoch_changed', { position: 'nonsense!' }, ada],
    ['forbidden', {}, narrow],
  ];
  for (const [reason, changes, token] of rows) {
    const client = new Returning(sidecast, ada);
    const first = await client.come({ rooms: ['a'] });
    client.leave();
    client.token = token;
    const back = await client.come(changes);
    assert.deepEqual([back.recovered, back.reason], [false, reason], JSON.stringify(changes));
    assert.notEqual(back.sid, first.sid);
    assert.notEqual(back.session, first.session);
    assert.deepEqual(back.rooms, []);
    client.leave();
  }
}));

test('who comes back after the window is told so, and nobody else is',
  with_recovery({ set: ['recovery.window=3s'] }, async (sidecast) => {
    const ada = sidecast.mint({ sub: 'ada', rooms: ['a'] });
    const bob = sidecast.mint({ sub: 'bob', rooms: ['a'] });
    const client = new Returning(sidecast, ada);
    await client.come({ rooms: ['a'] });
    const { session } = client;
    client.leave();
    const parked = async () => {
      const { text } = await sidecast.request(`${sidecast.ops}/metrics`);
      return Number(/^sidecast_sessions_parked\S* (\d+)$/m.exec(text)[1]);
    };
    await until(async () => (await parked()) === 1, wait_ms);
    await until(async () => (await parked()) === 0, wait_ms);
    for (const [token, reason] of [[bob, 'unknown_session'], [ada, 'expired']]) {
      client.token = token;
      const back = await client.come({ session });
      assert.deepEqual([back.recovered, back.reason, back.rooms], [false, reason, []]);
      client.leave();
    }
  }));

test('what the log has let go of is told as history_overflow',
  with_recovery({ set: ['log.keep.events=20'] }, async (sidecast) => {
    const [quiet, busy] = [new Returning(sidecast), new Returning(sidecast)];
    await quiet.come({ rooms: ['quiet'] });
    await busy.come({ rooms: ['busy'] });
    await publish(sidecast, 'quiet', 1);
    await publish(sidecast, 'busy', 1);
    await Promise.all([quiet.events(1), busy.events(1)]);
    quiet.leave();
    busy.leave();
    await publish(sidecast, 'busy', ...Array.from({ length: 60 }, (_, i) => i + 2));
    // The log lets go by itself, a little later, and a new gateway has only what the log has: what is
    // gone from one room is no loss to another.
    await until(async () => {
      const { text } = await sidecast.request(`${sidecast.ops}/metrics`);
      return Number(text.match(/^sidecast_log_events (\d+)/m)[1]) <= 30;
    }, wait_ms);
    process.kill(sidecast.pids.gateways[0], 'SIGKILL');
    const { recovered, reason } = await busy.come();
    assert.deepEqual([recovered, reason], [false, 'history_overflow']);
    busy.leave();
    assert.equal((await quiet.come()).recovered, true);
    await publish(sidecast, 'quiet', 2);
    assert.deepEqual(await quiet.events(1), [2]);
    quiet.leave();
  }));

test('on a new log who is there is told to start afresh, and stays',
  with_recovery({ set: ['log.durability=memory'] }, async (sidecast) => {
    const client = await native(sidecast, { rooms: ['a'] });
    process.kill(sidecast.pids.publisher, 'SIGKILL');
    const resync = await client.message((m) => m.t === 'resync');
    assert.deepEqual([resync.rooms, resync.reason], [['*'], 'epoch_changed']);
    assert.match(resync.position, /^[A-Za-z0-9_-]+$/);
    assert.equal(client.closed, null);
    await until(async () => (await sidecast.publish({ event: 'n', room: 'a', data: 1 })).status === 202, wait_ms);
    assert.equal((await client.message((m) => m.t === 'event')).data, 1);
    // And from there on it can be come back to.
    const returning = new Returning(sidecast);
    Object.assign(returning, { session: client.hello.session, position: resync.position });
    client.close();
    assert.equal((await returning.come()).recovered, true);
    assert.deepEqual(await returning.events(1), [1]);
    returning.leave();
  }));

test('who may not have heard of the new log is not told that nothing is missing',
  with_recovery({ set: ['log.durability=memory'] }, async (sidecast) => {
    const [deaf, quiet, sound] = [1, 2, 3].map(() => new Returning(sidecast));
    const all = [deaf, quiet, sound];
    for (const client of all)
      await client.come({ rooms: ['a'] });
    [deaf, quiet].forEach((client) => client.socket.socket.pause());
    process.kill(sidecast.pids.publisher, 'SIGKILL');
    const resync = await sound.socket.message((m) => m.t === 'resync');
    all.forEach((client) => client.leave());
    sound.position = resync.position;
    quiet.position = undefined;
    await until(async () => (await sidecast.publish({ event: 'n', room: 'a', data: 1 })).status === 202, wait_ms);

    assert.deepEqual((await Promise.all(all.map((client) => client.come()))).map(({ recovered, reason }) => reason ?? recovered),
      ['epoch_changed', 'epoch_changed', true]);
    assert.deepEqual(await sound.events(1), [1]);
    all.forEach((client) => client.leave());
  }));

test('a slow return gets all of it in order, with live events behind', with_recovery({}, async (sidecast) => {
  const client = new Returning(sidecast);
  await client.come({ rooms: ['a'] });
  client.leave();
  const numbers = Array.from({ length: 400 }, (_, i) => i);
  const fat = 'x'.repeat(4000);
  const send = (n) => sidecast.publish({ event: 'n', room: 'a', data: { n, fat } });
  for (const n of numbers.slice(0, 300))
    await send(n);
  const back = client.come();
  for (const n of numbers.slice(300))
    await send(n);
  assert.equal((await back).recovered, true);
  assert.deepEqual((await client.events(400)).map(({ n }) => n), numbers);
  client.leave();
}));
