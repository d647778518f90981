// Long-polling as clients use it and as they leave it: order over polls and over the change
// to a WebSocket, what is done for who does not poll, and that nothing stays of who has gone.
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test from 'node:test';
import { connect, Frames } from './lib/clients.mjs';
import { with_conformance } from './lib/conformance.mjs';
import { Request } from './lib/engine_io.mjs';
import { abandoned } from './lib/settings.mjs';
import { with_sidecast } from './lib/sidecast.mjs';
import { bound, sleep, until } from './lib/wait.mjs';

const wait_ms = bound(4000);
const numbers = (count) => Array.from({ length: count }, (_, n) => n);
const polling_url = (gateway, sid = '') => `${gateway}/socket.io/?EIO=4&transport=polling${sid && `&sid=${sid}`}`;

const get = (url, options) => new Request(url, options).end().whole();
const post = (url, body) => new Request(url, { method: 'POST' }).end(body).whole();

async function shake_hands(gateway, headers) {
  const answer = await get(polling_url(gateway), { headers });
  assert.equal(answer.status, 200, answer.text);
  return { ...JSON.parse(answer.text.slice(1).split('\x1e')[0]), headers: answer.headers };
}

// A Socket.IO client by hand, which polls when it is told to.
async function connect_by_hand(sidecast, room) {
  const { sid } = await shake_hands(sidecast.gateway);
  const url = polling_url(sidecast.gateway, sid);
  await post(url, `40${JSON.stringify({ token: sidecast.token })}`);
  assert.match((await get(url)).text, /^40\{"sid"/);
  await post(url, `420["subscribe",{"room":"${room}"}]`);
  assert.match((await get(url)).text, /^430\[\{"ok":true/);
  return url;
}

async function gauges(sidecast, ...names) {
  const { text } = await sidecast.request(`${sidecast.ops}/metrics`);
  return names.map((name) => Number(new RegExp(`^sidecast_${name}\\{gateway=[^}]*\\} (\\d+)$`, 'm').exec(text)?.[1]));
}

const until_gauges = (sidecast, wanted, ms = wait_ms) => until(async () => {
  const seen = await gauges(sidecast, ...Object.keys(wanted));
  return JSON.stringify(seen) === JSON.stringify(Object.values(wanted));
}, ms, () => `not so: ${JSON.stringify(wanted)}`);

const in_order = (socket, event, count) => until(
  () => socket.received.filter(([name]) => name === event).length >= count, wait_ms, () =>
    `${socket.received.length} of ${count}`)
  .then(() => assert.deepEqual(socket.received.filter(([name]) => name === event).map(([, n]) => n), numbers(count)));

test('a client that only polls gets all of a burst, in order, and its binary, and its acks', with_conformance('calm', async (sidecast) => {
  const socket = await connect(sidecast, { transports: ['polling'] });
  for (const n of numbers(500))
    socket.emit('message', n);
  await in_order(socket, 'message-back', 500);
  assert.deepEqual(await socket.timeout(wait_ms).emitWithAck('message-with-ack', 'ü\u2028', { a: [1.5, null] }), 'ü\u2028');
  socket.emit('message', Buffer.from([0, 1, 0x1e, 255]), 'x'.repeat(200_000));
  const [, bytes, text] = await until(() => socket.received.find(([, first]) => Buffer.isBuffer(first)), wait_ms);
  assert.deepEqual([...bytes], [0, 1, 0x1e, 255]);
  assert.equal(text.length, 200_000);
  assert.equal(socket.io.engine.transport.name, 'polling');
  socket.close();
}));

test('nothing is lost or changes its place when a client goes from polls to a WebSocket', with_conformance('calm', async (sidecast, t) => {
  const clients = await Promise.all(numbers(5).map(() => connect(sidecast, { transports: ['polling', 'websocket'] })));
  const count = 200;
  await Promise.all(clients.map(async (socket, at) => {
    for (const n of numbers(count)) {
      socket.emit('message', n);
      if (n % (at + 2) === 0)
        await sleep(1);
    }
    await in_order(socket, 'message-back', count);
    await until(() => socket.io.engine.transport.name === 'websocket', wait_ms);
  }));
  const [polling, upgrades] = await gauges(sidecast, 'polling_connections', 'upgrades_total');
  t.diagnostic(`${polling} still poll, ${upgrades} changed`);
  await until_gauges(sidecast, { polling_connections: 0, upgrades_total: 5, connections: 5 });
  for (const socket of clients)
    socket.close();
}));

// A body with a sidecar that greets with the transport.
function with_greeting(body) {
  return async (t) => {
    const folder = mkdtempSync(path.join(tmpdir(), 'sidecast-polling-'));
    const file = path.join(folder, 'sidecast.yaml');
    writeFileSync(file, 'connect: {emit: [{event: hello, payload: "{conn.transport}"}]}\n', { mode: 0o600 });
    try {
      await with_sidecast({ args: ['--config', file], set: ['gateway.ping_interval=1s'] }, body)(t);
    } finally {
      rmSync(folder, { recursive: true });
    }
  };
}

test('events reach a room over polls and WebSockets alike; a file knows which it is', with_greeting(async (sidecast) => {
  const sockets = [];
  for (const transports of [['polling'], ['websocket']])
    sockets.push(await connect(sidecast, { transports, rooms: ['r:1'] }));
  for (const n of numbers(100))
    await sidecast.publish({ event: 'e', room: 'r:1', data: n, volatile: false });
  for (const socket of sockets)
    await in_order(socket, 'e', 100);
  assert.deepEqual(sockets.map((socket) => socket.received[0]), [['hello', 'polling'], ['hello', 'websocket']]);
  await sleep(1100); // a ping and its pong
  assert.deepEqual(sockets.map((socket) => socket.connected), [true, true]);
  for (const socket of sockets)
    socket.close();
}));

test('who does not poll keeps as much as an outbox holds, and nothing volatile', with_sidecast({
  set: ['limits.outbox_frames=50'],
}, async (sidecast) => {
  const url = await connect_by_hand(sidecast, 'r:1');
  await sidecast.publish({ event: 'e', room: 'r:1', data: 'passes by', volatile: true });
  for (const n of numbers(50))
    await sidecast.publish({ event: 'e', room: 'r:1', data: n });
  await until_gauges(sidecast, { dropped_total: 1, deliveries_total: 50 });
  const { text } = await get(url);
  assert.deepEqual(text.split('\x1e').map((packet) => JSON.parse(packet.slice(2))[1]), numbers(50));

  const held = new Request(url).end();
  await until_gauges(sidecast, { http_connections: 1 });
  await sidecast.publish({ event: 'e', room: 'r:1', data: 'seen', volatile: true });
  assert.match((await held.whole()).text, /seen/);

  for (const n of numbers(51))
    await sidecast.publish({ event: 'e', room: 'r:1', data: n });
  await until_gauges(sidecast, { slow_consumers_total: 1 });
  assert.equal((await get(url)).text, '6\x1e1');
  assert.equal((await get(url)).text, '{"code":1,"message":"Session ID unknown"}');
  await until_gauges(sidecast, { connections: 0 });
}));

test('long answers are compressed as the client likes it', with_conformance('calm', async (sidecast) => {
  const rows = [['gzip', 'gzip'], ['deflate', 'deflate'], ['br', undefined], ['gzip;q=0', undefined], [undefined, undefined]];
  for (const [accepted, encoding] of rows) {
    const { sid } = await shake_hands(sidecast.gateway);
    const url = polling_url(sidecast.gateway, sid);
    await post(url, '40');
    await get(url);
    await post(url, `42["message","${'ab'.repeat(2500)}"]`);
    const answer = await get(url, { headers: accepted ? { 'accept-encoding': accepted } : {} });
    assert.equal(answer.headers['content-encoding'], encoding, accepted);
    assert.ok(answer.text.includes('ab'.repeat(2500)));
    if (encoding)
      assert.ok(Number(answer.headers['content-length']) < 500);
  }
}));

test('handshakes that nobody comes back for, and polls that break off, leave nothing', with_conformance('patient', async (sidecast, t) => {
  const pid = sidecast.pids.gateways[0];
  const descriptors = () => readdirSync(`/proc/${pid}/fd`).length;
  const before = descriptors();
  const agent = new http.Agent({ keepAlive: true, maxSockets: 20 });
  await Promise.all(numbers(20).map(async () => {
    for (let n = 0; n < abandoned / 20; n++)
      assert.equal((await get(polling_url(sidecast.gateway), { agent })).status, 200);
  }));
  for (const n of numbers(50)) {
    const { sid } = await shake_hands(sidecast.gateway);
    const held = new Request(polling_url(sidecast.gateway, sid)).end();
    if (n % 2)
      await sleep(1);
    held.request.destroy();
  }
  const [most] = await gauges(sidecast, 'connections');
  agent.destroy();
  await until_gauges(sidecast, { connections: 0, polling_connections: 0, sessions: 0 }, 10_000 + wait_ms);
  await until(() => descriptors() <= before, wait_ms, () => `${descriptors()} descriptors, before: ${before}`);
  t.diagnostic(`${abandoned} handshakes, at most ${most} seen`);
}, { set: ['limits.connections=120000', 'gateway.ping_timeout=1s'] }));

test('an address has only so many sessions, and has room again when they are over', with_conformance('calm', async (sidecast) => {
  const sids = [];
  for (const _ of numbers(4))
    sids.push((await shake_hands(sidecast.gateway)).sid);
  const refused = await get(polling_url(sidecast.gateway));
  assert.equal(refused.status, 429, refused.text);
  assert.equal(JSON.parse(refused.text).code, 'E_LIMIT');
  for (const sid of sids.slice(0, 2))
    assert.equal((await post(polling_url(sidecast.gateway, sid), '1')).text, 'ok');
  await until(async () => (await get(polling_url(sidecast.gateway))).status === 200, wait_ms);
}, { set: ['limits.connections_per_ip=5'] }));

test('who polls changes to a WebSocket also where no other client has room', with_sidecast({ set: ['limits.connections=1'] }, async (sidecast) => {
  const socket = await connect(sidecast, { transports: ['polling', 'websocket'] });
  await until(() => socket.io.engine.transport.name === 'websocket', wait_ms);
  assert.equal((await get(polling_url(sidecast.gateway))).status, 503);
  socket.close();
}));

test('a session is good for the page that began it, over polls and WebSockets', with_conformance('calm', async (sidecast) => {
  const from = (origin) => ({ headers: { origin: `https://${origin}.example` } });
  const { sid } = await shake_hands(sidecast.gateway, from('a').headers);
  const url = polling_url(sidecast.gateway, sid);
  const forbidden = await get(url, from('b'));
  assert.deepEqual([forbidden.status, forbidden.text], [403, '{"code":4,"message":"Forbidden"}']);
  const socket = new Frames(url.replace(/^http/, 'ws').replace('transport=polling', 'transport=websocket'), from('b'));
  assert.equal((await until(() => socket.refused?.is_whole && socket.refused, wait_ms)).text, 'Forbidden');
  for (const options of [from('a'), {}])
    assert.equal((await new Request(url, { method: 'POST', ...options }).end('3').whole()).text, 'ok');
}, { set: ['allowed_origins=https://a.example,https://b.example'] }));

test('a drain ends the polls that are held', with_conformance('calm', async (sidecast) => {
  const { sid } = await shake_hands(sidecast.gateway);
  const held = new Request(polling_url(sidecast.gateway, sid)).end();
  await until_gauges(sidecast, { http_connections: 1 });
  const stopping = sidecast.stop();
  assert.equal((await held.whole()).text, '1');
  await stopping;
}));

const variants = [
  ['gateway.transports=websocket', async (gateway) => {
    assert.equal((await get(polling_url(gateway))).text, '{"code":0,"message":"Transport unknown"}');
  }],
  ['gateway.transports=polling', async (gateway, sidecast) => {
    assert.deepEqual((await shake_hands(gateway)).upgrades, []);
    await assert.rejects(connect(sidecast));
  }],
  ['gateway.upgrades=off', async (gateway, sidecast) => {
    assert.deepEqual((await shake_hands(gateway)).upgrades, []);
    (await connect(sidecast)).close();
  }],
  ['gateway.cookie=io', async (gateway) => {
    const { sid, headers, upgrades } = await shake_hands(gateway);
    assert.deepEqual(headers['set-cookie'], [`io=${sid}; Path=/; HttpOnly; SameSite=Lax`]);
    assert.deepEqual(upgrades, ['websocket']);
    assert.equal((await post(polling_url(gateway, sid), '40')).headers['set-cookie'], undefined);
  }],
];

test('a file says which transports there are', async (t) => {
  await Promise.all(variants.map(([setting, check]) =>
    t.test(setting, with_sidecast({ set: [setting] }, (sidecast) => check(sidecast.gateway, sidecast)))));
});
