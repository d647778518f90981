// A file says who clients are and how they are received; the official client and a plain
// WebSocket meet the real processes under it.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test from 'node:test';
import { connect, join, native_raw, socketio_text } from './lib/clients.mjs';
import { with_sidecast } from './lib/sidecast.mjs';
import { bound, sleep, until } from './lib/wait.mjs';

const expiry_ms = 1000;
const folder = mkdtempSync(path.join(tmpdir(), 'sidecast-who-'));
test.after(() => rmSync(folder, { recursive: true, force: true }));

function under(name, yaml, body, options = {}) {
  const file = path.join(folder, `${name}.yaml`);
  writeFileSync(file, yaml, { mode: 0o600 });
  return with_sidecast({ args: ['--config', file], ...options }, body);
}

const now_s = () => Math.floor(Date.now() / 1000);

async function refusal(sidecast, options) {
  const error = await connect(sidecast, options).then(
    (socket) => { socket.close(); throw new Error('it was let in'); }, (why) => why);
  return { message: error.message, ...error.data };
}

test('clients are refused in the words of the system, put into rooms and greeted', under('rooms', `
auth:
  from: [auth.jwt, header]
  strip: Bearer
  require: {token_type: access}
  user: "{claims.id}"
  data: {role: "{claims.role}"}
  refusal: {missing: Authentication required, expired: Token is old, "*": unauth}
connect:
  auto_join: ["user:{user.id}", all-users, "program:{claims.programs[]}"]
  emit:
    - {event: welcome, payload: {id: "{conn.id}", user: "{user}", recovered: "{conn.recovered}"}}
rooms:
  - {match: "admin:**", allow: claim, require: {role: admin}}
  - {match: "open:*", allow: any}
`, async (sidecast) => {
  const claims = { id: 7, role: 'admin', token_type: 'access', programs: [1, 'b'] };
  const auth = (changes) => ({ auth: { jwt: `bearer ${sidecast.mint({ ...claims, ...changes })}` } });

  assert.equal((await refusal(sidecast, {})).message, 'Authentication required');
  const old = await refusal(sidecast, auth({ exp: now_s() - 60 }));
  assert.deepEqual([old.message, old.code, old.reason], ['Token is old', 'E_UNAUTH', 'expired']);
  const other = await refusal(sidecast, auth({ token_type: 'refresh' }));
  assert.deepEqual([other.message, other.code, other.reason], ['unauth', 'E_FORBIDDEN', 'forbidden']);
  assert.equal((await refusal(sidecast, auth({ programs: undefined }))).message, 'unauth');

  const ada = await connect(sidecast, auth());
  const eve = await connect(sidecast, {
    auth: {}, extraHeaders: { authorization: `Bearer ${sidecast.mint({ ...claims, id: 8, role: 'user', programs: [] })}` },
  });
  await until(() => ada.received.length && eve.received.length, 5000);
  assert.deepEqual(ada.received[0], ['welcome', { id: ada.id, user: { id: '7', role: 'admin' }, recovered: false }]);

  // Rooms were joined before the client was told: the count knows them at once.
  await sidecast.until_counted();
  for (const [room, recipients] of [['program:b', 1], ['program:1', 1], ['all-users', 2], ['user:8', 1]])
    assert.equal((await sidecast.publish({ event: 'x', data: room, room })).json.recipients, recipients, room);
  await until(() => eve.received.length === 3 && ada.received.length === 4, 5000);
  assert.deepEqual(eve.received.slice(1), [['x', 'all-users'], ['x', 'user:8']]);

  await join(ada, 'admin:x:y');
  await assert.rejects(join(eve, 'admin:x:y'), /E_FORBIDDEN/);
  await join(eve, 'open:1');
  // No longer an admin: out of the room, also for what comes later.
  const token = sidecast.mint({ ...claims, role: 'user', programs: ['c'] });
  assert.deepEqual(await ada.timeout(5000).emitWithAck('auth:refresh', { token }), { ok: true });
  assert.equal((await sidecast.publish({ event: 'x', data: 1, room: 'admin:x:y' })).json.recipients, 0);
  assert.equal((await sidecast.publish({ event: 'x', data: 1, room: 'program:c' })).json.recipients, 1);
  ada.close();
  eve.close();
}));

for (const [then, reason] of [['disconnect', 'io server disconnect'], ['close', 'transport close']])
  test(`an end is warned of and told; then ${then}: ${reason}`, under(then, `
auth: {jwt: {leeway: 0s}, expiry: {warn: 2s, then: ${then}, emit: {event: auth-expired, payload: {message: "{message}"}}}}
`, async (sidecast) => {
    const exp = now_s() + 3;
    const socket = await connect(sidecast, { token: sidecast.mint({ sub: 'ada', exp }) });
    const ended = new Promise((resolve) => socket.once('disconnect', (why) => resolve(why)));
    const native = await native_raw(sidecast, { query: `?token=${sidecast.mint({ sub: 'ada', exp })}` }).opened();
    assert.equal(await ended, reason);
    const late_ms = Date.now() - exp * 1000;
    assert.ok(late_ms >= 0 && late_ms <= bound(expiry_ms), `ended ${late_ms} ms after its token`);
    assert.equal(socket.received[0][0], 'expiring');
    assert.ok(socket.received[0][1].in <= 2000);
    assert.deepEqual(socket.received[1], ['auth-expired', { message: 'Token expired' }]);
    await until(() => native.closed, bound(expiry_ms));
    assert.equal(native.closed.code, 4401);
    assert.ok(native.frames.some((frame) => JSON.parse(frame).t === 'expiring'));
    socket.close();
  }));

