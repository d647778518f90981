// Routes of a configuration with real processes: a backend keeps the paths, bodies and
// answers that it knows; who may ask; and keys that lie in a file.
import assert from 'node:assert/strict';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test from 'node:test';
import { connect } from './lib/clients.mjs';
import { random_text, with_sidecast } from './lib/sidecast.mjs';
import { bound, until } from './lib/wait.mjs';

const folder = mkdtempSync(path.join(tmpdir(), 'sidecast-routes-'));
test.after(() => rmSync(folder, { recursive: true }));

// At once, as a rotation should be done.
function write(name, text) {
  const file = path.join(folder, name);
  writeFileSync(`${file}.new`, text, { mode: 0o600 });
  renameSync(`${file}.new`, file);
  return file;
}

const with_file = (name, text, body, more = {}) =>
  with_sidecast({ args: ['-c', write(name, text)], ...more }, body);

const notifications = `
allowed_origins: ["https://admin.example.com"]
auth: {user: "{claims.id}", require: {token_type: access}}
events:
  notification: {contract: {type: object, required: [title], properties: {title: {type: object}}}}
  status: {}
routes:
  - match: POST /broadcast
    do: publish
    auth: none
    users: "{body.userIds[]}"
    event: notification
    payload: "{body.notification}"
    status: 200
    reply:
      ok: {success: true, delivered: "{count}", users: {online: "{payload.users.online}", offline: "{payload.users.offline}"}}
      error: {success: false, error: "{code}", message: "{message}"}
  - match: GET /health
    do: health
    reply:
      ok:
        status: healthy
        uptime: "{payload.uptime_seconds}"
        stats: {connectedUsers: "{payload.users}", totalConnections: "{payload.connections}", averageConnectionsPerUser: "{payload.connections_per_user}"}
        timestamp: "{now.iso}"
  - match: GET /stats
    do: stats
    reply: {ok: {connectedUsers: "{payload.users}"}}
  - match: POST /api/broadcast/room/:room
    do: publish
    auth: {jwt: {aud: admin-panel}, role: [admin, owner]}
    to: "{path.room}"
    event: "{body.event}"
    payload: {by: "{claims.id}", data: "{body.data}", via: "{query.via}"}
    reply: {ok: {success: true, data: {event: "{event}", recipientCount: "{count}"}, meta: {requestId: "{request.id}"}}}
  - match: PUT /api/rooms/:room/:what
    do: publish
    to: "project:{path.room}"
    event: "{path.what}"
`;

const json = { 'content-type': 'application/json' };
const ask = (sidecast, method, target, body, headers = {}) =>
  sidecast.request(`${sidecast.publisher}${target}`, {
    method, headers: { ...json, ...headers }, body: body === undefined ? null : JSON.stringify(body),
  });
const keyed = (key) => ({ authorization: `Bearer ${key}` });
const user = (sidecast, id, more = {}) => sidecast.mint({ id, token_type: 'access', rooms: ['**'], ...more });

test('a system keeps its paths, its bodies and its answers', with_file('systems.yaml', notifications, async (sidecast) => {
  const title = { he: 'שלום', en: 'Hello' };
  const notification = { title, metadata: { url: '/x', priority: 1.50 } };
  const one = await connect(sidecast, { token: user(sidecast, 123) });
  const two = await connect(sidecast, { token: user(sidecast, '123') });
  const other = await connect(sidecast, { token: user(sidecast, 5) });
  await sidecast.until_counted();

  await until(async () => (await ask(sidecast, 'POST', '/broadcast', { userIds: [5], notification })).json.delivered === 1, bound(2000));
  await until(() => other.received.length > 0, bound(1000));
  other.received.length = 0;
  const answer = await ask(sidecast, 'POST', '/broadcast', { userIds: ['123', 77], notification });
  assert.equal(answer.status, 200);
  assert.deepEqual(answer.json, { success: true, delivered: 2, users: { online: 1, offline: 1 } });
  await until(() => one.received.length === 1 && two.received.length === 1, bound(1000));
  assert.deepEqual(one.received, [['notification', notification]]);
  assert.deepEqual(other.received, []);

  // What is wrong is told in the system's words, and nothing was published.
  for (const [body, error, message] of [
    [{ notification }, 'E_BAD_TARGET', /userIds.* is missing/],
    [{ userIds: [], notification }, 'E_BAD_TARGET', /empty/],
    [{ userIds: [{}], notification }, 'E_BAD_TARGET', /not a valid user/],
    [{ userIds: [1] }, 'E_BAD_PAYLOAD', /notification} is missing/],
    [{ userIds: [1], notification: { title: 1 } }, 'E_BAD_PAYLOAD', /breaks the contract/],
    [{ userIds: Array.from({ length: 1001 }, (_, i) => i), notification }, 'E_BAD_TARGET', /too many/],
    [undefined, 'E_BAD_REQUEST', /empty/],
  ]) {
    const refused = await ask(sidecast, 'POST', '/broadcast', body);
    assert.deepEqual([refused.status >= 400, refused.json.success, refused.json.error], [true, false, error], refused.text);
    assert.match(refused.json.message, message);
  }

  const health = await ask(sidecast, 'GET', '/health');
  assert.equal(health.status, 200);
  assert.equal(health.json.status, 'healthy');
  assert.equal(typeof health.json.uptime, 'number');
  assert.match(health.json.timestamp, /^\d{4}-.*Z$/);
  await until(async () => {
    const { stats } = (await ask(sidecast, 'GET', '/health')).json;
    return stats.connectedUsers === 2 && stats.totalConnections === 3 && stats.averageConnectionsPerUser === 1.5;
  }, bound(3000));
  assert.equal((await sidecast.request(`${sidecast.publisher}/health`, { method: 'HEAD' })).text, '');
  for (const client of [one, two, other])
    client.close();
}));

