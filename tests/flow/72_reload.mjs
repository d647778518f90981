// SIGHUP: a good configuration holds at once and for everybody, a bad one changes nothing;
// nobody is disconnected by either.
import assert from 'node:assert/strict';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test from 'node:test';
import { connect, native } from './lib/clients.mjs';
import { generator } from './lib/config_mutants.mjs';
import { with_sidecast } from './lib/sidecast.mjs';
import { bound, until } from './lib/wait.mjs';

const folder = mkdtempSync(path.join(tmpdir(), 'sidecast-reload-'));
const file = path.join(folder, 'sidecast.yaml');
test.after(() => rmSync(folder, { recursive: true }));

function write(text) {
  writeFileSync(`${file}.new`, text);
  renameSync(`${file}.new`, file);
}

// A test with a sidecar that has begun with this text.
function with_file(text, body) {
  const run = with_sidecast({ args: ['-c', file] }, body);
  return async (t) => {
    write(text);
    await run(t);
  };
}

const count = (log, words) => log.split(words).length - 1;

// Sends SIGHUP and waits until each of both processes has said what came of it.
async function reload(sidecast, text) {
  const before = count(sidecast.log, /reloaded: the configuration has faults|reloaded the configuration/);
  write(text);
  process.kill(sidecast.pids.self, 'SIGHUP');
  await until(() => count(sidecast.log, /reloaded: the configuration has faults|reloaded the configuration/) === before + 2,
    bound(1000), () => sidecast.log.slice(-2000));
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

test('a child that dies while the file is wrong is back when it is right', with_file('gateway: {count: 2}\n', async (sidecast) => {
  write('gatway: {}\n');
  process.kill(sidecast.pids.gateways[0], 'SIGKILL');
  await until(() => /a child has ended .*code=78/.test(sidecast.log), bound(2000));
  assert.equal((await sidecast.publish({ event: 'e', room: 'r' })).status, 202);
  write('gateway: {count: 2}\n');
  await until(() => count(sidecast.log, /g1 +ready/) === 2, bound(4000), () => sidecast.log.slice(-3000));
}));

test('what needs a new start is named in the log', with_file('{}\n', async (sidecast) => {
  await reload(sidecast, 'limits: {outbox: 2MiB}\n');
  assert.match(sidecast.log, /this change needs a new start key=limits\.outbox/);
}));

test('200 random reloads under traffic: nobody is disconnected, nothing is half applied', with_file(rule('any'), async (sidecast) => {
  const clients = [await native(sidecast, { rooms: ['lobby:1'] }), await connect(sidecast, { rooms: ['lobby:1'] })];
  const next = generator(7);
  let lost = 0, published = 0, is_over = false;
  clients[1].on('disconnect', () => { lost++; });
  const traffic = (async () => {
    for (; !is_over; published++)
      assert.equal((await sidecast.publish({ event: 'tick', room: 'lobby:1', data: published })).status, 202);
  })();
  // Rooms and the error's name change together; a bad file has one good half and one bad one.
  for (let i = 0; i < 200; i++) {
    const is_bad = next(3) === 0, allow = ['any', 'none'][next(2)];
    write(is_bad ? `${rule(allow)}nonsense: ${i}\n` : rule(allow));
    process.kill(sidecast.pids.self, 'SIGHUP');
    if (i % 20 !== 19)
      continue;
    const last = ['any', 'none'][next(2)];
    await reload_settled(sidecast, rule(last));
    assert.equal(await may_join(sidecast, 'lobby:2'), last === 'any', `after ${i + 1} reloads`);
    await reload_settled(sidecast, `${rule(last === 'any' ? 'none' : 'any')}rooms: []\n`);
    assert.equal(await may_join(sidecast, 'lobby:2'), last === 'any', 'a bad one after it');
  }
  is_over = true;
  await traffic;
  await until(() => clients[0].messages.filter((m) => m.event === 'tick').length === published, bound(1000));
  await until(() => clients[1].received.filter(([name]) => name === 'tick').length === published, bound(1000));
  assert.equal(lost, 0);
  assert.equal(clients[0].closed, null);
  for (const client of clients)
    client.close();
}));

// Signals that come together are one: again until the file has been read as it is now.
async function reload_settled(sidecast, text) {
  write(text);
  for (let i = 0; i < 2; i++) {
    const before = count(sidecast.log, /reloaded: the configuration has faults|reloaded the configuration/);
    process.kill(sidecast.pids.self, 'SIGHUP');
    await until(() => count(sidecast.log, /reloaded: the configuration has faults|reloaded the configuration/) >= before + 2, bound(1000));
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