test('a client that is nobody says by an event who it is', under('event', `
auth:
  mode: event
  user: "{claims.id}"
  strip: bearer
  event:
    name: auth
    token: "{args.0.jwt}"
    match: {claims.id: "{args.0.userId}"}
    timeout: 2s
    ok: auth_success
    error: {event: auth_error, payload: {message: "{message}"}}
`, async (sidecast) => {
  const jwt = (id) => `Bearer ${sidecast.mint({ id })}`;
  const nobody = await connect(sidecast, { auth: {} });
  const ada = await connect(sidecast, { auth: {} });
  const liar = await connect(sidecast, { auth: {} });
  const ends = (socket) => new Promise((resolve) => socket.once('disconnect', resolve));
  const left = [ends(nobody), ends(liar)];

  ada.emit('auth', { userId: '42', jwt: jwt(42) });
  liar.emit('auth', { userId: '43', jwt: jwt(42) });
  await until(() => ada.received.length === 1, 5000);
  await sidecast.until_counted();
  assert.equal((await sidecast.publish({ event: 'n', data: 'שלום', users: ['42', '43'] })).json.recipients, 1);
  assert.equal((await sidecast.publish({ event: 'n', data: 2, all: true })).json.recipients, 1);
  assert.deepEqual(await Promise.all(left), ['io server disconnect', 'io server disconnect']);
  await until(() => ada.received.length === 3, 5000);
  assert.deepEqual(ada.received, [['auth_success'], ['n', 'שלום'], ['n', 2]]);
  assert.deepEqual(liar.received, [['auth_error', { message: 'Not authorized' }]]);
  assert.deepEqual(nobody.received, [['auth_error', { message: 'Authentication required' }]]);
  await sleep(100);
  assert.ok(ada.connected);
  ada.close();
}));

test('who says later who it is comes back to no session, and may ask for the past by time', under('event-back', `
auth: {mode: event, event: {name: auth, token: "{args.0.jwt}", ok: auth_success}}
catchup: {from: "{auth.since}", done: {event: caught-up, payload: "{catchup}"}}
`, async (sidecast) => {
  const jwt = sidecast.mint({ sub: 'ada' });
  const publish = (data) => sidecast.publish({ event: 'n', data, user: 'ada' });
  const come = async (auth) => {
    const client = await socketio_text(sidecast, { auth });
    client.send(`42["auth",${JSON.stringify({ jwt })}]`);
    await client.find((frame) => String(frame) === '42["auth_success"]');
    return client;
  };

  const first = await come({});
  assert.deepEqual(Object.keys(first.hello), ['sid'], 'nothing to come back with');
  await publish(1);
  await first.find((frame) => String(frame) === '42["n",1]');
  first.close();
  await sleep(5);
  const since = Date.now();
  await publish(2);
  const back = await come({ pid: 'x'.repeat(32), offset: 'AAAAAAAA-1', since });
  assert.deepEqual(Object.keys(back.hello), ['sid']);
  assert.notEqual(back.hello.sid, first.hello.sid);
  await publish(3);
  await back.find((frame) => String(frame) === '42["n",3]');
  assert.deepEqual(back.told(2), ['42["auth_success"]', '42["n",2]',
    '42["caught-up",{"count":1,"truncated":false,"rooms":[]}]', '42["n",3]']);
  back.close();

  const brings = [{}];
  for (const [i, wanted] of [undefined, 'unknown_session'].entries()) {
    const native = await native_raw(sidecast).opened();
    native.send(JSON.stringify({ t: 'connect', ...brings[i] }));
    const { user, recovered, reason, session, position } = await native.message((m) => m.t === 'connected');
    assert.deepEqual({ user, recovered, reason }, { user: null, recovered: false, reason: wanted });
    native.send(JSON.stringify({ t: 'emit', event: 'auth', data: { jwt } }));
    await native.message((m) => m.event === 'auth_success');
    brings.push({ session, position });
    native.close();
    await publish(4);
  }
}));

test('where nobody is asked everybody comes in, on both doors', under('open', `
auth: {mode: none}
connect: {emit: [{event: auth, payload: "{auth}"}]}
rooms: [{match: "lobby:*", allow: any}]
`, async (sidecast) => {
  const socket = await connect(sidecast, { auth: { token: '123', more: [1] } });
  const native = await native_raw(sidecast).opened();

  native.send('{"t":"connect","rooms":["lobby:1"],"data":{"a":1}}');
  assert.equal(JSON.parse(await native.find((frame) => JSON.parse(frame).t === 'connected')).user, null);
  assert.deepEqual(JSON.parse(await native.find((frame) => JSON.parse(frame).event === 'auth')).data, { a: 1 });
  await until(() => socket.received.length, 5000);
  assert.deepEqual(socket.received[0], ['auth', { token: '123', more: [1] }]);
  await join(socket, 'lobby:1');
  await assert.rejects(join(socket, 'other'), /E_FORBIDDEN/);
  socket.close();
  native.close();
}));

test('who asks nobody for a token is not told that there are no keys', under('open-again', `
auth: {mode: none}
`, async (sidecast) => {
  (await connect(sidecast, { auth: {} })).close();
  assert.doesNotMatch(sidecast.log, /no secret|none can connect/);
}, { env: { SIDECAST_AUTH_JWT_HMAC_SECRET: undefined } }));
