// Whatever is wrong is said in one shape: problem+json with code, detail, hint and a request
// id that also stands in the log; to clients in the words of their protocol.
import assert from 'node:assert/strict';
import test from 'node:test';
import { connect, native, native_raw } from './lib/clients.mjs';
import { with_sidecast } from './lib/sidecast.mjs';
import { until } from './lib/wait.mjs';

const good = { event: 'e', room: 'r', data: 1 };
const nested = (depth) => '['.repeat(depth) + ']'.repeat(depth);

// what, status, code, body, {headers, method, path}
const requests = [
  ['no key', 401, 'E_UNAUTH', good, { headers: { authorization: '' } }],
  ['wrong key', 401, 'E_UNAUTH', good, { headers: { authorization: `Bearer sk_${'A'.repeat(43)}` } }],
  ['not a Bearer', 401, 'E_UNAUTH', good, { headers: { authorization: 'Basic YTpi' } }],
  ['empty body', 400, 'E_BAD_REQUEST', ''],
  ['bad JSON', 400, 'E_BAD_REQUEST', '{"event":"e","room":"r",}'],
  ['text behind', 400, 'E_BAD_REQUEST', '{"event":"e","room":"r"}x'],
  ['key twice', 400, 'E_BAD_REQUEST', '{"event":"e","room":"r","room":"s"}'],
  ['key twice inside', 400, 'E_BAD_REQUEST', '{"event":"e","room":"r","data":{"a":1,"\\u0061":2}}'],
  ['not UTF-8', 400, 'E_BAD_REQUEST', Buffer.from('{"event":"e","room":"r","data":"\xff"}', 'latin1')],
  ['too deep', 400, 'E_BAD_REQUEST', `{"event":"e","room":"r","data":${nested(100)}}`],
  ['two ids', 400, 'E_BAD_REQUEST', { ...good, id: 'a' }, { headers: { 'idempotency-key': 'b' } }],
  ['not an object', 422, 'E_BAD_PAYLOAD', '[]'],
  ['no event', 422, 'E_BAD_PAYLOAD', { room: 'r' }],
  ['event not a text', 422, 'E_BAD_PAYLOAD', { event: 1, room: 'r' }],
  ['empty event', 422, 'E_BAD_PAYLOAD', { event: '', room: 'r' }],
  ['reserved event', 422, 'E_BAD_PAYLOAD', { event: 'connect_error', room: 'r' }],
  ['event too long', 422, 'E_BAD_PAYLOAD', { event: 'e'.repeat(129), room: 'r' }],
  ['data and args', 422, 'E_BAD_PAYLOAD', { ...good, args: [] }],
  ['args no array', 422, 'E_BAD_PAYLOAD', { event: 'e', room: 'r', args: {} }],
  ['bad id', 422, 'E_BAD_PAYLOAD', { ...good, id: 'a b' }],
  ['bad ttl', 422, 'E_BAD_PAYLOAD', { ...good, ttl: 'soon' }],
  ['no target', 422, 'E_BAD_TARGET', { event: 'e' }],
  ['two targets', 422, 'E_BAD_TARGET', { ...good, user: 'u' }],
  ['room no text', 422, 'E_BAD_TARGET', { event: 'e', room: 7 }],
  ['bad room', 422, 'E_BAD_TARGET', { event: 'e', room: 'a b' }],
  ['empty room', 422, 'E_BAD_TARGET', { event: 'e', room: '' }],
  ['a pattern is no room', 422, 'E_BAD_TARGET', { event: 'e', room: 'a:*' }],
  ['room too long', 422, 'E_BAD_TARGET', { event: 'e', room: `a:${'b'.repeat(128)}:${'c'.repeat(128)}` }],
  ['bad room among good', 422, 'E_BAD_TARGET', { event: 'e', rooms: ['a', ''] }],
  ['too many rooms', 422, 'E_BAD_TARGET', { event: 'e', rooms: Array.from({ length: 1001 }, (_, i) => `r${i}`) }],
  ['all is not true', 422, 'E_BAD_TARGET', { event: 'e', all: false }],
  ['too large', 413, 'E_TOO_LARGE', { ...good, data: 'x'.repeat(256 * 1024) }],
  ['compressed', 415, 'E_MEDIA_TYPE', good, { headers: { 'content-encoding': 'gzip' } }],
  ['a form', 415, 'E_MEDIA_TYPE', good, { headers: { 'content-type': 'multipart/form-data; boundary=x' } }],
  ['wrong method', 405, 'E_METHOD', null, { method: 'GET' }],
  ['wrong method', 405, 'E_METHOD', good, { method: 'PUT' }],
  ['unknown path', 404, 'E_NOT_FOUND', good, { path: '/brodcast' }],
];

