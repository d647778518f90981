// The libraries for publishing, each in its own language, against the real server, and
// against one that fails as servers and networks do.
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { connect } from './lib/clients.mjs';
import { with_sidecast } from './lib/sidecast.mjs';
import { bound, until } from './lib/wait.mjs';

const root = path.join(path.dirname(fileURLToPath(import.meta.url)), '../..');
const drivers = path.join(root, 'tests/support/clients');
const go_program = path.join(root, 'build/clients-go/drive');

// Its packages come compiled with Debian's: only what is ours is built.
const build_go = () => promisify(execFile)('go', ['build', '-o', go_program, '.'], {
  cwd: path.join(drivers, 'go'),
  env: { ...process.env, GOFLAGS: '-mod=mod', GOPROXY: 'off', GOCACHE: path.join(root, 'build/clients-go/cache') },
});

const languages = {
  python: { words: ['/usr/bin/python3', path.join(drivers, 'drive.py')], env: { PYTHONPATH: path.join(root, 'clients/python'), PYTHONDONTWRITEBYTECODE: '1' } },
  node: { words: [process.execPath, path.join(drivers, 'drive.mjs')] },
  php: { words: ['php', path.join(drivers, 'drive.php')] },
  go: { words: [go_program], raises_always: true },
};

// A program that makes the calls it is told to, one after the other.
class Driver {
  constructor({ words, env = {} }, variables) {
    this.child = spawn(words[0], words.slice(1), { env: { ...process.env, ...env, ...variables } });
    this.told = '';
    this.errors = '';
    this.child.stdout.on('data', (data) => { this.told += data; });
    this.child.stderr.on('data', (data) => { this.errors += data; });
    this.child.on('error', (error) => { this.errors += error.message; });
    this.calls = 0;
  }

  async call(words) {
    this.child.stdin.write(`${JSON.stringify({ client: {}, ...words })}\n`);
    this.calls++;
    await until(() => this.told.split('\n').length > this.calls || this.errors, bound(4000), () => `no answer to ${JSON.stringify(words)}`);
    assert.equal(this.errors, '');
    return JSON.parse(this.told.split('\n')[this.calls - 1]);
  }

  broadcast(event, data, to, client = {}) {
    return this.call({ do: 'broadcast', event, data, to, client });
  }

  end() {
    this.child.stdin.end();
  }
}

async function with_driver(language, variables, body) {
  const driver = new Driver(language, variables);
  try {
    await body(driver);
  } finally {
    driver.end();
  }
}