test('a route is for whom its auth names', with_file('auth.yaml', notifications, async (sidecast) => {
  const body = { event: 'status', data: [1] };
  const target = '/api/broadcast/room/team%3A7?via=a%20b&via=c';
  const admin = user(sidecast, 9, { role: 'admin', aud: 'admin-panel' });
  const as = (token, headers) => ask(sidecast, 'POST', target, body, { ...keyed(token), ...headers });
  const listener = await connect(sidecast, { token: user(sidecast, 1) });
  assert.ok((await listener.timeout(10_000).emitWithAck('subscribe', { room: 'team:7' })).ok);

  const good = await as(admin);
  assert.equal(good.status, 202);
  assert.equal(good.json.data.event, 'status');
  assert.equal(good.json.meta.requestId, good.headers['x-request-id']);
  await until(() => listener.received.length === 1, bound(1000));
  assert.deepEqual(listener.received, [['status', { by: 9, data: [1], via: 'c' }]]);

  // An id is its user's: it takes nothing from another user, nor from a backend.
  const once = { 'idempotency-key': 'order-1' };
  const replayed = (answer) => [answer.status, answer.headers['idempotency-replayed']];
  assert.deepEqual(replayed(await as(admin, once)), [202, undefined]);
  assert.deepEqual(replayed(await as(admin, once)), [202, 'true']);
  assert.deepEqual(replayed(await as(user(sidecast, 10, { role: 'owner', aud: 'admin-panel' }), once)), [202, undefined]);
  const backend = await ask(sidecast, 'POST', '/v1/publish', { event: 'status', room: 'team:7', data: 0, id: 'order-1' }, keyed(sidecast.key));
  assert.deepEqual([backend.status, backend.json.duplicate], [202, false], backend.text);
  await until(() => listener.received.length === 4, bound(1000));
  assert.deepEqual(listener.received.slice(1).map(([, data]) => data.by), [9, 10, undefined]);
  listener.close();

  // The same checks as for a client's token come first, then those of the route.
  for (const [token, status] of [
    [user(sidecast, 9, { role: ['user', 'owner'], aud: ['x', 'admin-panel'] }), 202],
    [user(sidecast, 9, { role: 'user', aud: 'admin-panel' }), 403],
    [user(sidecast, 9, { role: 'admin' }), 403],
    [user(sidecast, 9, { role: 'admin', aud: 'admin-panel', token_type: 'refresh' }), 403],
    [user(sidecast, 9, { role: 'admin', aud: ['admin-panel', 'sidecast:publish'] }), 401],
    [sidecast.mint({ role: 'admin', aud: 'admin-panel', token_type: 'access' }), 401],
    [sidecast.mint({ id: 9, role: 'admin', aud: 'admin-panel' }, { secret: random_text(48) }), 401],
    [user(sidecast, 9, { role: 'admin', aud: 'admin-panel', exp: 1 }), 401],
    [sidecast.key, 401],
    ['', 401],
  ])
    assert.equal((await as(token)).status, status, token);
  assert.ok((await ask(sidecast, 'POST', target, body)).headers['www-authenticate']);

  // A key is no user, and a user is no key; nobody is somebody else's.
  assert.equal((await ask(sidecast, 'PUT', '/api/rooms/7/saved', undefined, keyed(sidecast.key))).status, 202);
  assert.equal((await ask(sidecast, 'PUT', '/api/rooms/7/saved', undefined, keyed(admin))).status, 401);
  assert.equal((await ask(sidecast, 'PUT', '/api/rooms/7/saved')).status, 401);
  assert.equal((await ask(sidecast, 'GET', '/stats')).status, 401);
  assert.equal((await ask(sidecast, 'GET', '/stats', undefined, keyed(sidecast.key))).status, 200);
  const notification = { title: {} };
  for (const header of ['X-Forwarded-For', 'Forwarded', 'Via']) {
    const forwarded = await ask(sidecast, 'POST', '/broadcast', { userIds: [1], notification }, { [header]: 'for=1.2.3.4' });
    assert.deepEqual([forwarded.status, forwarded.json.error], [403, 'E_FORBIDDEN']);
  }
  assert.equal((await ask(sidecast, 'GET', '/health', undefined, { 'X-Forwarded-For': '1.2.3.4' })).status, 200);

  // A page may use what asks for its user's token, and nothing that a key is for.
  const page = { origin: 'https://admin.example.com' };
  assert.equal((await as(admin, page)).headers['access-control-allow-origin'], page.origin);
  assert.equal((await as(admin, { origin: 'https://evil.example.com' })).status, 403);
  const preflight = (method, where) => ask(sidecast, 'OPTIONS', where, undefined, { ...page, 'access-control-request-method': method });
  const allowed = await preflight('POST', '/api/broadcast/room/x');
  assert.deepEqual([allowed.status, allowed.headers['access-control-allow-methods']], [204, 'POST']);
  assert.equal((await preflight('POST', '/broadcast')).status, 403);
  assert.equal((await preflight('PUT', '/api/rooms/7/saved')).status, 403);
  assert.equal((await ask(sidecast, 'POST', '/broadcast', { userIds: [1], notification }, page)).status, 403);
}));

