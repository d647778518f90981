// The libraries for publishing, each in its own language, against the real server, and
// against one that fails as servers and networks do.
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import test from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { connect } from './lib/clients.mjs';
import { with_sidecast } from './lib/sidecast.mjs';
import { bound, until } from './lib/wait.mjs';

const root = path.join(path.dirname(fileURLToPath(import.meta.url)), '../..');
const drivers = path.join(root, 'tests/support/clients');
const files = { python: 'python/sidecast.py', node: 'node/sidecast.mjs', php: 'php/Sidecast.php', go: 'go/sidecast.go' };
const [, version] = readFileSync(path.join(root, 'CMakeLists.txt'), 'utf8').match(/^project\(sidecast VERSION (\S+)/m);
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

// A server that answers one after the other as it is told: a status and fields, 'cut',
// 'page' or 'foreign'; then 202.
async function with_failing_server(answers, body, pause_ms = 0) {
  const requests = [];
  const server = http.createServer((request, response) => {
    let text = '';
    request.on('data', (data) => { text += data; });
    request.on('end', async () => {
      requests.push({ text, id: request.headers['idempotency-key'], path: request.url, key: request.headers.authorization, agent: request.headers['user-agent'] });
      await sleep(pause_ms); // so that many are under way at once
      const [status, headers = {}, problem = { code: 'E_X', detail: 'said so' }] = answers.shift() ?? [202];
      if (status === 'cut')
        request.socket.destroy();
      else if (status === 'page')
        response.writeHead(200).end('<html>');
      else if (status === 'foreign')
        response.writeHead(200).end('{"status":"up"}');
      else
        response.writeHead(status, headers).end(JSON.stringify(status === 202 ? { id: 'x', recipients: 3 } : problem));
    });
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  let connections = 0;
  server.on('connection', () => { connections++; });
  try {
    await body(`http://127.0.0.1:${server.address().port}`, requests, () => connections);
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
  for (const file of Object.values(files))
    assert.ok(readFileSync(path.join(root, 'clients', file), 'utf8').split('\n').length <= 211, file);
});

test('each library says which version it is', () => {
  for (const [name, file] of Object.entries(files))
    assert.ok(readFileSync(path.join(root, 'clients', file), 'utf8').includes(`sidecast-${name}/${version}`), file);
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
  { answers: [['foreign'], [409, now], [202]], requests: 3, good: true },
  { answers: [[502, now], [503, now], [504]], requests: 3, status: 504 },
  { answers: [[500, now], [408, now], [202]], requests: 3, good: true },
  { answers: [[422]], requests: 1, status: 422 },
  { answers: [[302, { location: '/elsewhere' }]], requests: 1, status: 302 },
  { answers: [[503, now]], requests: 1, status: 503, client: { tries: 1 } },
  { answers: [[501]], requests: 1, status: 501 },
];

test('the libraries against servers that fail', { concurrency: true }, (t) => each(t, 'what may be lost is sent again under one id, and nothing else is',
  (name, language) => with_driver(language, {}, async (driver) => {
    for (const { answers, requests: count, good, status, client = {} } of rows)
      await with_failing_server([...answers], async (url, requests) => {
        const told = await driver.broadcast('e', { a: 1 }, { room: 'r' }, { url: ` ${url}/base/\n`, key: 'sk_x\r\n', ...client });
        assert.equal(requests.length, count, JSON.stringify([answers, told]));
        assert.equal(requests[0].agent, `sidecast-${name}/${version}`);
        assert.equal(new Set(requests.map((request) => request.id + request.text)).size, 1);
        assert.equal(JSON.parse(requests[0].text).id, requests[0].id);
        assert.deepEqual([requests[0].path, requests[0].key], ['/base/broadcast', 'Bearer sk_x']);
        if (good)
          assert.equal(recipients_of(told.answer), 3);
        else
          assert.deepEqual([told.status, told.code], [status, 'E_X']);
      });
    const nobody = await driver.broadcast('e', 1, { room: 'r' }, { url: 'http://localhost:9', key: 'sk_x' });
    assert.deepEqual([nobody.status, nobody.code], [0, 'E_UNREACHABLE']);
    assert.ok(nobody.detail);
  })));

test('what is no answer of Sidecast is no success', { concurrency: true }, (t) => each(t, 'neither a page nor a stranger\'s JSON is',
  (name, language) => with_driver(language, {}, async (driver) => {
    for (const kind of ['page', 'foreign'])
      await with_failing_server([[kind], [kind], [kind]], async (url) => {
        const told = await driver.broadcast('e', 1, { room: 'r' }, { url });
        assert.deepEqual([told.status, told.code], [0, 'E_UNREACHABLE']);
      });
  })));

test('what a call is made of', { concurrency: true }, (t) => each(t, 'data that is not given is not sent, and a key that is none is told but not shown',
  (name, language) => with_driver(language, {}, async (driver) => {
    await with_failing_server([], async (url, requests) => {
      await driver.call({ do: 'broadcast', event: 'e', to: { room: 'r' }, client: { url } });
      const { id, ...body } = JSON.parse(requests[0].text);
      assert.deepEqual(body, { event: 'e', room: 'r' });
      const { wrong } = await driver.broadcast('e', 1, { room: 'r' }, { url, key: 'sk_\nsecret' });
      assert.match(wrong, /key/);
      assert.doesNotMatch(wrong, /secret/);
      assert.equal(requests.length, 1);
    });
  })));

test('Go: a context ends the call while it waits, and what the server said is told', () => with_driver(languages.go, {}, async (driver) => {
  await with_failing_server([[503, { 'retry-after': '5' }]], async (url, requests) => {
    const begun = Date.now();
    const told = await driver.broadcast('e', 1, { room: 'r' }, { url, within: 0.3 });
    assert.ok(Date.now() - begun < 2500);
    assert.deepEqual([told.status, told.code, told.late, requests.length], [503, 'E_X', true, 1]);
  });
}));

test('Go: twenty goroutines use their connections again', () => with_driver(languages.go, {}, async (driver) => {
  await with_failing_server([], async (url, requests, connections) => {
    await driver.call({ do: 'crowd', event: 'e', to: { room: 'r' }, client: { url } });
    assert.equal(requests.length, 201);
    assert.ok(connections() <= 100, `${connections()} connections`);
  }, 5);
}));

test('PHP: a code that is no text is told as text', () => with_driver(languages.php, {}, async (driver) => {
  await with_failing_server([[422, {}, { code: 17 }]], async (url) => {
    const told = await driver.broadcast('e', 1, { room: 'r' }, { url });
    assert.deepEqual([told.status, told.code], [422, '17']);
  });
}));

test('Python: a process and its fork have a connection each', () => with_driver(languages.python, {}, async (driver) => {
  await with_failing_server([], async (url, requests, connections) => {
    await driver.call({ do: 'fork', event: 'e', to: { room: 'r' }, client: { url } });
    assert.equal(requests.length, 3);
    assert.equal(connections(), 2);
  });
}));
