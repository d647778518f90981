// The edges of what can be recovered: where the log ends, where a client does not keep up with
// what it missed, where a gateway dies. Each with a switch that must make it fail.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { join } from './lib/clients.mjs';
import { come_back, comer, has, leave, upto } from './lib/coming_back.mjs';
import { start_alone, stop_alone } from './lib/gateways.mjs';
import { trials } from './lib/settings.mjs';
import { with_sidecast } from './lib/sidecast.mjs';
import { until } from './lib/wait.mjs';

const patience_ms = 30_000;
const crowd = 20;

// A number below `below`, the same in each run.
function dice(seed) {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

// Whether who got `numbers` was told the truth, when `published` is all that its room ever had:
// whoever recovered has all that it had not before. Whoever did not has all since it joined anew,
// and before that at most what its gateway had still to deliver then.
function is_true({ recovered, numbers, published, had, joined }) {
  const first = recovered ? had : Math.min(joined, published.length - numbers.length);
  return first >= 0 && numbers.join() === published.slice(first).join();
}

// Everybody leaves, each misses a number of events in a log that holds few, and comes back.
// Gives how many were told that they recovered, and who of all has not exactly what is his.
async function try_the_edge(sidecast, noise, rounds, seed) {
  const roll = dice(seed);
  const sockets = await Promise.all(upto(crowd).map(async (i) => {
    const socket = await comer(sidecast, { transports: [i % 2 ? 'polling' : 'websocket'], rooms: [`r${i}`] });
    return Object.assign(socket, { room: `r${i}`, published: [], had: 0, joined: 0 });
  }));
  const seen = { recovered: 0, refused: 0, wrong: [] };
  const publish = async ({ room, published }) => {
    published.push(published.length);
    await sidecast.publish({ event: 'n', room, data: published.at(-1) });
  };

  for (let round = 0; round < rounds; round++) {
    await Promise.all(sockets.map(leave));
    // Those who were first in the log are gone from it, by a few events more or less.
    const order = sockets.map((socket) => ({ socket, at: roll(1000) })).sort((a, b) => a.at - b.at);
    const extra = roll(7);
    for (let i = 0; i < crowd + extra; i++)
      await publish(order[i % crowd].socket);
    await Promise.all(upto(roll(noise)).map(() => sidecast.publish({ event: 'noise', room: 'nobody' })));
    await Promise.all(sockets.map((socket) => come_back(socket)));
    for (const socket of sockets) {
      seen[socket.recovered ? 'recovered' : 'refused']++;
      if (!socket.recovered) {
        await join(socket, socket.room);
        socket.joined = socket.published.length;
      }
      await publish(socket);
    }
    for (const socket of sockets) {
      const { room, recovered, numbers, published, had, joined } = socket;
      await until(() => numbers.at(-1) === published.at(-1), patience_ms);
      if (!is_true(socket))
        seen.wrong.push({ round, room, recovered, had, joined, published: published.length, numbers: numbers.join() });
      numbers.splice(0);
      socket.had = published.length;
    }
  }
  sockets.forEach((socket) => socket.close());
  return seen;
}

// What the gateway has in memory would reach further back than so short a log.
const few = { set: ['log.keep.events=25'], hooks: ['no-recent'] };
// Who joins anew then hears what was published before, as it has not been delivered yet.
const bad_bus = (seed) => ({ ...few, hooks: [...few.hooks, `bus-shim=${seed}:dup=5,delay=50ms`] });

const edge = (noise, rounds, seed) => async (sidecast, t) => {
  const seen = await try_the_edge(sidecast, noise, rounds, seed);
  t.diagnostic(JSON.stringify(seen));
  assert.equal(seen.wrong.length, 0, JSON.stringify(seen));
  assert.ok(seen.recovered > 0 && seen.refused > 0, JSON.stringify(seen));
};

const part = 200; // trials, that one server sees
const rounds = Math.ceil(Math.min(trials, part) / crowd);
for (let seed = 1; seed <= Math.ceil(trials / part); seed++) {
  test(`nobody is told of a recovery who misses something [seed ${seed}]`, with_sidecast(few, edge(20, rounds, seed)));
  test(`nor is anybody where the bus is late and repeats [seed ${seed}]`, with_sidecast(bad_bus(seed), edge(20, rounds, seed)));
}

test('a recovery without proof is noticed', with_sidecast({ ...few, hooks: ['no-recent', 'no-recheck'] }, async (sidecast) => {
  const seen = await try_the_edge(sidecast, 40, 2, 1);
  assert.ok(seen.wrong.some(({ recovered }) => recovered), JSON.stringify(seen));
}));

// More was missed than any queue of ours may hold, and more comes all the while.
async function catch_up(sidecast, transport, count) {
  const witness = await comer(sidecast, { rooms: ['a', 'b'] });
  const socket = await comer(sidecast, { transports: [transport], rooms: ['a', 'b'] });
  let next = 0;
  const publish = (many) => Promise.all(upto(many).map(() => {
    const data = next++;
    return sidecast.publish({ event: 'n', room: data % 2 ? 'a' : 'b', args: [data, 'x'.repeat(200)] });
  }));

  await leave(socket);
  await publish(count);
  let is_back = false;
  const flood = (async () => {
    while (!is_back || next < 2 * count)
      await publish(50);
  })();
  await come_back(socket);
  is_back = true;
  await flood;
  await publish(1);
  assert.equal(socket.recovered, true);
  await has(socket, next);
  await has(witness, next);
  socket.close();
  witness.close();
  const is_whole = JSON.stringify(socket.numbers) === JSON.stringify(witness.numbers);
  return { is_whole, count: socket.numbers.length, next };
}

const narrow = { set: ['limits.outbox_frames=32'], hooks: ['no-recent'] };
for (const transport of ['websocket', 'polling'])
  test(`who missed more than queues hold gets all of it while more comes [${transport}]`,
    with_sidecast(narrow, async (sidecast) => {
      const got = await catch_up(sidecast, transport, 300);
      assert.ok(got.is_whole, JSON.stringify(got));
    }));

// Live events do not always begin in the midst of a page.
const tries = 10;
test('what is read beyond where live events begin is noticed',
  with_sidecast({ ...narrow, hooks: ['no-recent', 'no-dedupe'] }, async (sidecast) => {
    for (let i = 0; i < tries; i++)
      if (!(await catch_up(sidecast, 'websocket', 300)).is_whole)
        return;
    assert.fail(`nobody noticed in ${tries} returns`);
  }));

test('a gateway is killed, and its clients come back to another', with_sidecast({ set: ['gateway.count=1'] }, async (sidecast, t) => {
  const alone = await start_alone(sidecast, t, 'g9');
  const sockets = await Promise.all(upto(10).map((i) =>
    comer(alone, { transports: [i % 2 ? 'polling' : 'websocket'], rooms: ['a'] })));
  const ids = sockets.map(({ id }) => id);

  await sidecast.publish({ event: 'n', room: 'a', data: 0 });
  await Promise.all(sockets.map((socket) => has(socket, 1)));
  sockets.forEach((socket) => socket.io.reconnection(false));
  const gone = Promise.all(sockets.map((socket) => new Promise((resolve) => { socket.once('disconnect', resolve); })));
  alone.signal('SIGKILL');
  await gone;
  for (const n of upto(5))
    await sidecast.publish({ event: 'n', room: 'a', data: n + 1 });
  await Promise.all(sockets.map((socket) => come_back(socket, sidecast.gateway)));
  await Promise.all(sockets.map((socket) => has(socket, 6)));
  assert.deepEqual(sockets.map(({ id }) => id), ids);
  for (const socket of sockets) {
    assert.equal(socket.recovered, true);
    assert.deepEqual(socket.numbers, upto(6));
    socket.close();
  }
}));

test('the connection on another gateway gives way', with_sidecast({}, async (sidecast, t) => {
  const alone = await start_alone(sidecast, t, 'g9');
  const ghost = await comer(alone, { rooms: ['a'] });
  const gone = new Promise((resolve) => { ghost.once('disconnect', resolve); });

  ghost.io.reconnection(false);
  const again = await comer(sidecast, { auth: { token: sidecast.token, pid: ghost._pid } });
  assert.equal(again.id, ghost.id);
  await gone;
  const answer = await sidecast.publish({ event: 'n', room: 'a', data: 1 });
  await has(again, 1);
  assert.equal(answer.json.recipients, 1);
  assert.deepEqual(ghost.numbers, []);
  again.close();
  await stop_alone(alone);
}));

// What is gone of each room is forgotten after two windows of recovery: from then on only what
// pings have proven tells that a quiet client has missed nothing.
test('a client that is quiet for ten windows of the log comes back', with_sidecast({
  set: ['log.keep.events=20', 'gateway.ping_interval=300ms', 'recovery.window=1s'], hooks: ['no-recent'],
}, async (sidecast) => {
  const socket = await comer(sidecast, { rooms: ['a'] });

  await sidecast.publish({ event: 'n', room: 'a', data: 0 });
  await has(socket, 1);
  for (let window = 0; window < 10; window++) {
    await Promise.all(upto(20).map(() => sidecast.publish({ event: 'n', room: 'b', data: 100 })));
    await new Promise((resolve) => { setTimeout(resolve, 300); });
  }
  await new Promise((resolve) => { socket.io.engine.once('ping', resolve); });
  await leave(socket);
  await sidecast.publish({ event: 'n', room: 'a', data: 1 });
  await come_back(socket);
  assert.equal(socket.recovered, true);
  await has(socket, 2);
  assert.deepEqual(socket.numbers, upto(2));
  socket.close();
}));

// The official client keeps the offset of its last event for ever, whichever session that was in.
test('who comes back with a place in a log of before has missed nothing', with_sidecast({
  set: ['log.durability=memory'],
}, async (sidecast) => {
  const socket = await comer(sidecast, { rooms: ['a'] });

  await sidecast.publish({ event: 'n', room: 'a', data: 0 });
  await has(socket, 1);
  const { id, _lastOffset: place } = socket;
  process.kill(sidecast.pids.publisher, 'SIGKILL');
  await until(() => socket.connected && socket.id !== id, patience_ms);
  assert.equal(socket.recovered, false, 'the log began anew');
  await join(socket, 'a');
  assert.equal(socket._lastOffset, place);
  for (const n of [1, 2]) {
    await leave(socket);
    await sidecast.publish({ event: 'n', room: 'a', data: n });
    await come_back(socket);
    assert.equal(socket.recovered, true);
    await has(socket, n + 1);
  }
  assert.deepEqual(socket.numbers, upto(3));
  socket.close();
}));