const large = `auth: {user: "{claims.id}"}
routes:
  - match: POST /say
    do: publish
    auth: {jwt: on}
    to: r
    event: e
    reply: {error: {success: false, error: "{code}", message: "{message}"}}
`;

// Nobody reads much of a stranger: he is told before his body is there.
test('a large body is refused in the words of a small one', with_file('large.yaml', large, async (sidecast) => {
  const refused = async () => {
    const { text } = await sidecast.request(`${sidecast.ops}/metrics`);
    return Number(/^sidecast_publish_refused_total (\d+)$/m.exec(text)[1]);
  };
  const say = (length) => ask(sidecast, 'POST', '/say', 'x'.repeat(length), keyed('a.b.c'));
  const small = await say(10);
  assert.deepEqual([small.status, small.json.success, small.json.error], [401, false, 'E_UNAUTH'], small.text);
  assert.equal(await refused(), 1);
  for (const length of [2000, 100_000]) {
    const answer = await say(length);
    assert.deepEqual([answer.status, answer.json], [401, small.json], answer.text);
    assert.equal(answer.headers['www-authenticate'], small.headers['www-authenticate']);
  }
  const chunked = await fetch(`${sidecast.publisher}/say`, {
    method: 'POST', headers: keyed('a.b.c'), body: new Blob(['{}']).stream(), duplex: 'half',
  });
  assert.deepEqual([chunked.status, await chunked.json()], [401, small.json]);
  assert.equal(await refused(), 4);
  const built_in = (length) => ask(sidecast, 'POST', '/broadcast', { event: 'e', room: 'r', data: 'x'.repeat(length) });
  assert.deepEqual({ ...(await built_in(2000)).json, instance: 0 }, { ...(await built_in(10)).json, instance: 0 });
}));

test('a route is refused, limited and repeated as the built-in one is', with_file('limits.yaml', notifications, async (sidecast) => {
  const notification = { title: {} };
  const key = keyed(sidecast.key);
  const wrong = await ask(sidecast, 'GET', '/broadcast');
  assert.deepEqual([wrong.status, wrong.headers.allow], [405, 'POST']);
  assert.equal((await ask(sidecast, 'DELETE', '/api/rooms/7/saved')).headers.allow, 'PUT');
  assert.equal((await ask(sidecast, 'PUT', '/api/rooms/7/saved/', undefined, key)).status, 404);
  assert.equal((await ask(sidecast, 'PUT', '/api/rooms/7/disconnect', undefined, key)).json.code, 'E_BAD_PAYLOAD');
  assert.equal((await ask(sidecast, 'PUT', '/api/rooms/a%3Ab/saved', undefined, key)).json.code, 'E_BAD_TARGET');
  assert.equal((await ask(sidecast, 'PUT', '/api/rooms/%zz/saved', undefined, key)).status, 400);
  const big = { userIds: [1], notification, more: 'x'.repeat(300_000) };
  assert.equal((await ask(sidecast, 'POST', '/broadcast', big)).status, 413);
  assert.equal((await sidecast.publish({ event: 'status', room: 'r' })).status, 422);
  assert.equal((await ask(sidecast, 'POST', '/v1/publish', { event: 'status', room: 'r' }, key)).status, 202);

  // Pointers lead into the body that came.
  const admin = keyed(user(sidecast, 9, { role: 'admin', aud: 'admin-panel' }));
  const broken = await ask(sidecast, 'POST', '/api/broadcast/room/r?via=', { event: 5, data: 1 }, admin);
  assert.deepEqual([broken.status, broken.json.errors[0].pointer], [422, '/event']);
  const missing = await ask(sidecast, 'POST', '/api/broadcast/room/r?via=', { data: 1 }, admin);
  assert.deepEqual(missing.json.errors.map(({ pointer }) => pointer), ['/event']);
  const target = await ask(sidecast, 'POST', '/api/broadcast/room/a%20b?via=', { event: 'status', data: 1 }, admin);
  assert.deepEqual([target.json.code, target.json.errors[0].pointer], ['E_BAD_TARGET', '']);

  const once = { 'idempotency-key': 'order-1' };
  const first = await ask(sidecast, 'POST', '/broadcast', { userIds: [1], notification }, once);
  const again = await ask(sidecast, 'POST', '/broadcast', { userIds: [1], notification }, once);
  assert.deepEqual([first.status, again.status, again.headers['idempotency-replayed']], [200, 200, 'true']);
  assert.deepEqual(again.json.users, { online: null, offline: null });
  assert.equal((await ask(sidecast, 'POST', '/broadcast', { userIds: [2], notification }, once)).json.error, 'E_ID_REUSED');
}));