// A server that answers one after the other as it is told: a status and fields, 'cut' or
// 'page'; then 202.
async function with_failing_server(answers, body) {
  const requests = [];
  const server = http.createServer((request, response) => {
    let text = '';
    request.on('data', (data) => { text += data; });
    request.on('end', () => {
      requests.push({ text, id: request.headers['idempotency-key'], path: request.url, key: request.headers.authorization });
      const [status, headers = {}] = answers.shift() ?? [202];
      if (status === 'cut')
        request.socket.destroy();
      else if (status === 'page')
        response.writeHead(200).end('<html>');
      else
        response.writeHead(status, headers).end(JSON.stringify(status === 202 ? { id: 'x', recipients: 3 } : { code: 'E_X', detail: 'said so' }));
    });
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    await body(`http://127.0.0.1:${server.address().port}`, requests);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

const id_of = (answer) => answer.id ?? answer.ID;
const recipients_of = (answer) => answer.recipients ?? answer.Recipients;

// All of them at once: most of their time they wait.
const each = (t, what, body) => Promise.all(Object.entries(languages).map(([name, language]) =>
  t.test(`${name}: ${what}`, () => body(name, language))));

test('each library is one file that is read in one go', () => {
  for (const file of ['python/sidecast.py', 'node/sidecast.mjs', 'php/Sidecast.php', 'go/sidecast.go'])
    assert.ok(readFileSync(path.join(root, 'clients', file), 'utf8').split('\n').length <= 151, file);
});

test('the library for Go builds', build_go);

test('the libraries against the real server', { concurrency: true }, with_sidecast({}, async (sidecast, t) => {
  const variables = { SIDECAST_URL: sidecast.publisher, SIDECAST_API_KEY: sidecast.key, SIDECAST_AUTH_JWT_HMAC_SECRET: sidecast.secret };
  await sidecast.until_counted();
  await each(t, 'an event reaches its room and its user', (name, language) => with_driver(language, variables, async (driver) => {
    // Its token lets a client in, and into the rooms that it names.
    const room = `project:${name}`;
    const { token } = await driver.call({ do: 'token', user: name, rooms: ['project:*'] });
    const client = await connect(sidecast, { token, rooms: [room] });
    await assert.rejects(connect(sidecast, { token: `${token.slice(0, -2)}xx` }));

    const data = { text: 'שלום "\\/ é', list: [1.5, null, true], more: { a: [] } };
    const { answer } = await driver.broadcast('task.moved', data, { room });
    assert.equal(recipients_of(answer), 1);
    assert.match(id_of(answer), /^[A-Za-z0-9._:-]{8,64}$/);
    const second = await driver.broadcast('for.one', [1], { users: [name, 'nobody'] });
    assert.equal(recipients_of(second.answer), 1);
    assert.notEqual(id_of(second.answer), id_of(answer));
    const id = `order-${name}`;
    await driver.broadcast('several', null, { room, args: ['a', 2], id });
    await until(() => client.received.length === 3, bound(1000));
    assert.deepEqual(client.received, [['task.moved', data], ['for.one', [1]], ['several', 'a', 2]]);
    client.close();

    // What is refused is told with the server's own words, unless it is not to be told.
    const reused = await driver.broadcast('several', null, { room, args: ['b'], id });
    assert.deepEqual([reused.status, reused.code], [422, 'E_ID_REUSED']);
    const wrong = await driver.broadcast('x', 1, { room: 'a b' });
    assert.deepEqual([wrong.status, wrong.code], [422, 'E_BAD_TARGET']);
    assert.match(wrong.detail, /room/);
    const stranger = await driver.broadcast('x', 1, { room }, { key: `sk_${'x'.repeat(43)}` });
    assert.deepEqual([stranger.status, stranger.code], [401, 'E_UNAUTH']);
    if (!language.raises_always)
      assert.deepEqual(await driver.broadcast('x', 1, { room: 'a b' }, { fail_silently: true }), { answer: null });
  }));
}));

const now = { 'retry-after': '0' };
const rows = [
  { answers: [['cut'], [503, now], [202]], requests: 3, good: true },
  { answers: [['page'], [429, now], [202]], requests: 3, good: true },
  { answers: [[409, now], [202]], requests: 2, good: true },
  { answers: [[502, now], [503, now], [504]], requests: 3, status: 504 },
  { answers: [[500, now], [408, now], [202]], requests: 3, good: true },
  { answers: [[422]], requests: 1, status: 422 },
  { answers: [[501]], requests: 1, status: 501 },
];

test('the libraries against servers that fail', { concurrency: true }, (t) => each(t, 'what may be lost is sent again under one id, and nothing else is',
  (name, language) => with_driver(language, {}, async (driver) => {
    for (const { answers, requests: count, good, status } of rows)
      await with_failing_server([...answers], async (url, requests) => {
        const told = await driver.broadcast('e', { a: 1 }, { room: 'r' }, { url: `${url}/base/`, key: 'sk_x' });
        assert.equal(requests.length, count, JSON.stringify([answers, told]));
        assert.equal(new Set(requests.map((request) => request.id + request.text)).size, 1);
        assert.equal(JSON.parse(requests[0].text).id, requests[0].id);
        assert.deepEqual([requests[0].path, requests[0].key], ['/base/broadcast', 'Bearer sk_x']);
        if (good)
          assert.equal(recipients_of(told.answer), 3);
        else
          assert.deepEqual([told.status, told.code], [status, 'E_X']);
      });
    const nobody = await driver.broadcast('e', 1, { room: 'r' }, { url: 'http://127.0.0.1:9', key: 'sk_x' });
    assert.deepEqual([nobody.status, nobody.code], [0, 'E_UNREACHABLE']);
  })));
