// Mounts and namespaces as a file declares them, with the official client and by hand:
// several paces on one port, an echo, aliases, refusals, what a reload leaves.
import assert from 'node:assert/strict';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { Manager } from 'socket.io-client';
import { connect, Frames, native, without_offset } from './lib/clients.mjs';
import { with_sidecast } from './lib/sidecast.mjs';
import { bound, until } from './lib/wait.mjs';

const wait_ms = 10_000;
const examples = path.join(path.dirname(fileURLToPath(import.meta.url)), '../../examples');
const conformance = ['-c', path.join(examples, 'conformance/sidecast.yaml')];
// Its pace is for suites on a machine of their own.
const patient = ['gateway.ping_timeout=20s'];

// An Engine.IO connection by hand; `handshake` is what it was told.
async function open(sidecast, at, cls = Frames) {
  const client = new cls(`${sidecast.gateway.replace(/^http/, 'ws')}${at}?EIO=4&transport=websocket`);
  await client.opened();
  client.handshake = JSON.parse(String(await client.find((frame) => frame[0] === 0x30)).slice(1));
  return client;
}

// Answers pings and counts them.
class Alive extends Frames {
  pings = 0;

  take(data, is_binary) {
    if (!is_binary && String(data) === '2') {
      this.pings++;
      this.send('3');
    } else {
      super.take(data, is_binary);
    }
  }
}

// A socket of a namespace; [name, ...args] of all that comes.
async function join_namespace(manager, name, auth) {
  const socket = manager.socket(name, { auth });
  socket.received = [];
  socket.onAny((...event) => socket.received.push(without_offset(event)));
  await new Promise((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('connect_error', reject);
    socket.connect();
  });
  return socket;
}

const manager_of = (sidecast, options = {}) =>
  new Manager(sidecast.gateway, { transports: ['websocket'], reconnection: false, autoConnect: false, ...options });

const heard = (socket, ...event) =>
  until(() => socket.received.some((got) => JSON.stringify(got) === JSON.stringify(event)), wait_ms,
    () => `no ${JSON.stringify(event)} in ${JSON.stringify(socket.received)}`);

async function refused(manager, name) {
  try {
    await join_namespace(manager, name);
  } catch (error) {
    return { message: error.message, ...(error.data && { data: error.data }) };
  }
  return null;
}

// The status of an upgrade that is refused.
async function refused_at(sidecast, target) {
  const client = new Frames(`${sidecast.gateway.replace(/^http/, 'ws')}${target}`);
  await until(() => client.refused?.is_whole, wait_ms);
  return client.refused.status;
}

test('the handshakes of the conformance example have five keys and its pace', with_sidecast({ args: conformance }, async (sidecast) => {
  for (const at of ['/engine.io/', '/engine.io', '/socket.io/']) {
    const client = await open(sidecast, at, Alive);
    const { sid, ...rest } = client.handshake;
    assert.deepEqual(rest, { upgrades: [], pingInterval: 300, pingTimeout: 200, maxPayload: 1000000 });
    assert.match(sid, /^[A-Za-z0-9_-]{24}$/);
    client.close();
  }
}));

test('an echo gives back text as text and bytes as bytes, up to its ceiling', with_sidecast({ args: conformance, set: patient }, async (sidecast) => {
  const client = await open(sidecast, '/engine.io/', Alive);
  const long = `4${'ü'.repeat(499_999)}x`;
  assert.equal(Buffer.byteLength(long), 1_000_000);

  client.send('4hello');
  client.send(Buffer.from([0, 1, 254, 255]));
  client.send(long);
  await until(() => client.frames.length === 4, wait_ms, () => `${client.frames.length} frames`);
  assert.deepEqual(client.told(1).slice(0, 2), ['4hello', [0, 1, 254, 255]]);
  assert.equal(String(client.frames[3]) === long, true);
  client.send(`${long}y`);
  await until(() => client.closed, wait_ms);
  assert.equal(client.closed.code, 1009);
}));