const row = (word) => `routes:
  - {match: "POST /say", do: publish, to: r, event: e, reply: {ok: {word: ${word}}}}
`;

test('SIGHUP brings other routes, and a wrong file none', with_file('reload.yaml', row('one'), async (sidecast) => {
  const say = async () => (await ask(sidecast, 'POST', '/say', {}, keyed(sidecast.key))).json;
  const hup = (text) => {
    write('reload.yaml', text);
    process.kill(sidecast.pids.self, 'SIGHUP');
  };
  assert.equal((await say()).word, 'one');
  hup(row('two'));
  await until(async () => (await say()).word === 'two', bound(2000));
  hup(row('three').replace('POST', 'PSOT'));
  await until(() => /no route has the method/.test(sidecast.log), bound(2000));
  assert.equal((await say()).word, 'two');
  hup('{}\n');
  await until(async () => (await say()).code === 'E_NOT_FOUND', bound(2000));
}));

const keys = { ci: `sk_${random_text(32)}`, admin: `sk_${random_text(32)}`, next: `sk_${random_text(32)}` };
const key_file = `ci: {key: ${keys.ci}, rooms: ["project:*"], events: ["project.*"]}
admin: {key: ${keys.admin}, scopes: [admin]}
`;

test('keys in a file have scopes, rooms and events, and rotate', with_file('keys.yaml', 'publisher: {api_keys_file: api.keys, allow_none: on}\n', async (sidecast) => {
  const publish = (key, room = 'project:1', event = 'project.saved') =>
    ask(sidecast, 'POST', '/broadcast', { event, room }, key ? keyed(key) : {});
  assert.equal((await publish(keys.ci)).status, 202);
  assert.equal((await publish(keys.ci, 'other:1')).status, 403);
  assert.equal((await publish(keys.ci, 'project:1', 'other')).status, 403);
  assert.equal((await publish(sidecast.key, 'other:1')).status, 202);
  assert.equal((await publish(null, 'other:1')).status, 202);
  const lacks = await publish(keys.admin);
  assert.equal(lacks.status, 403);
  assert.match(lacks.json.detail, /key admin lacks the scope "publish"/);
  assert.equal((await ask(sidecast, 'GET', '/v1/stats', undefined, keyed(keys.admin))).status, 200);
  assert.equal((await ask(sidecast, 'GET', '/v1/stats', undefined, keyed(keys.ci))).status, 403);
  assert.equal((await publish(keys.next)).status, 401);

  // A file that is wrong changes nothing.
  write('api.keys', `${key_file}next: {key: ${keys.next.slice(0, -1)}}\n`);
  await until(() => /the API keys stay as they were/.test(sidecast.log), bound(2000));
  assert.equal((await publish(keys.ci)).status, 202);
  write('api.keys', `next: {key: ${keys.next}}\n`);
  await until(async () => (await publish(keys.next)).status === 202, bound(2000));
  assert.equal((await publish(keys.ci)).status, 401);
  assert.equal((await publish(sidecast.key)).status, 202);

  write('api.keys', `${keys.ci}\n${keys.admin}\n`);
  process.kill(sidecast.pids.self, 'SIGHUP');
  await until(async () => (await publish(keys.admin)).status === 202, bound(2000));
  assert.equal((await publish(keys.next)).status, 401);
  for (const key of Object.values(keys))
    assert.ok(!sidecast.log.includes(key.slice(3, 20)), 'no key is in the log');
}, (write('api.keys', key_file), {})));
