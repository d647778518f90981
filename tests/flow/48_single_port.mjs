// One port for all: what is for the publisher goes to it, socket and all, whichever gateway
// it came to, and is answered as on a port of its own.
import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test from 'node:test';
import { connect, native } from './lib/clients.mjs';
import { free_port, free_row } from './lib/ports.mjs';
import { is_alive, program, random_text, with_sidecast } from './lib/sidecast.mjs';
import { bound, until } from './lib/wait.mjs';
import { Wire } from './lib/wire.mjs';

const single = (...args) => ({ set: ['publisher.listen=gateway'], args });

function metric(text, name) {
  const rows = [...text.matchAll(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\d+)$`, 'gm'))];
  return rows.reduce((sum, [, value]) => sum + Number(value), 0);
}

async function shares_one_address(sidecast) {
  assert.equal(sidecast.publisher, sidecast.gateway);
  const room = 'shared:1';
  const [official, plain] = [await connect(sidecast, { rooms: [room] }), await native(sidecast, { rooms: [room] })];
  const total = 40;
  // Over an agent that would like to keep its connections, mixed with a gateway's requests.
  for (let n = 0; n < total; n++) {
    const sent = await sidecast.publish({ event: 'e', room, data: n });
    assert.equal(sent.status, 202, sent.text);
    assert.equal(sent.headers.connection, 'close');
    const alive = await sidecast.request(`${sidecast.gateway}/livez`);
    assert.equal(alive.text, 'ok');
    assert.equal(alive.headers.connection, 'close');
  }
  const wanted = Array.from({ length: total }, (_, n) => n);
  await until(() => official.received.length >= total, bound(1000));
  assert.deepEqual(official.received.map(([, n]) => n), wanted);
  const events = () => plain.messages.filter((m) => m.t === 'event');
  await until(() => events().length >= total, bound(1000));
  assert.deepEqual(events().map((m) => m.data), wanted);
  official.close();
  plain.close();
}

async function takes_large_bodies(sidecast) {
  const client = await connect(sidecast, { rooms: ['big:1'] });
  const data = 'x'.repeat(200_000);
  const file = path.join(sidecast.folder, 'body.json');
  writeFileSync(file, JSON.stringify({ event: 'big', room: 'big:1', data }));
  for (const more of [[], ['-H', 'Transfer-Encoding: chunked'], ['-H', 'Expect: 100-continue']]) {
    const words = ['-s', '-S', '-m', '20', '-H', `Authorization: Bearer ${sidecast.key}`, ...more,
      '--data-binary', `@${file}`, '-w', '%{http_code}', '-o', '/dev/null', `${sidecast.publisher}/v1/publish`];
    assert.equal(execFileSync('curl', words, { encoding: 'utf8' }), '202');
  }
  await until(() => client.received.length >= 3, bound(1000));
  assert.ok(client.received.every(([, got]) => got === data));
  client.close();
}

async function judges_as_on_its_own(sidecast) {
  const body = { event: 'e', all: true };
  const asked = async (target) => (await sidecast.request(`${sidecast.publisher}${target}`)).status;
  assert.equal((await sidecast.publish(body, { authorization: 'Bearer sk_wrong' })).status, 401);
  assert.equal((await sidecast.publish(body, { origin: sidecast.gateway })).status, 403);
  assert.equal((await sidecast.publish(`{"event":"e","all":true,"data":"${'x'.repeat(300_000)}"}`)).status, 413);
  assert.equal(await asked('/broadcast'), 405);
  assert.equal(await asked('/v1/nothing'), 404);
  assert.equal(await asked('/v1/stats'), 401);
  assert.equal(await asked('/v1'), 404); // a gateway's answer

  // A head that no parser may see is refused by the gateway that it came to.
  const wire = new Wire(sidecast.gateway);
  await wire.send('POST /broadcast HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n');
  await wire.answers(1);
  assert.deepEqual(wire.statuses(), [400]);
  wire.close();
}

async function takes_slow_requests(sidecast) {
  const body = JSON.stringify({ event: 'e', all: true });
  const wire = new Wire(sidecast.gateway);
  await wire.send('POST /broad', 'cast HTTP/1.1\r\nHost: a\r\n', `Authorization: Bearer ${sidecast.key}\r\n`,
    `Content-Length: ${body.length}\r\n\r`, '\n', ...body);
  await wire.answers(1);
  assert.deepEqual(wire.statuses(), [202]);
  await until(() => wire.ended, bound(1000));
  wire.close();
}

async function loses_no_socket(sidecast) {
  const before = metric((await sidecast.request(`${sidecast.ops}/metrics`)).text, 'sidecast_sockets_received_total');
  const answers = await Promise.all(Array.from({ length: 200 }, () => sidecast.publish({ event: 'e', all: true })));
  assert.deepEqual([...new Set(answers.map((answer) => answer.status))], [202]);
  const after = (await sidecast.request(`${sidecast.ops}/metrics`)).text;
  assert.equal(metric(after, 'sidecast_sockets_received_total') - before, 200);
  assert.equal(metric(after, 'sidecast_sockets_returned_total'), 0);
}

const checks = [
  ['a backend and browsers have one address', [2, 4], shares_one_address],
  ['curl publishes, also a large body', [1], takes_large_bodies],
  ['limits, keys and pages are judged as on a port of its own', [4], judges_as_on_its_own],
  ['a slow head and a slow body reach the publisher whole', [4], takes_slow_requests],
  ['each socket that leaves a gateway arrives', [4], loses_no_socket],
];

for (const count of [1, 2, 4]) {
  test(`one port for the publisher and gateways [${count}]`, with_sidecast(single('--gateways', String(count)), async (sidecast, t) => {
    for (const [name, , check] of checks.filter(([, counts]) => counts.includes(count)))
      await t.test(name, () => check(sidecast));
  }));
}

const routes = `
publisher: {listen: gateway}
auth: {mode: none}
rooms: [{match: "**", allow: any}]
routes:
  - {match: "POST /hello/:who", do: publish, auth: key, to: "who:{path.who}", event: hello, payload: "{body}"}
`;

test('paths of routes are the publisher\'s, all others the gateway\'s', async (t) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'sidecast-routes-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = path.join(folder, 'sidecast.yaml');
  writeFileSync(file, routes, { mode: 0o600 });
  await with_sidecast({ args: ['-c', file, '--gateways', '2'] }, async (sidecast) => {
    const client = await connect(sidecast, { rooms: ['who:ann'] });
    const ask = (target) => sidecast.request(`${sidecast.gateway}${target}`, {
      method: 'POST', body: '{"n":1}',
      headers: { authorization: `Bearer ${sidecast.key}`, 'content-type': 'application/json' },
    });
    const answer = await ask('/hello/ann');
    assert.ok(answer.status < 300, answer.text);
    await until(() => client.received.length >= 1, bound(1000));
    assert.deepEqual(client.received[0].slice(0, 2), ['hello', { n: 1 }]);
    assert.equal((await ask('/hello')).status, 404);
    client.close();
  })(t);
});

test('without keys a port that others reach is not shared', (t) => {
  const file = path.join(prepare(t), 'sidecast.yaml');
  const check = (address, none) => {
    writeFileSync(file, `gateway: {listen: "${address}"}\npublisher: {listen: gateway, allow_none: ${none}}\n`);
    const { status, stderr } = spawnSync(program, ['check-config', file], { encoding: 'utf8', env: { ...process.env, ...t.secrets } });
    return [status, /allow_none: other machines/.test(stderr), /listen: other machines/.test(stderr)];
  };
  assert.deepEqual(check('127.0.0.1:7410', 'on'), [0, false, false]);
  assert.deepEqual(check('0.0.0.0:7410', 'on'), [78, true, false]);
  assert.deepEqual(check('0.0.0.0:7410', 'off'), [0, false, true]);
});

test('requests wait for a publisher that is started again', with_sidecast(single('--gateways', '2'), async (sidecast) => {
  const first = sidecast.pids.publisher;
  process.kill(first, 'SIGKILL');
  await until(() => !is_alive(first), bound(1000));
  const answers = await Promise.all(Array.from({ length: 20 }, () => sidecast.publish({ event: 'e', all: true })));
  for (const answer of answers) {
    assert.ok([202, 503].includes(answer.status), answer.text);
    if (answer.status === 503)
      assert.ok(answer.headers['retry-after']);
  }
  await until(async () => (await sidecast.publish({ event: 'e', all: true })).status === 202, bound(2000));
}));

// The two roles by hand, on `bus` and in `folder`.
async function start_role(t, role, { folder, port, words }) {
  const child = spawn(program, [role, '--set', 'publisher.listen=gateway', '--set', 'ops.listen=127.0.0.1:0',
    '--set', `gateway.listen=127.0.0.1:${port}`, '--log-level', 'info', ...words], {
    env: { ...process.env, TMPDIR: folder, ...t.secrets }, stdio: ['ignore', 'ignore', 'pipe'],
  });
  const running = { child, log: '', exited: null };
  child.stderr.on('data', (data) => { running.log += data; });
  child.on('exit', (code) => { running.exited = { code }; });
  t.after(() => running.exited || child.kill('SIGKILL'));
  await until(() => / ready pid/.test(running.log) || running.exited, 20_000, () => running.log);
  return running;
}

async function stop_role(running) {
  running.child.kill('SIGTERM');
  await until(() => running.exited, 20_000);
  assert.equal(running.exited.code, 0, running.log);
}

function prepare(t) {
  const folder = mkdtempSync(path.join(tmpdir(), 'sidecast-roles-'));
  chmodSync(folder, 0o700);
  t.after(() => rmSync(folder, { recursive: true }));
  t.key = `sk_${random_text(32)}`;
  t.secrets = { SIDECAST_PUBLISHER_API_KEYS: t.key, SIDECAST_AUTH_JWT_HMAC_SECRET: random_text(48) };
  return folder;
}

function post(port, key) {
  return new Promise((resolve) => {
    const words = ['-s', '-m', '20', '-i', '-H', `Authorization: Bearer ${key}`, '-d', '{"event":"e","all":true}',
      `http://127.0.0.1:${port}/broadcast`];
    const curl = spawn('curl', words, { stdio: ['ignore', 'pipe', 'ignore'] });
    let text = '';
    curl.stdout.on('data', (data) => { text += data; });
    curl.on('close', () => resolve({ status: Number(text.split(' ')[1]), text }));
  });
}

