// What a gateway knows of itself: its own events go round, each event is accounted for, and
// a loss that is built in is noticed.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { connect, native } from './lib/clients.mjs';
import { metrics_table, read_metrics } from './lib/metrics.mjs';
import { updates_docs } from './lib/settings.mjs';
import { with_sidecast } from './lib/sidecast.mjs';
import { bound, sleep, until } from './lib/wait.mjs';

const soon_ms = bound(3000);

const check = async (sidecast, name) => {
  const { json } = await sidecast.request(`${sidecast.ops}/readyz?verbose`);
  return json.checks.find((item) => item.name === name);
};

const is_ready = async (sidecast) => (await sidecast.request(`${sidecast.gateway}/readyz`)).status === 200;

test('each gateway sends probes round and gets them all',
  with_sidecast({ args: ['--gateways', '2'], set: ['gateway.probe=100ms'] }, async (sidecast) => {
    const read = await until(async () => {
      const metrics = await read_metrics(sidecast);
      return ['g1', 'g2'].every((id) => metrics('probe_received_total', id) >= 5) && metrics;
    }, soon_ms);
    for (const id of ['g1', 'g2']) {
      assert.ok(read('probe_latency_microseconds', id) > 0);
      // They hear each other's, too.
      assert.ok(read('events_total', id) > read('probe_received_total', id));
    }
    assert.equal(read('probe_lost_total') + read('events_missing_total') + read('probe_failing'), 0);
    assert.equal((await check(sidecast, 'probe')).ok, true);
    assert.equal(await is_ready(sidecast), true);
  }));

test('a probe takes no place in the log, and no client sees it',
  with_sidecast({ set: ['gateway.probe=50ms', 'log.keep.events=3'] }, async (sidecast) => {
    const socket = await connect(sidecast, { rooms: ['r'] });
    const frames = await native(sidecast, { rooms: ['r'] });
    const told = frames.messages.length;
    for (let n = 0; n < 3; n++)
      assert.equal((await sidecast.publish({ event: 'e', room: 'r', data: n })).status, 202);
    await until(async () => (await read_metrics(sidecast))('probe_received_total') >= 20, soon_ms);
    const { text } = await sidecast.request(`${sidecast.ops}/metrics`);
    assert.match(text, /^sidecast_log_events 3$/m);
    assert.match(text, /^sidecast_log_evicted_total 0$/m);
    assert.deepEqual(socket.received.map(([name]) => name), ['e', 'e', 'e']);
    assert.deepEqual(frames.messages.slice(told).map((message) => message.t), ['event', 'event', 'event']);
    socket.close();
    frames.close();
  }));

const document = path.join(path.dirname(fileURLToPath(import.meta.url)), '../../docs/metrics.md');

test('without probes there are none, and docs/metrics.md has every metric', with_sidecast({
  set: ['gateway.probe=0s'],
}, async (sidecast) => {
  const { text } = await sidecast.request(`${sidecast.ops}/metrics`);
  const said = readFileSync(document, 'utf8');
  const meant = said.replace(/(<!-- SIDECAST_UPDATE_DOCS[^\n]*\n)[^]*(<!-- end -->)/,
    (_, begin, end) => `${begin}${metrics_table(text)}\n${end}`);
  if (updates_docs)
    writeFileSync(document, meant);
  else
    assert.equal(said, meant, 'SIDECAST_UPDATE_DOCS=1 node --test tests/flow/35_self_probe.mjs brings it up to date');
  await sleep(1100);
  assert.equal((await read_metrics(sidecast))('probe_sent_total'), 0);
  assert.equal((await check(sidecast, 'probe')).ok, true);
}));

// Every fifth frame is lost and not asked for again: whatever is lost first, a user's event
// or a probe, the next thing that comes shows it.
test('a loss that is built in is noticed within a second, and readyz says so',
  with_sidecast({ hooks: ['no-replay', 'drop-frame=5'] }, async (sidecast) => {
    let published = 0;
    while (published < 10) {
      assert.equal((await sidecast.publish({ event: 'e', room: 'r', data: published })).status, 202);
      published++;
    }
    await until(async () => !await is_ready(sidecast), bound(1000));
    await until(async () => (await check(sidecast, 'probe')).ok === false, soon_ms);
    const read = await read_metrics(sidecast);
    assert.ok(read('events_missing_total') + read('probe_lost_total') > 0);
    assert.equal(sidecast.log.match(/does not get all events/g).length, 1);
  }));

// The same faults with the repair on: nothing is missing, and nobody cries.
test('a loss on the bus that is repaired is no fault',
  with_sidecast({ hooks: ['drop-frame=3'], set: ['gateway.probe=100ms'] }, async (sidecast) => {
    for (let n = 0; n < 100; n++)
      assert.equal((await sidecast.publish({ event: 'e', room: 'r', data: n })).status, 202);
    const read = await until(async () => {
      const metrics = await read_metrics(sidecast);
      return metrics('bus_gaps_total') > 3 && metrics('probe_received_total') > 5 && metrics;
    }, soon_ms);
    assert.equal(read('events_missing_total') + read('probe_lost_total') + read('probe_failing'), 0);
    assert.equal(await is_ready(sidecast), true);
  }));

const sizes = { readers: 8, sleepers: 2, events: 300 };

// Some read nothing until they are closed, some events are volatile, some have exceptions or
// are over before they come.
test('what is addressed is delivered or waived, to the last one', with_sidecast({
  set: ['limits.outbox=64KiB'],
}, async (sidecast) => {
  const readers = [];
  for (let i = 0; i < sizes.readers; i++)
    readers.push(await native(sidecast, { rooms: ['r'] }));
  const sleepers = [];
  for (let i = 0; i < sizes.sleepers; i++) {
    const sleeper = await native(sidecast, { rooms: ['r'] });
    sleeper.socket.pause();
    sleepers.push(sleeper);
  }
  const except = readers[0].messages.find((message) => message.t === 'connected').sid;
  const data = 'x'.repeat(40_000);
  for (let n = 0; n < sizes.events; n++) {
    const more = [{}, { volatile: true }, { except: [except] }, { rooms: ['r', 'elsewhere'], room: undefined },
      { ttl: '1ms' }][n % 5];
    const answer = await sidecast.publish({ event: 'e', room: 'r', data, ...more });
    assert.equal(answer.status, 202, answer.text);
  }
  const read = await until(async () => {
    const metrics = await read_metrics(sidecast);
    const is_quiet = metrics('sessions') === sizes.readers
      && metrics('events_total') - metrics('probe_received_total') >= sizes.events;
    return is_quiet && metrics;
  }, bound(10_000), () => `the sleepers were not closed, or events did not come`);
  assert.equal(read('addressed_total'), read('deliveries_total') + read('waived_total'));
  assert.ok(read('deliveries_total') > 0);
  assert.equal(read('waived_total', 'g1', 'slow_consumer'), sizes.sleepers);
  assert.ok(read('waived_total', 'g1', 'except') > 0);
  assert.ok(read('discarded_frames_total', 'g1', 'slow_consumer') > 0);
  assert.equal(read('events_missing_total'), 0);
  for (const client of [...readers, ...sleepers])
    client.close();
}));
