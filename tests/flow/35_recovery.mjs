// A client that comes back gets what it missed, once and in order, and `recovered` is true
// only then: the unmodified client, over both transports.
import assert from 'node:assert/strict';
import { writeFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { io } from 'socket.io-client';
import { is_offset, join, socketio_text } from './lib/clients.mjs';
import { come_back, comer, has, leave, upto } from './lib/coming_back.mjs';
import { with_sidecast } from './lib/sidecast.mjs';
import { until } from './lib/wait.mjs';

const patience_ms = 20_000;
const transports = ['websocket', 'polling'];
const folder = mkdtempSync(path.join(tmpdir(), 'sidecast-recovery-'));
after(() => rmSync(folder, { recursive: true, force: true }));

function file(name, text) {
  const at = path.join(folder, name);
  writeFileSync(at, text, { mode: 0o600 });
  return at;
}

const metric = async (sidecast, name, label = '') => {
  const { text } = await sidecast.request(`${sidecast.ops}/metrics`);
  return [...text.matchAll(new RegExp(`^${name}\\{[^}]*${label}[^}]*\\} (\\d+)$`, 'gm'))]
    .reduce((sum, [, n]) => sum + Number(n), 0);
};

// Gateways tell their counters once a second.
const counted = (sidecast, reason) =>
  until(async () => await metric(sidecast, 'sidecast_not_recovered_total', reason) === 1, patience_ms);

for (const transport of transports) {
  test(`five times away, everything once and in order [${transport}]`, with_sidecast({}, async (sidecast) => {
    const socket = await comer(sidecast, { transports: [transport], rooms: ['a', 'b'] });
    const { id } = socket;
    let next = 0;
    const publish = async (count) => {
      for (let i = 0; i < count; i++, next++)
        await sidecast.publish({ event: 'n', room: next % 3 ? 'a' : 'b', data: next });
    };

    await publish(3);
    await has(socket, 3);
    assert.equal(socket.recovered, false);
    for (let round = 0; round < 5; round++) {
      await leave(socket);
      await publish(round % 2 ? 0 : 20); // also with nothing missed
      await come_back(socket);
      assert.equal(socket.recovered, true);
      assert.equal(socket.id, id);
      await publish(1);
      await has(socket, next);
    }
    assert.deepEqual(socket.numbers, upto(next));
    socket.close();
  }));

  test(`who has received nothing so far comes back, too [${transport}]`, with_sidecast({}, async (sidecast) => {
    const early = await comer(sidecast, { transports: [transport] }); // before the first event of all
    await sidecast.publish({ event: 'n', room: 'a', data: -1 });
    const socket = await comer(sidecast, { transports: [transport], rooms: ['a'] });

    await leave(socket);
    await leave(early);
    for (const n of upto(3))
      await sidecast.publish({ event: 'n', room: 'a', data: n });
    await sidecast.publish({ event: 'n', user: 'tester', data: 3 });
    await sidecast.publish({ event: 'n', all: true, data: 4 });
    await come_back(socket);
    await come_back(early);
    assert.equal(socket.recovered, true);
    assert.equal(early.recovered, true);
    await has(socket, 5);
    await has(early, 2);
    assert.deepEqual(socket.numbers, upto(5));
    assert.deepEqual(early.numbers, [3, 4]);
    socket.close();
    early.close();
  }));

  test(`a ghost gives way, and nothing comes twice [${transport}]`, with_sidecast({}, async (sidecast) => {
    const socket = await comer(sidecast, { transports: [transport], rooms: ['a'] });
    const { id } = socket;

    await sidecast.publish({ event: 'n', room: 'a', data: 0 });
    await has(socket, 1);
    // The second connection comes with the first one's pid while that is alive.
    const auth = { token: sidecast.token, pid: socket._pid, offset: socket._lastOffset };
    const again = io(sidecast.gateway, { transports: [transport], forceNew: true, auth });
    again.numbers = [];
    again.on('n', (n) => again.numbers.push(n));
    const gone = new Promise((resolve) => { socket.once('disconnect', resolve); });
    socket.io.reconnection(false);
    await new Promise((resolve) => { again.once('connect', resolve); });
    await gone;
    assert.equal(again.id, id);
    await sidecast.publish({ event: 'n', room: 'a', data: 1 });
    await has(again, 1);
    assert.deepEqual(again.numbers, [1]);
    assert.deepEqual(socket.numbers, [0]);
    const answer = await sidecast.publish({ event: 'n', room: 'a', data: 2 });
    assert.equal(answer.json.recipients, 1);
    again.close();
  }));
}

// One gateway: what one of its clients has heard, it has applied when the other one joins.
test('what is joined while others talk brings nothing from before', with_sidecast({ args: ['--gateways', '1'] }, async (sidecast) => {
  const socket = await comer(sidecast, { rooms: ['a'] });
  const other = await comer(sidecast, { rooms: ['b'] });

  await sidecast.publish({ event: 'n', room: 'a', data: 0 });
  await has(socket, 1);
  for (const n of upto(5))
    await sidecast.publish({ event: 'n', room: 'b', data: 100 + n });
  await has(other, 5);
  await join(socket, 'b'); // its offset is from before these
  await leave(socket);
  await sidecast.publish({ event: 'n', room: 'b', data: 1 });
  await come_back(socket);
  assert.equal(socket.recovered, true);
  await has(socket, 2);
  await sidecast.publish({ event: 'n', room: 'a', data: 2 });
  await has(socket, 3);
  assert.deepEqual(socket.numbers, upto(3));
  socket.close();
}));

test('an event for several rooms comes once, one that excepts it does not, one too old does not',
  with_sidecast({}, async (sidecast) => {
    const socket = await comer(sidecast, { rooms: ['a', 'b'] });
    const { id } = socket;
    await leave(socket);
    await sidecast.publish({ event: 'n', room: 'a', except: [id], data: 102 });
    await sidecast.publish({ event: 'n', rooms: ['a', 'b'], data: 0 });
    await sidecast.publish({ event: 'n', room: 'a', ttl: '1ms', data: 100 });
    await sidecast.publish({ event: 'n', room: 'a', volatile: true, data: 101 });
    await sidecast.publish({ event: 'n', room: 'b', data: 1 });
    await new Promise((resolve) => { setTimeout(resolve, 5); });
    await come_back(socket);
    assert.equal(socket.recovered, true);
    await has(socket, 2);
    await sidecast.publish({ event: 'n', room: 'a', data: 2 });
    await has(socket, 3);
    assert.deepEqual(socket.numbers, upto(3));
    socket.close();
  }));

test('another user with the pid gets nothing by it, and its owner loses nothing', with_sidecast({}, async (sidecast) => {
  const socket = await comer(sidecast, { rooms: ['a'] });
  const { id, _pid: pid } = socket;

  await sidecast.publish({ event: 'n', room: 'a', data: 0 });
  await has(socket, 1);
  await leave(socket);
  await sidecast.publish({ event: 'n', room: 'a', data: 1 });
  const thief = io(sidecast.gateway, {
    transports: ['websocket'], forceNew: true, reconnection: false,
    auth: { token: sidecast.mint({ sub: 'thief', rooms: ['**'] }), pid, offset: socket._lastOffset },
  });
  const heard = [];
  thief.onAny((...event) => heard.push(event));
  await new Promise((resolve) => { thief.once('connect', resolve); });
  assert.notEqual(thief.id, id);
  assert.notEqual(thief._pid, pid);
  await come_back(socket);
  assert.equal(socket.recovered, true);
  await has(socket, 2);
  assert.deepEqual(heard, []);
  await counted(sidecast, 'unknown_session');
  thief.close();
  socket.close();
}));

test('who may not be in a room any more is not recovered, and is not in it', with_sidecast({}, async (sidecast) => {
  let rooms = ['a', 'b'];
  const socket = await comer(sidecast, { rooms: ['a', 'b'] });

  await leave(socket);
  rooms = ['a'];
  socket.auth = { token: sidecast.mint({ sub: 'tester', rooms }) };
  await sidecast.publish({ event: 'n', room: 'b', data: 100 });
  await come_back(socket);
  assert.equal(socket.recovered, false);
  await join(socket, 'a');
  await sidecast.publish({ event: 'n', room: 'b', data: 101 });
  await sidecast.publish({ event: 'n', room: 'a', data: 0 });
  await has(socket, 1);
  assert.deepEqual(socket.numbers, [0]);
  await counted(sidecast, 'forbidden');
  socket.close();
}));

test('a client that said goodbye is not brought back', with_sidecast({}, async (sidecast) => {
  const socket = await comer(sidecast, { rooms: ['a'] });
  const { id } = socket;

  socket.disconnect();
  socket.connect();
  await until(() => socket.connected, patience_ms);
  assert.equal(socket.recovered, false);
  assert.notEqual(socket.id, id);
  socket.close();
}));

test('every event says where the client is, and none that asks for an ack does', async (t) => {
  const config = file('offsets.yaml', `
connect: {emit: [{event: hello, payload: {id: "{conn.id}", back: "{conn.recovered}"}}]}
commands:
  echo: {do: reply, event: echoed, args: "{args[]}"}
  subscribe: {do: join, room: "{args.0.room}", allow: ["**"]}
  say: {do: relay, room: "{args.0}", as: said, args: "{args[1..]}", except_self: false}
heartbeats: [{emit: beat, every: 50ms, expect: beat_back}, {emit: asked, every: 50ms, ack: on}]
`);
  await with_sidecast({ args: ['--config', config] }, async (sidecast) => {
    const raw = [];
    const socket = await comer(sidecast, {});
    socket.onAny((...event) => raw.push(event.filter((one) => typeof one !== 'function')));
    await join(socket, 'a');
    socket.emit('echo', 1, 'tail');
    socket.emit('say', 'a', { x: 1 }, 'tail');
    socket.emit('nothing'); // nobody waits for its failure
    await sidecast.publish({ event: 'vol', room: 'a', args: [1, 'tail'], volatile: true });
    await sidecast.publish({ event: 'n', room: 'a', data: 'tail' });
    const names = ['echoed', 'said', 'vol', 'n', 'beat', 'asked'];
    await until(() => names.every((name) => raw.some(([event]) => event === name)), patience_ms, () => JSON.stringify(raw));
    for (const event of raw)
      assert.equal(is_offset(event.at(-1)), event[0] !== 'asked', JSON.stringify(event));
    await leave(socket);
    await sidecast.publish({ event: 'n', room: 'a', data: 7 });
    await come_back(socket);
    assert.equal(socket.recovered, true);
    await until(() => socket.numbers.includes(7), patience_ms);
    const hellos = socket.received.filter(([name]) => name === 'hello');
    assert.equal(hellos.at(-1)[1].back, true);
    socket.close();
  })(t);
});

test('CONNECT is answered before what was missed, and with the same ids', with_sidecast({}, async (sidecast) => {
  const client = await socketio_text(sidecast, { rooms: ['a'] });
  const { sid, pid } = client.hello;
  assert.match(pid, /^[A-Za-z0-9_-]{32}$/);
  client.close();
  const position = (answer) => answer.json.position;
  const missed = [];
  for (const n of upto(3))
    missed.push(`42["n",${n},"${position(await sidecast.publish({ event: 'n', room: 'a', data: n }))}"]`);

  const again = await socketio_text(sidecast, { auth: { pid } });
  assert.deepEqual(again.hello, { sid, pid });
  await again.find((frame) => String(frame) === missed.at(-1));
  assert.deepEqual(again.told(1), [`40${JSON.stringify({ sid, pid })}`, ...missed]);
  again.close();

  // An offset that is none, and a pid that is none.
  const wrong = [{ pid, offset: 'no place' }, { pid: 'x'.repeat(32) }, { pid: 'short' }, { pid: 7 }];
  for (const auth of wrong) {
    const stranger = await socketio_text(sidecast, { auth });
    assert.notEqual(stranger.hello.sid, sid, JSON.stringify(auth));
    assert.notEqual(stranger.hello.pid, pid);
    stranger.close();
  }
}));

test('off, nothing of it is said', async (t) => {
  const config = file('off.yaml', 'namespaces: {/: {recovery: off}}\nrooms: [{match: "**", allow: any}]\n');
  await with_sidecast({ args: ['--config', config] }, async (sidecast) => {
    const raw = [];
    const socket = await comer(sidecast, { rooms: ['a'] });
    socket.onAny((...event) => raw.push(event));
    assert.equal(socket._pid, undefined);
    await sidecast.publish({ event: 'n', room: 'a', data: 1 });
    await has(socket, 1);
    assert.deepEqual(raw, [['n', 1]]);
    await leave(socket);
    await come_back(socket);
    assert.ok(!socket.recovered);
    socket.close();
  })(t);
});

test('an alias and attachments come back as they were', async (t) => {
  const config = file('alias.yaml', 'namespaces: {/: {}, /ws: {alias: /}}\n');
  await with_sidecast({ args: ['--config', config] }, async (sidecast) => {
    const there = { ...sidecast, gateway: `${sidecast.gateway}/ws`, token: sidecast.token };
    const socket = await comer(there, { rooms: ['a'] });
    const got = [];
    socket.on('bytes', (data) => got.push([...data.file]));

    await leave(socket);
    const file_data = { $binary: Buffer.from([1, 2, 3]).toString('base64') };
    await sidecast.publish({ event: 'bytes', room: 'a', data: { file: file_data } });
    await sidecast.publish({ event: 'n', room: 'a', data: 0 });
    await come_back(socket);
    assert.equal(socket.recovered, true);
    await has(socket, 1);
    assert.deepEqual(got, [[1, 2, 3]]);
    socket.close();
  })(t);
});