test('the official client finds on the conformance example what it asks for', with_sidecast({ args: conformance, set: patient }, async (sidecast) => {
  const manager = manager_of(sidecast);
  const root = await join_namespace(manager, '/', { token: '123', n: { x: [1] } });
  const custom = await join_namespace(manager, '/custom');

  await heard(root, 'auth', { token: '123', n: { x: [1] } });
  await heard(custom, 'auth', {});
  root.emit('message', 1, '2', { 3: [true, null, 'ü'] });
  await heard(root, 'message-back', 1, '2', { 3: [true, null, 'ü'] });
  assert.deepEqual(await new Promise((resolve) => {
    root.emit('message-with-ack', 1, [2], (...args) => resolve(args));
  }), [1, [2]]);
  assert.deepEqual(await custom.timeout(wait_ms).emitWithAck('message', 1),
    { ok: false, error: 'E_UNKNOWN_EVENT', message: 'nothing here handles this event' });
  assert.deepEqual(await refused(manager, '/auth'), { message: 'Not authorized', data: { code: 'E_UNAUTH' } });
  assert.deepEqual(await refused(manager, '/random'), { message: 'Invalid namespace' });

  // All of it on one connection: what ends it ends both.
  const reason = new Promise((resolve) => { custom.once('disconnect', resolve); });
  assert.deepEqual(await root.timeout(wait_ms).emitWithAck('join', 'r'), { ok: true, recovered: false });
  root.emit('say', 'r', 'a', 2);
  await heard(root, 'said', 'a', 2);
  root.emit('drop');
  assert.equal(await reason, 'transport close');
}));

const paces = `
auth: {mode: none}
mounts:
  - {path: /fast/, dialect: echo, ping_interval: 100ms, ping_timeout: 10s}
  - {path: /slow/, dialect: echo, ping_interval: 1h, ping_timeout: 10s}
  - {path: /brief/, dialect: echo, ping_interval: 50ms, ping_timeout: 50ms}
`;

const folder = mkdtempSync(path.join(tmpdir(), 'sidecast-mounts-'));
const file = path.join(folder, 'sidecast.yaml');
test.after(() => rmSync(folder, { recursive: true }));

function write(text) {
  writeFileSync(`${file}.new`, text, { mode: 0o600 });
  renameSync(`${file}.new`, file);
}

function with_file(text, body, options = {}) {
  return (t) => {
    write(text);
    return with_sidecast({ ...options, args: ['-c', file, ...(options.args ?? [])] }, body)(t);
  };
}

test('several heartbeats beat on one port', with_file(paces, async (sidecast) => {
  const fast = await open(sidecast, '/fast/', Alive);
  const slow = await open(sidecast, '/slow/', Alive);
  const brief = await open(sidecast, '/brief/'); // answers nothing
  await until(() => fast.pings >= 3, wait_ms);
  await until(() => brief.closed, wait_ms);
  assert.equal(slow.pings, 0);
  assert.equal(fast.closed ?? slow.closed, null);
  assert.equal(await refused_at(sidecast, '/socket.io/?EIO=4&transport=websocket'), 404);
}));

const aliases = `
mounts: [{path: [/socket.io/, /ws/socket.io/]}, {path: /ws, dialect: native}]
namespaces: {/ws: {alias: /}, /chat: {}}
`;
const packings = `
gateway: {cookie: io, compress: {polling: 20B}}
mounts:
  - {path: /as-they-say/, dialect: echo}
  - {path: /plain/, dialect: echo, cookie: "", compress: {polling: 0B}}
  - {path: /own/, dialect: echo, cookie: lb, compress: {polling: 50B}}
`;

const sizes = 'mounts: [{path: /small/, max_message_size: 1KiB}, {path: /large/}]\n';
test('a session has the ceiling of the mount that it came in by, on whichever path it posts', with_file(sizes, async (sidecast) => {
  const ask = (at, more, options) => sidecast.request(`${sidecast.gateway}${at}?EIO=4&transport=polling${more}`, options);
  for (const [from, to, status] of [['/small/', '/large/', 413], ['/large/', '/small/', 200]]) {
    const { sid } = JSON.parse((await ask(from, '')).text.slice(1));
    const body = `6${'\x1e6'.repeat(1000)}`;
    assert.equal((await ask(to, `&sid=${sid}`, { method: 'POST', body })).status, status, from);
  }
}));

