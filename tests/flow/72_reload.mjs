// SIGHUP: a good configuration holds at once and for everybody, a bad one changes nothing;
// nobody is disconnected by either.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test from 'node:test';
import { connect, native, native_raw, socketio_text } from './lib/clients.mjs';
import { generator } from './lib/config_mutants.mjs';
import { program, random_text, with_sidecast } from './lib/sidecast.mjs';
import { bound, sleep, until } from './lib/wait.mjs';

const folder = mkdtempSync(path.join(tmpdir(), 'sidecast-reload-'));
const file = path.join(folder, 'sidecast.yaml');
test.after(() => rmSync(folder, { recursive: true }));

function write(text) {
  writeFileSync(`${file}.new`, text);
  renameSync(`${file}.new`, file);
}

// A test with a sidecar that has begun with this text.
function with_file(text, body, options = {}) {
  const run = with_sidecast({ args: ['-c', file], ...options }, body);
  return async (t) => {
    write(text);
    await run(t);
  };
}

const count = (log, words) => log.split(words).length - 1;

// Sends SIGHUP and waits until each of both processes has said what came of it.
async function reload(sidecast, text) {
  const from = sidecast.log.length;
  write(text);
  process.kill(sidecast.pids.self, 'SIGHUP');
  await until(() => count(sidecast.log.slice(from), /reloaded: the configuration has faults|reloaded the configuration/) === 2,
    bound(2000), () => sidecast.log.slice(-2000));
}

const rule = (allow) => `rooms: [{match: "lobby:*", allow: ${allow}}]\n`;
const may_join = async (sidecast, room) => {
  const client = await connect(sidecast, { token: sidecast.mint({ sub: 'nobody', rooms: [] }) });
  try {
    return (await client.timeout(10_000).emitWithAck('subscribe', { room })).ok;
  } finally {
    client.close();
  }
};

test('a reload brings in what the file says now', with_file(rule('none'), async (sidecast) => {
  assert.equal(await may_join(sidecast, 'lobby:1'), false);
  await reload(sidecast, rule('any'));
  assert.equal(await may_join(sidecast, 'lobby:1'), true);
}));

