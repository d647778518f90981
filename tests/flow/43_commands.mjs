// What clients may ask for, as a file says it, with the official client: every action, its
// answer, its failure; a relay reaches all gateways in one order.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test from 'node:test';
import { connect, native } from './lib/clients.mjs';
import { gateway_of } from './lib/gateways.mjs';
import { with_sidecast } from './lib/sidecast.mjs';
import { until } from './lib/wait.mjs';

const wait_ms = 10_000;

// A sidecast with this configuration file.
function with_file(text, body, args = []) {
  return async (t) => {
    const folder = mkdtempSync(path.join(tmpdir(), 'sidecast-commands-'));
    const file = path.join(folder, 'sidecast.yaml');
    writeFileSync(file, text, { mode: 0o600 });
    try {
      await with_sidecast({ args: ['-c', file, ...args] }, body)(t);
    } finally {
      rmSync(folder, { recursive: true });
    }
  };
}

const ask = (socket, ...words) => socket.timeout(wait_ms).emitWithAck(...words);

async function heard(socket, name, count = 1) {
  const found = () => socket.received.filter((event) => event[0] === name);
  await until(() => found().length >= count, wait_ms, () => `no ${name}: ${JSON.stringify(socket.received)}`);
  return found().map(([, ...args]) => args);
}

const conformance = `
commands:
  message: {do: reply, event: message-back, args: "{args[]}"}
  message-with-ack: {do: ack, args: "{args[]}"}
  join: {do: join, room: "{args.0}", allow: ["**"], ack: {ok: {ok: true, recovered: "{conn.recovered}"}}}
  say: {do: relay, room: "{args.0}", as: said, args: "{args[1..]}", except_self: false, member: false}
  drop: {do: close}
`;

test('an event comes back, an ack carries what was sent, a relay reaches a room',
  with_file(conformance, async (sidecast) => {
    const socket = await connect(sidecast);
    const sent = [1, '2', { 3: [true, null, 'ü'] }];

    socket.emit('message', ...sent);
    assert.deepEqual(await heard(socket, 'message-back'), [sent]);
    const acked = await new Promise((resolve) => {
      socket.emit('message-with-ack', ...sent, (...args) => resolve(args));
    });
    assert.deepEqual(acked, sent);

    assert.deepEqual(await ask(socket, 'join', 'any:room'), { ok: true, recovered: false });
    socket.emit('say', 'any:room', 'a', { b: 1 });
    assert.deepEqual(await heard(socket, 'said'), [['a', { b: 1 }]]);
    assert.deepEqual(await ask(socket, 'subscribe', { room: 'x' }),
      { ok: false, error: 'E_UNKNOWN_EVENT', message: 'nothing here handles this event' });
    socket.close();
  }));

test('a client whose transport is closed comes back by itself',
  with_file(conformance, async (sidecast) => {
    const socket = await connect(sidecast, { reconnection: true, reconnectionDelay: 50 });
    const first = socket.id;
    const reason = new Promise((resolve) => { socket.once('disconnect', resolve); });
    const again = new Promise((resolve) => { socket.once('connect', resolve); });

    socket.emit('drop');
    assert.equal(await reason, 'transport close');
    await again;
    assert.deepEqual([socket.recovered, socket.id], [true, first]);
    socket.close();
  }));

const village = `
commands:
  join_village: {do: join, args: {village_id: id}, room: "village:{args.0.village_id}", allow: ["village:*"], limit: joins}
  team: {do: join, room: "team:{claims.team}", allow: ["team:{claims.team}"]}
  subscribe: {do: join, room: "{args.0.room}"}
  "debug:rooms": {do: rooms}
  "typing:start": {do: relay, room: "village:{args.0.id}", as: "status:typing", payload: {user: "{user.id}", room: "{args.0.id}"}}
  ping: {do: reply, event: pong}
ack: {error: {ok: false, error: "{code}"}}
codes: {ack: {E_BAD_PAYLOAD: bad_request}}
limits: {rates: {joins: {rate: 10/5s}}}
heartbeats: [{emit: server_ping, every: 200ms, ack: on}]
`;

test('negative payloads give the system\'s words, in an ack or as an event', with_file(village, async (sidecast) => {
  const socket = await connect(sidecast);

  for (const bad of [undefined, null, 7, [], {}, { village_id: '' }, { village_id: 'a:b' }, { village_id: [1] }]) {
    const words = bad === undefined ? [] : [bad];
    assert.deepEqual(await ask(socket, 'join_village', ...words), { ok: false, error: 'bad_request' });
  }
  socket.emit('join_village', {});
  const [[error]] = await heard(socket, 'error');
  assert.deepEqual(error, { code: 'E_BAD_PAYLOAD', message: '"village_id" is missing', meta: {} });
  assert.deepEqual(await ask(socket, 'debug:rooms', {}), []);
  socket.close();
}));

