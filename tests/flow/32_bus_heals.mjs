// What ends the bus itself: its listener dies of a stranger's knock, and the publisher is
// killed with its log in memory. The first is healed, the second is told to every client.
import assert from 'node:assert/strict';
import net from 'node:net';
import path from 'node:path';
import test from 'node:test';
import { check, describe } from '../chaos/lib/check.mjs';
import { crowd, History, publish_paced } from '../chaos/lib/crowd.mjs';
import { Fleet } from '../chaos/lib/fleet.mjs';
import { insist } from '../chaos/lib/keep.mjs';
import { native } from './lib/clients.mjs';
import { with_sidecast } from './lib/sidecast.mjs';
import { bound, sleep, until } from './lib/wait.mjs';

// What a peer says first, and a request for a page of a log that is not there: both are answered
// by who serves. (Who does not may greet all the same.)
const greeting = Buffer.from([0, 0x53, 0x50, 0, 0, 0x30, 0, 0]);
const request = Buffer.alloc(9 + 4 + 32);
request.writeUInt8(1, 0);
request.writeBigUInt64BE(BigInt(request.length - 9), 1);
request.writeUInt32BE(0x80000001, 9);
request.write('\x01Q\x01', 13, 'latin1'); // version, question, epoch 1; after 0, through 0
request.writeUInt32LE(100, 39);

// Whether the listener of the log still takes anybody in.
function serves(file) {
  return new Promise((resolve) => {
    const socket = net.connect(file, () => socket.write(greeting));
    let bytes = 0;
    const end = (answer) => {
      clearTimeout(timer);
      setTimeout(() => socket.destroy(), 20); // not in the middle of the greeting
      resolve(answer);
    };
    const timer = setTimeout(() => end(false), 1000);
    socket.on('data', (data) => {
      bytes += data.length;
      if (bytes === greeting.length)
        socket.write(request);
      else
        end(true);
    });
    socket.once('error', () => end(false));
  });
}

function knock(file) {
  return new Promise((resolve) => {
    const socket = net.connect(file, () => socket.destroy());
    socket.once('close', resolve);
    socket.once('error', resolve);
  });
}

// A health check, a second instance that looks whether the address is taken: one connection
// that ends at once is the end of the library's listener, and nobody is told.
test('a listener that a knock has ended is opened anew [native]', with_sidecast({}, async (sidecast, t) => {
  const file = path.join(sidecast.folder, 'bus', 'replay');
  const { publisher, gateways: [gateway] } = sidecast.pids;
  assert.equal(await serves(file), true);
  for (let i = 0; i < 50 && (i === 0 || await serves(file)); i++)
    await knock(file);
  assert.equal(await serves(file), false, 'it has survived 50 knocks: is the watchdog needed any more?');

  // Who is connected has not noticed.
  const before = await native(sidecast, { rooms: ['a'] });
  assert.equal((await sidecast.publish({ event: 'e', room: 'a' })).json.recipients, 1);
  await before.message((m) => m.t === 'event', 5000);

  process.kill(gateway, 'SIGKILL');
  const began = performance.now();
  const after = await until(() => native(sidecast, { rooms: ['a'] }).catch(() => null), bound(12_000));
  t.diagnostic(`healed in ${Math.round(performance.now() - began)} ms`);
  assert.ok(!sidecast.children().includes(publisher), 'the publisher was replaced');
  await sidecast.until_counted();
  assert.equal((await sidecast.publish({ event: 'e', room: 'a' })).json.recipients, 1);
  await after.message((m) => m.t === 'event', 5000);
  assert.equal(await serves(file), true);
}));

const told = (history, who, op) => history.records.filter((r) => r.who === who && r.op === op);

test('a log in memory ends with its publisher, and every client is told [websocket native]', async (t) => {
  const history = new History();
  const fleet = await Fleet.start({ proxied: false, set: ['log.durability=memory'] });
  try {
    const members = await crowd(fleet, history, { clients: 40, rooms: 5 });
    const plan = { rate: 200, ms: 1500, rooms: 5 };
    await Promise.all([
      publish_paced(fleet, history, { ...plan, prefix: 'before' }),
      sleep(1000).then(() => fleet.publisher_process.kill()),
    ]);
    fleet.publisher_process.start();
    const began = performance.now();
    const missing = () => members.filter(({ who, is_native }) => is_native
      ? !told(history, who, 'resync').length
      : told(history, who, 'join').length < 4); // its two rooms, and once more
    await until(() => missing().length === 0, bound(3000), () =>
      `not told: ${missing().map(({ who }) => who)}\n${fleet.logs()}`);
    t.diagnostic(`all were told and are back in ${Math.round(performance.now() - began)} ms`);
    await fleet.until_ready();
    await publish_paced(fleet, history, { ...plan, prefix: 'after' });
    await sleep(500);

    const verdict = check(history.records);
    t.diagnostic(describe(verdict));
    insist('32_bus_heals', { history, verdict });
    for (const { who, is_native } of members) {
      if (is_native)
        assert.deepEqual(told(history, who, 'resync').map(({ reason }) => reason), ['epoch_changed'], who);
      else
        assert.deepEqual(told(history, who, 'connect').map(({ recovered }) => !recovered), [true], who);
      assert.equal(told(history, who, 'disconnect').length, is_native ? 0 : 1, who);
      const ids = told(history, who, 'recv').map(({ id }) => id);
      assert.ok(ids.some((id) => id.startsWith('before')) && ids.some((id) => id.startsWith('after')), who);
    }
    members.forEach((member) => member.close());
    await fleet.stop();
  } catch (error) {
    console.error(fleet.logs());
    await fleet.kill();
    throw error;
  }
});
