// What was answered 202 outlives the publisher's process: it is killed under load, goes on
// in its epoch, and nobody is told anything. Repeated ids are known after it.
import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { check, describe } from '../chaos/lib/check.mjs';
import { crowd, History, publish_retried } from '../chaos/lib/crowd.mjs';
import { Fleet, Process } from '../chaos/lib/fleet.mjs';
import { insist } from '../chaos/lib/keep.mjs';
import { with_sidecast } from './lib/sidecast.mjs';
import { bound, sleep, until } from './lib/wait.mjs';

const told = (history, who, op) => history.records.filter((r) => r.who === who && r.op === op);

async function publish_through_kills(fleet, history, { events, kills, rooms }) {
  const open = [];
  let is_over = false;
  const killing = (async () => {
    for (let i = 0; i < kills; i++) {
      await sleep(150 + (i * 97) % 200);
      await fleet.publisher_process.kill();
      fleet.publisher_process.start();
      await fleet.until_ready();
    }
    is_over = true;
  })();
  for (let n = 0; n < events || !is_over; n++) {
    open.push(publish_retried(fleet, history, `r:${n % rooms}`, `p${n}`));
    await sleep(5);
  }
  await killing;
  await Promise.all(open);
  return open.length;
}

async function run(t, options, judge) {
  const history = new History();
  const fleet = await Fleet.start({ proxied: false, ...options });
  try {
    const members = await crowd(fleet, history, { clients: 10, rooms: 5 });
    const count = await publish_through_kills(fleet, history, { events: 300, kills: 3, rooms: 5 });
    const received = () => history.records.filter((r) => r.op === 'recv').length;
    for (let before = -1; before !== received();) {
      before = received();
      await sleep(1000); // a gateway may be deaf that long when its publisher has died
    }
    const verdict = check(history.records);
    t.diagnostic(`${count} events: ${describe(verdict)}`);
    await judge({ fleet, history, verdict, members });
    members.forEach((member) => member.close());
    await fleet.stop();
  } catch (error) {
    console.error(fleet.logs());
    await fleet.kill();
    throw error;
  }
}

test('a killed publisher loses and doubles nothing, and no client hears of it [websocket native]', (t) =>
  run(t, {}, async ({ history, verdict, members }) => {
    insist('34_durable_log', { history, verdict });
    for (const { who } of members) {
      assert.equal(told(history, who, 'resync').length, 0, who);
      assert.equal(told(history, who, 'disconnect').length, 0, who);
    }
  }));

test('the switch no-idempotency doubles, and the checker sees it', async (t) => {
  const history = new History();
  const fleet = await Fleet.start({ proxied: false, publisher_hooks: ['no-idempotency'] });
  try {
    const members = await crowd(fleet, history, { clients: 4, rooms: 2 });
    const body = { event: 'e', room: 'r:0', id: 'twice', data: { id: 'twice' } };
    history.add('publisher', 'publish', { phase: 'invoke', room: 'r:0', id: 'twice' });
    const first = await fleet.api.publish(body);
    const second = await fleet.api.publish(body);
    history.add('publisher', 'publish', { phase: 'ok', room: 'r:0', id: 'twice', position: second.json.position });
    assert.notEqual(first.json.position, second.json.position);
    await until(() => history.records.filter((r) => r.op === 'recv').length >= 4, bound(1000));
    assert.ok(check(history.records).faults.length > 0);
    members.forEach((member) => member.close());
    t.diagnostic(describe(check(history.records)));
    await fleet.stop();
  } catch (error) {
    await fleet.kill();
    throw error;
  }
});

test('an answer is the same after a restart, and says what it is worth', with_sidecast(
  {}, async (sidecast) => {
    const body = { event: 'e', room: 'a', id: 'order-1', data: 1 };
    const first = await sidecast.publish(body);
    assert.equal(first.status, 202);
    assert.equal(first.json.durability, 'log');
    const { publisher } = sidecast.pids;
    process.kill(publisher, 'SIGKILL');
    await until(() => !sidecast.children().includes(publisher), bound(2000));
    const again = await until(() => sidecast.publish(body).catch(() => null), bound(2000));
    assert.deepEqual({ ...again.json, duplicate: false }, first.json);
    assert.equal(again.json.duplicate, true);
    const other = await sidecast.publish({ ...body, data: 2 });
    assert.equal(other.json.code, 'E_ID_REUSED');
  }));

for (const durability of ['memory', 'fsync'])
  test(`${durability} is named in each answer`, with_sidecast(
    { set: [`log.durability=${durability}`] }, async (sidecast) => {
      const answer = await sidecast.publish({ event: 'e', room: 'a' });
      assert.equal(answer.json.durability, durability);
      assert.equal(existsSync(path.join(sidecast.folder, 'data/log.db')), durability !== 'memory');
    }));

test('a damaged log is set aside, and the clients are told [native]', async () => {
  const history = new History();
  const fleet = await Fleet.start({ proxied: false });
  try {
    const members = await crowd(fleet, history, { clients: 4, rooms: 2 });
    for (let i = 0; i < 50; i++)
      await publish_retried(fleet, history, 'r:0', `p${i}`);
    await fleet.publisher_process.kill();
    const file = path.join(fleet.folder, 'data/log.db-wal');
    const bytes = readFileSync(file);
    bytes[bytes.length >> 1] ^= 4;
    writeFileSync(file, bytes);
    fleet.publisher_process.start();
    await fleet.until_ready();
    assert.ok(existsSync(path.join(fleet.folder, 'data/log.db.damaged')));
    const natives = members.filter(({ is_native }) => is_native);
    await until(() => natives.every(({ who }) => told(history, who, 'resync').length === 1), bound(2000));
    await publish_retried(fleet, history, 'r:0', 'after');
    members.forEach((member) => member.close());
    await fleet.stop();
  } catch (error) {
    console.error(fleet.logs());
    await fleet.kill();
    throw error;
  }
});

test('a second publisher at the same data_dir is refused', with_sidecast({}, async (sidecast) => {
  const second = new Process(['publisher', '--set', `data_dir=${path.join(sidecast.folder, 'data')}`,
    '--set', `bus.url=ipc://${path.join(sidecast.folder, 'other')}`, '--set', 'publisher.listen=127.0.0.1:0',
    '--set', 'ops.listen=127.0.0.1:0'],
  { ...process.env, SIDECAST_PUBLISHER_API_KEYS: sidecast.key, SIDECAST_AUTH_JWT_HMAC_SECRET: sidecast.secret });
  await until(() => second.exited ?? second.child.exitCode !== null, bound(1000));
  assert.equal(second.child.exitCode, 1);
  assert.match(second.log, /another publisher already uses this data_dir/);
}));