function send(sidecast, body, { headers = {}, method = 'POST', path = '/broadcast' } = {}) {
  const text = body === null || typeof body === 'string' || Buffer.isBuffer(body)
    ? body : JSON.stringify(body);
  return sidecast.request(sidecast.publisher + path, {
    method, body: text, headers: { authorization: `Bearer ${sidecast.key}`, ...headers },
  });
}

test('each wrong request is answered with code, detail, hint and an id that the log has',
  with_sidecast({}, async (sidecast, t) => {
    for (const [what, status, code, body, how] of requests)
      await t.test(`${what} is ${status} ${code}`, async () => {
        const answer = await send(sidecast, body, how);

        assert.equal(answer.status, status, answer.text);
        assert.equal(answer.headers['content-type'].split(';')[0], 'application/problem+json');
        assert.equal(answer.json.code, code, answer.text);
        assert.equal(answer.json.type, `urn:sidecast:error:${code}`);
        assert.equal(answer.json.status, status);
        for (const field of ['title', 'detail', 'hint', 'instance'])
          assert.ok(answer.json[field]?.length > 0, `no ${field}: ${answer.text}`);
        assert.equal(answer.headers['x-request-id'], answer.json.instance);
        await until(() => sidecast.log.includes(answer.json.instance), 2000,
          () => `${answer.json.instance} is not in the log`);
      });
    const after = await sidecast.publish(good);
    assert.equal(after.status, 202);
    assert.ok(!sidecast.log.includes(sidecast.key), 'the key is in the log');
  }));

test('an unknown field is told with the nearest name', with_sidecast({}, async (sidecast) => {
  const answer = await sidecast.publish({ event: 'e', romo: 'r' });

  assert.equal(answer.status, 422);
  assert.match(answer.text, /\broom\b/);
  assert.match(answer.text, /romo/);
}));

test('a request id is taken, echoed and logged; a bad one is replaced',
  with_sidecast({}, async (sidecast) => {
    const taken = await sidecast.publish('{', { 'x-request-id': 'my-request.1' });
    const replaced = await sidecast.publish('{', { 'x-request-id': 'a b' });

    assert.equal(taken.json.instance, 'my-request.1');
    assert.equal(taken.headers['x-request-id'], 'my-request.1');
    assert.notEqual(replaced.json.instance, 'a b');
    await until(() => sidecast.log.includes('my-request.1'), 2000);
  }));

test('a wrong method is told which one is right', with_sidecast({}, async (sidecast) => {
  const answer = await send(sidecast, null, { method: 'GET' });

  assert.match(answer.headers.allow, /POST/);
}));

const now = Math.floor(Date.now() / 1000);
const claims = { sub: 'ann', rooms: ['**'] };
const tokens = [
  ['missing', 'Authentication required', () => undefined],
  ['invalid', 'Invalid token', () => 'abc'],
  ['invalid', 'Invalid token', () => 'a.b.c'],
  ['invalid', 'Invalid token', (s) => s.mint(claims, { secret: 'another secret of the right length' })],
  ['invalid', 'Invalid token', (s) => s.mint(claims, { header: { alg: 'none' } })],
  ['invalid', 'Invalid token', (s) => `${s.mint(claims, { header: { alg: 'none' } }).split('.', 2).join('.')}.`],
  ['invalid', 'Invalid token', (s) => s.mint(claims, { header: { alg: 'HS512' } })],
  ['expired', 'Token expired', (s) => s.mint({ ...claims, exp: now - 3600 })],
  ['not_yet', 'Not authorized', (s) => s.mint({ ...claims, nbf: now + 3600 })],
  [/invalid|forbidden/, /Invalid token|Not authorized/, (s) => s.mint({ ...claims, aud: 'sidecast:publish' })],
];