test('a wrong file changes nothing, and the log says where it is wrong', with_file(rule('any'), async (sidecast) => {
  await reload(sidecast, `${rule('none')}gatway: {count: 2}\n`);
  assert.equal(await may_join(sidecast, 'lobby:1'), true);
  assert.match(sidecast.log, /fault in the configuration .*line=2 column=1 fault="?unknown key/);
  await reload(sidecast, `${rule('none')}contracts: nowhere\n`);
  assert.equal(await may_join(sidecast, 'lobby:1'), true);
  assert.match(sidecast.log, /line=2 column=12 fault="contracts: cannot read the folder/);
}));

// A gateway without a bus still serves who is there; the publisher hears it when it goes on.
test('who is not ready reloads like everybody else', with_file(rule('none'), async (sidecast) => {
  process.kill(sidecast.pids.publisher, 'SIGSTOP');
  try {
    await until(async () => (await sidecast.request(`${sidecast.gateway}/readyz`)).status === 503, 8_000);
    write(rule('any'));
    process.kill(sidecast.pids.self, 'SIGHUP');
    await until(() => /g1 .*reloaded the configuration/.test(sidecast.log), bound(1000), () => sidecast.log.slice(-2000));
  } finally {
    process.kill(sidecast.pids.publisher, 'SIGCONT');
  }
  await until(() => count(sidecast.log, 'reloaded the configuration') === 2, bound(1000));
  assert.equal(await may_join(sidecast, 'lobby:1'), true);
}));

test('a child that dies while the file is wrong is back when it is right', with_file('gateway: {count: 2}\n', async (sidecast) => {
  write('gatway: {}\n');
  process.kill(sidecast.pids.gateways[0], 'SIGKILL');
  await until(() => /a child has ended .*code=78/.test(sidecast.log), bound(2000));
  assert.equal((await sidecast.publish({ event: 'e', room: 'r' })).status, 202);
  write('gateway: {count: 2}\n');
  await until(() => count(sidecast.log, /g1 +ready/) === 2, bound(4000), () => sidecast.log.slice(-3000));
}));

test('what needs a new start is named in the log, in one line', with_file('{}\n', async (sidecast) => {
  await reload(sidecast, 'gateway: {count: 2, ping_interval: 9s}\nlog: {keep: {age: 1m}}\n');
  const told = sidecast.log.match(/this change needs a new start.*/g);
  assert.deepEqual([...new Set(told)], ['this change needs a new start keys="gateway.count, log.keep.age"']);
  assert.equal(told.length, 2, 'each process once');
}));

const key = () => `sk_${random_text(32)}`;

test('keys, origins, ceilings and heartbeats change while clients stay', async (t) => {
  const [first, second] = [key(), key()];
  const settings = (api_key, origin, seconds, rooms) => `
publisher: {api_keys: ["${api_key}"]}
allowed_origins: ["https://${origin}"]
gateway: {ping_interval: ${seconds}s}
limits: {rooms_per_socket: ${rooms}}
rooms: [{match: "lobby:*", allow: any}]
`;
  await with_file(settings(first, 'a.example', 20, 1), async (sidecast) => {
    const may_publish = async (k) =>
      (await sidecast.publish({ event: 'e', room: 'lobby:1' }, { authorization: `Bearer ${k}` })).status;
    const comes_in = async (origin) => {
      const page = native_raw(sidecast, { query: `?token=${sidecast.token}`, headers: { origin: `https://${origin}` } });
      await until(() => page.refused || page.socket.readyState === 1, bound(2000));
      page.close();
      return page.refused?.status ?? 101;
    };
    const socket = await socketio_text(sidecast, { rooms: ['lobby:1'] });
    const stays = await native(sidecast, { rooms: ['lobby:1'], headers: { origin: 'https://a.example' } });
    const may_join = async (room, n) => {
      stays.send(JSON.stringify({ t: 'subscribe', room, n }));
      return (await stays.message((m) => m.n === n)).data.ok;
    };
    assert.deepEqual([await may_publish(first), await may_publish(second)], [202, 401]);
    assert.deepEqual([await comes_in('a.example'), await comes_in('b.example')], [101, 403]);
    assert.deepEqual([socket.handshake.pingInterval, stays.hello.ping_interval], [20000, 20000]);
    assert.equal(await may_join('lobby:2', 10), false);

    await reload(sidecast, settings(second, 'b.example', 21, 2));
    assert.deepEqual([await may_publish(first), await may_publish(second)], [401, 202]);
    assert.deepEqual([await comes_in('a.example'), await comes_in('b.example')], [403, 101]);
    const later = await socketio_text(sidecast);
    assert.equal(later.handshake.pingInterval, 21000);
    assert.equal(await may_join('lobby:2', 11), true);

    // A key that is there twice: what was in force stays.
    await reload(sidecast, settings(`${first}, ${first}`, 'b.example', 21, 2).replace('["', '[').replace('"]', ']'));
    assert.equal(await may_publish(second), 202);
    assert.equal(stays.closed ?? socket.closed, null);
    for (const client of [socket, stays, later])
      client.close();
  }, { env: { SIDECAST_PUBLISHER_API_KEYS: undefined } })(t);
});

// An address that the checks count among those that other machines reach, and none does.
test('who needs no key is on this machine, also when a file moves a listener that stays', async (t) => {
  const run = path.join(folder, 'run');
  const words = ['publisher', '-c', file, '--log-level', 'info', '--set', `run_dir=${run}`, '--set', 'ops.listen=127.0.0.1:0'];
  const env = { ...process.env, SIDECAST_AUTH_JWT_HMAC_SECRET: random_text(48) };
  const reached = 'listen: "[::ffff:127.0.0.1]:0"';
  write(`publisher: {${reached}, allow_none: on}\n`);
  const refused = spawnSync(program, words, { env, encoding: 'utf8', timeout: bound(4000) });
  assert.equal(refused.status, 78, refused.stderr);
  assert.match(refused.stderr, /sidecast\.yaml:1:\d+: publisher\.allow_none: other machines reach/);

  write(`publisher: {${reached}}\n`);
  const child = spawn(program, words, { env, stdio: ['ignore', 'ignore', 'pipe'] });
  t.after(() => child.exitCode ?? child.kill('SIGKILL'));
  let log = '';
  child.stderr.on('data', (data) => { log += data; });
  const says = (words) => until(() => words.test(log), bound(4000), () => log);
  await says(/ ready pid/);
  for (const door of ['allow_none: on}', '}\nroutes: [{match: POST /open, do: publish, auth: none, to: r, event: e}]']) {
    log = '';
    write(`publisher: {listen: "127.0.0.1:7411", ${door}\n`);
    child.kill('SIGHUP');
    await says(/not reloaded: the configuration has faults/);
    assert.match(log, /other machines reach publisher\.listen/);
  }
  log = '';
  write('publisher: {listen: "127.0.0.1:7411"}\n');
  child.kill('SIGHUP');
  await says(/ reloaded the configuration/);
  child.kill('SIGTERM');
  await until(() => child.exitCode !== null, bound(4000), () => log);
  assert.equal(child.exitCode, 0, log);
});

test('a refused reload is a check of the ops listener, which stays ready', with_file(rule('any'), async (sidecast) => {
  const configuration = async () => {
    const { status, json } = await sidecast.request(`${sidecast.ops}/readyz?verbose`);
    assert.deepEqual([status, json.ready], [200, true]);
    return json.checks.find(({ name }) => name === 'configuration').ok;
  };
  assert.equal(await configuration(), true);
  await reload(sidecast, 'gatway: {}\n');
  assert.equal(await configuration(), false);
  await reload(sidecast, rule('none'));
  assert.equal(await configuration(), true);
}));

// --- many reloads: all that a client can see carries the number of the file it is from

const generation = (g) => `
rooms:
  - {match: "lobby:*", allow: any}
  - {match: "gen:*", allow: any}
  - {match: "odd:*", hidden: ${g % 2 === 0}}
  - {match: "even:*", hidden: ${g % 2 === 1}}
auth: {refusal: {missing: "missing ${g}"}, refusal_data: {gen: ${g}}}
connect:
  auto_join: ["lobby:1", "odd:1", "even:1"]
  emit: [{event: hello, payload: ${g}}, {event: hello, payload: ${g}}]
commands:
  rooms: {do: rooms, ack: {ok: {gen: ${g}, rooms: "{payload}"}}}
  join: {do: join, room: "lobby:{args.0}"}
ack: {error: {gen: ${g}, code: "{code}"}}
codes: {ack: {E_BAD_TARGET: "bad ${g}"}}
events:
  tick: {to: ["lobby:1", "gen:${g}"], envelope: {gen: ${g}, n: "{payload}"}, emit_as: ["tick ${g}"]}
`;

const number_of = (text) => Number(/\d+$/.exec(text)[0]);

// Everything that is seen, by the number of the file: one number per answer, of a file that
// was good, none from before the last answer of the same kind.
class Sightings {
  good = new Set();
  last = new Map();
  count = 0;

  take(kind, ...numbers) {
    const g = numbers[0];
    if (numbers.some((number) => number !== g))
      throw new Error(`${kind}: parts of several files: ${numbers}`);
    if (!this.good.has(g))
      throw new Error(`${kind}: from file ${g}, which was not good`);
    if (g < (this.last.get(kind) ?? 0))
      throw new Error(`${kind}: from file ${g}, after one from ${this.last.get(kind)}`);
    this.last.set(kind, g);
    this.count++;
  }
}

async function reload_often(sidecast, reloads) {
  const seen = new Sightings();
  const next = generator(7);
  let is_over = false, lost = 0, published = 0;
  seen.good.add(0);
  const listener = await connect(sidecast), asker = await connect(sidecast);
  const stays = await native(sidecast);
  for (const client of [listener, asker])
    client.on('disconnect', () => { lost++; });
  const repeat = async (step) => { for (; !is_over; await sleep(2)) await step(); };
  const publishes = async () => {
    const { status, json } = await sidecast.publish({ event: 'tick', data: ++published });
    assert.equal(status, 202);
    seen.take('published', number_of(json.rooms.find((room) => room.startsWith('gen:'))));
  };
  const asks = async () => {
    const { gen, rooms } = await asker.timeout(10_000).emitWithAck('rooms');
    seen.take('rooms', gen);
    assert.deepEqual(rooms.sort(), [gen % 2 ? 'odd:1' : 'even:1', 'lobby:1'].sort(), `rooms of file ${gen}`);
    const failed = await asker.timeout(10_000).emitWithAck('join', 'a b');
    seen.take('failed', failed.gen, number_of(failed.code));
  };
  const comes_in = async () => {
    const client = await connect(sidecast);
    await until(() => client.received.filter(([name]) => name === 'hello').length === 2, 10_000);
    seen.take('greeted', ...client.received.filter(([name]) => name === 'hello').map(([, g]) => g));
    client.close();
    const refused = await connect(sidecast, { auth: {} }).then(() => null, (error) => error);
    seen.take('refused', number_of(refused.message), refused.data.gen);
  };
  const traffic = Promise.all([publishes, asks, comes_in].map(repeat));
  traffic.catch(() => { is_over = true; }); // awaited below
  try {
    for (let g = 1; g <= reloads && !is_over; g++) {
      const is_bad = next(3) === 0;
      if (!is_bad)
        seen.good.add(g);
      await reload(sidecast, is_bad ? `${generation(g)}nonsense: 1\n` : generation(g));
    }
  } finally {
    is_over = true;
    await traffic;
  }
  const ticks = () => listener.received.filter(([name]) => name.startsWith('tick'));
  await until(() => ticks().length === published, bound(1000), () => `${ticks().length} of ${published} events`);
  for (const [name, { gen, n }] of ticks())
    seen.take('delivered', gen, number_of(name));
  assert.deepEqual(ticks().map(([, { n }]) => n), Array.from({ length: published }, (_, i) => i + 1));
  assert.equal(lost, 0);
  assert.equal(stays.closed, null);
  for (const client of [listener, asker, stays])
    client.close();
  return seen;
}

test('200 random reloads under traffic: nobody is disconnected, each answer is of one file', with_file(generation(0), async (sidecast) => {
  const seen = await reload_often(sidecast, 200);
  assert.ok(seen.count > 300, `only ${seen.count} answers`);
}));

test('a reload that leaves a part behind is found out', with_file(generation(0), async (sidecast) => {
  await assert.rejects(reload_often(sidecast, 40), /rooms of file/);
}, { hooks: ['half-reload'] }));