test('a mount has a cookie and a compression of its own', with_file(packings, async (sidecast) => {
  for (const [at, cookie, packs] of [['/as-they-say/', 'io', true], ['/plain/', undefined, false], ['/own/', 'lb', true]]) {
    const url = `${sidecast.gateway}${at}?EIO=4&transport=polling`;
    const opened = await fetch(url);
    assert.equal(opened.headers.get('set-cookie')?.split('=')[0], cookie, at);
    const session = `${url}&sid=${JSON.parse((await opened.text()).slice(1)).sid}`;
    const echoed = `4${'ab'.repeat(30)}`;
    await fetch(session, { method: 'POST', body: echoed });
    const answer = await fetch(session, { headers: { 'accept-encoding': 'gzip' } });
    assert.equal(answer.headers.get('content-encoding'), packs ? 'gzip' : null, at);
    assert.equal(await answer.text(), echoed);
  }
}));

const said = (sidecast, namespace, data) => sidecast.publish({ event: 'said', all: true, namespace, data });

test('an event reaches each name of its namespace, and no other namespace', with_file(aliases, async (sidecast) => {
  const auth = { token: sidecast.token };
  const manager = manager_of(sidecast, { path: '/ws/socket.io/' });
  const [ws, chat, root] = [await join_namespace(manager, '/ws', auth),
    await join_namespace(manager, '/chat', auth), await connect(sidecast)];
  const plain = await native(sidecast);

  await sidecast.until_counted();
  assert.equal((await said(sidecast, '/', 1)).json.recipients, 3);
  assert.equal((await said(sidecast, '/chat', 2)).json.recipients, 1);
  assert.equal((await said(sidecast, '/ws', 3)).json.recipients, 3); // it is the same one
  assert.equal((await said(sidecast, '/nowhere', 4)).json.recipients, 0);
  await said(sidecast, '/', 5);
  await said(sidecast, '/chat', 5);
  for (const socket of [ws, chat, root])
    await heard(socket, 'said', 5);
  assert.deepEqual(ws.received.map(([, data]) => data), [1, 3, 5]);
  assert.deepEqual(root.received.map(([, data]) => data), [1, 3, 5]);
  assert.deepEqual(chat.received.map(([, data]) => data), [2, 5]);
  assert.deepEqual((await until(() => {
    const events = plain.messages.filter((message) => message.t === 'event');
    return events.length >= 3 && events;
  }, wait_ms)).map((message) => message.data), [1, 3, 5]);

  // One is left; the others of the connection go on.
  ws.disconnect();
  await chat.timeout(wait_ms).emitWithAck('subscribe', { room: 'r' });
  await said(sidecast, '/chat', 6);
  await heard(chat, 'said', 6);
  manager._close();
  root.close();
  plain.close();
}));

const reloads = /reloaded the configuration/g;

async function reload(sidecast, text) {
  const count = () => sidecast.log.match(reloads)?.length ?? 0;
  const before = count();

  write(text);
  process.kill(sidecast.pids.self, 'SIGHUP');
  await until(() => count() >= before + 2, bound(1000), () => sidecast.log.slice(-2000));
}

test('a reload leaves who is in as they are, and holds for who comes', with_file(aliases, async (sidecast) => {
  const auth = { token: sidecast.token };
  const manager = manager_of(sidecast, { path: '/ws/socket.io/' });
  const [ws, chat] = [await join_namespace(manager, '/ws', auth), await join_namespace(manager, '/chat', auth)];

  await reload(sidecast, 'mounts: [{path: /rt/}]\nnamespaces: {/live: {alias: /}}\n');
  await said(sidecast, '/', 1);
  await said(sidecast, '/chat', 2);
  await heard(ws, 'said', 1);
  await heard(chat, 'said', 2);
  assert.equal((await chat.timeout(wait_ms).emitWithAck('subscribe', { room: 'r' })).error, 'E_UNKNOWN_EVENT');
  assert.equal((await ws.timeout(wait_ms).emitWithAck('subscribe', { room: 'r' })).ok, true);
  const live = await join_namespace(manager, '/live', auth);
  await said(sidecast, '/', 3);
  await heard(live, 'said', 3);
  await heard(ws, 'said', 3);
  chat.disconnect();
  assert.deepEqual(await refused(manager, '/chat'), { message: 'Invalid namespace' });
  await assert.rejects(connect(sidecast));
  const late = await connect(sidecast, { path: '/rt/' });
  await said(sidecast, '/', 4);
  await heard(late, 'said', 4);
  manager._close();
  late.close();
}));

test('a dialect is switched off by the environment', with_file('{}\n', async (sidecast) => {
  assert.equal(await refused_at(sidecast, '/ws'), 404);
  (await connect(sidecast)).close();
}, { env: { SIDECAST_GATEWAY_NATIVE: 'off' } }));