const matches = (wanted, value) => (wanted instanceof RegExp ? wanted.test(value) : wanted === value);

test('a bad token is a connect_error [websocket]', with_sidecast({}, async (sidecast, t) => {
  for (const [reason, message, make] of tokens)
    await t.test(`${reason}: ${message}`, async () => {
      const token = make(sidecast);
      const error = await connect(sidecast, { token: null, auth: token ? { token } : {} }).then(
        () => assert.fail('was let in'), (refused) => refused);

      assert.ok(matches(message, error.message), error.message);
      assert.match(error.data.code, /^E_(UNAUTH|FORBIDDEN)$/);
      assert.ok(matches(reason, error.data.reason), error.data.reason);
      assert.ok(error.data.hint.length > 0);
    });
}));

test('a bad token is 401 on the handshake [native]', with_sidecast({}, async (sidecast, t) => {
  for (const [reason, , make] of tokens) {
    const token = make(sidecast);
    if (token === undefined)
      continue;
    await t.test(String(reason), async () => {
      const client = native_raw(sidecast, { query: `?token=${token}` });
      await until(() => client.refused?.is_whole || client.closed, 5000);

      assert.equal(client.refused?.status, 401);
      const problem = JSON.parse(client.refused.text);
      assert.equal(problem.code, 'E_UNAUTH');
      assert.ok(problem.instance.length > 0);
      await until(() => sidecast.log.includes(problem.instance), 2000);
    });
  }
}));

test('a bad token in connect is an error and 4401 [native]', with_sidecast({}, async (sidecast) => {
  const client = await native_raw(sidecast).opened();
  client.send(JSON.stringify({ t: 'connect', token: 'abc' }));
  const error = await client.message((m) => m.t === 'error');
  await until(() => client.closed, 5000);

  assert.equal(error.code, 'E_UNAUTH');
  assert.equal(client.closed.code, 4401);
}));

test('malformed messages are answered or end the connection [native]',
  with_sidecast({}, async (sidecast) => {
    for (const text of ['', 'x', '[]', '{}', '{"t":1}', '{"t":"subscribe"}', '{"t":"nonsense"}',
      '{"t":"subscribe","room":"a","n":-1}', '{"t":"subscribe","room":7,"n":1}']) {
      const client = await native(sidecast);
      client.send(text);
      await until(() => client.closed || client.messages.some((m) => m.t === 'error' ||
        (m.t === 'ack' && m.data.ok === false)), 5000, () => `no answer to ${text}`);
      client.close();
    }
    const client = await native(sidecast);
    client.socket.send(Buffer.from('{}'));
    await until(() => client.closed, 5000);
    assert.equal(client.closed.code, 1003);
  }));

test('a flood of wrong requests costs a bounded number of log lines', with_sidecast({}, async (sidecast) => {
  const began = performance.now();
  for (let batch = 0; batch < 10; batch++)
    await Promise.all(Array.from({ length: 40 }, () => sidecast.publish('{}', { authorization: 'Bearer none' })));
  const told = () => sidecast.log.match(/requests withheld count=\d+/g) ?? [];
  const lines = () => sidecast.log.match(/request failed/g).length;
  const counted = () => told().reduce((sum, line) => sum + Number(line.split('=')[1]), 0);
  await until(() => lines() + counted() >= 400, 5000, () => `${lines()} lines, ${counted()} withheld`);
  assert.ok(lines() <= 100 * (1 + Math.ceil((performance.now() - began) / 1000)));
  assert.ok(counted() > 0);
}));