test('roles on their own: no publisher is 503, a stale socket is no harm', async (t) => {
  const folder = prepare(t);
  const port = await free_port();
  const run = { folder, port, words: ['--set', `run_dir=${path.join(folder, 'run')}`] };
  const publisher = await start_role(t, 'publisher', run);
  const gateway = await start_role(t, 'gateway', run);
  assert.equal((await post(port, t.key)).status, 202);

  publisher.child.kill('SIGKILL'); // its socket's file stays
  await until(() => publisher.exited, 5000);
  const refused = await post(port, t.key);
  assert.equal(refused.status, 503, refused.text);
  assert.match(refused.text, /^Retry-After: \d+\r$/m);
  assert.match(refused.text, /"code":"E_UNAVAILABLE"/);

  const again = await start_role(t, 'publisher', run);
  assert.equal((await post(port, t.key)).status, 202);
  await stop_role(gateway);
  await stop_role(again);
  const left = readdirSync(path.join(folder, 'run')).filter((name) => /\.(pass|mark)$/.test(name));
  assert.deepEqual(left, []);
});

for (const role of ['publisher', 'gateway']) {
  test(`a ${role} that shares a port is refused where the processes do not meet`, async (t) => {
    const folder = prepare(t);
    const port = await free_port();
    const running = await start_role(t, role, { folder, port, words: ['--set', `bus.url=tcp://127.0.0.1:${await free_row(3)}`] });
    await until(() => running.exited, 5000);
    assert.equal(running.exited.code, 78);
    assert.match(running.log, /publisher\.listen: gateway needs a folder .* run_dir/);
  });
}

test('a bus of tcp has a folder all the same under serve', async (t) => {
  const set = ['publisher.listen=gateway', `bus.url=tcp://127.0.0.1:${await free_row(3)}`];
  await with_sidecast({ set, args: ['--gateways', '2'] }, async (sidecast) => {
    assert.equal((await sidecast.publish({ event: 'e', all: true })).status, 202);
  })(t);
});