test('ten joins in five seconds are enough', with_file(village, async (sidecast) => {
  const socket = await connect(sidecast);

  for (let i = 0; i < 10; i++)
    assert.deepEqual(await ask(socket, 'join_village', { village_id: i }), { ok: true, room: `village:${i}` });
  assert.deepEqual(await ask(socket, 'join_village', { village_id: 11 }), { ok: false, error: 'E_RATE_LIMIT' });
  assert.equal((await ask(socket, 'debug:rooms')).length, 10);
  socket.close();
}));

test('a claim names the one room that it opens', with_file(village, async (sidecast) => {
  const red = await connect(sidecast, { token: sidecast.mint({ sub: '1', team: 'red' }) });
  const none = await connect(sidecast, { token: sidecast.mint({ sub: '2' }) });
  const star = await connect(sidecast, { token: sidecast.mint({ sub: '3', team: '*' }) });

  assert.deepEqual(await ask(red, 'team'), { ok: true, room: 'team:red' });
  assert.deepEqual(await ask(red, 'subscribe', { room: 'team:blue' }), { ok: false, error: 'E_FORBIDDEN' });
  assert.deepEqual(await ask(none, 'team'), { ok: false, error: 'E_BAD_TARGET' });
  assert.deepEqual(await ask(star, 'team'), { ok: false, error: 'E_BAD_TARGET' });
  for (const socket of [red, none, star])
    socket.close();
}));

test('typing reaches the others of the room, in both dialects, and members alone send it',
  with_file(village, async (sidecast) => {
    const ada = await connect(sidecast, { token: sidecast.mint({ sub: 'ada' }) });
    const bob = await connect(sidecast, { token: sidecast.mint({ sub: 'bob' }) });
    const eve = await native(sidecast, { token: sidecast.mint({ sub: 'eve', rooms: ['village:1'] }), rooms: ['village:1'] });

    await ask(ada, 'join_village', { village_id: 1 });
    assert.deepEqual(await ask(bob, 'typing:start', { id: 1 }), { ok: false, error: 'E_FORBIDDEN' });
    await ask(bob, 'join_village', { village_id: 1 });
    ada.emit('typing:start', { id: 1 });
    assert.deepEqual(await heard(bob, 'status:typing'), [[{ user: 'ada', room: 1 }]]);
    const message = await eve.message((m) => m.event === 'status:typing');
    assert.deepEqual(message.data, { user: 'ada', room: 1 });
    assert.deepEqual(await ask(bob, 'ping'), { ok: true });
    await heard(bob, 'pong');
    assert.ok(!ada.received.some(([name]) => name === 'status:typing'));
    for (const client of [ada, bob, eve])
      client.close();
  }));

test('a heartbeat is answered and timed', with_file(village, async (sidecast) => {
  const socket = await connect(sidecast);
  socket.on('server_ping', (at, answer) => answer(at));
  await until(async () => {
    const { text } = await sidecast.request(`${sidecast.ops}/metrics`);
    const value = (name) => Number(text.match(new RegExp(`^${name}{gateway="g1"} (\\d+)$`, 'm'))?.[1]);
    return value('sidecast_heartbeats_answered_total') >= 2
      && value('sidecast_heartbeat_round_trip_microseconds_total') > 0;
  }, wait_ms);
  socket.close();
}));

// Connects until every one of `count` gateways has a client.
async function one_on_each(sidecast, count) {
  const found = new Map();
  for (let i = 0; i < 200 && found.size < count; i++) {
    const socket = await connect(sidecast);
    const at = gateway_of(socket.io.engine.id);
    if (found.has(at))
      socket.close();
    else
      found.set(at, socket);
  }
  assert.equal(found.size, count);
  return [...found.values()];
}

test('what clients of several gateways say arrives everywhere in one order',
  with_file(conformance, async (sidecast) => {
    const sockets = await one_on_each(sidecast, 3);
    const each = 200;

    for (const socket of sockets)
      assert.equal((await ask(socket, 'join', 'r')).ok, true);
    for (let i = 0; i < each; i++)
      for (const [who, socket] of sockets.entries())
        socket.emit('say', 'r', who, i);
    const orders = [];
    for (const socket of sockets)
      orders.push(await heard(socket, 'said', each * sockets.length));
    for (const order of orders) {
      assert.deepEqual(order, orders[0]);
      assert.equal(order.length, each * sockets.length);
    }
    for (const who of sockets.keys())
      assert.deepEqual(orders[0].filter(([by]) => by === who).map(([, i]) => i), [...Array(each).keys()]);
    for (const socket of sockets)
      socket.close();
  }, ['--gateways', '3']));
