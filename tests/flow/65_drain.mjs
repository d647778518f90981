// Stops that lose nobody: clients leave one by one, come back to another process or to the next
// start, and have what they missed.
import assert from 'node:assert/strict';
import { copyFileSync, mkdtempSync, readlinkSync, realpathSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { connect, native, native_raw } from './lib/clients.mjs';
import { start_alone, stop_alone } from './lib/gateways.mjs';
import { is_alive, program, start, with_sidecast } from './lib/sidecast.mjs';
import { bound, sleep, until } from './lib/wait.mjs';

const patience_ms = 20_000;
const window_ms = 1200;
const slow = { set: [`drain.window=${window_ms}ms`] };
const reconnection = { reconnection: true, reconnectionDelay: 50, reconnectionDelayMax: 300 };
const numbers = (socket) => socket.received.filter(([name]) => name === 'n').map(([, n]) => n);
const upto = (count) => [...Array(count).keys()];

// Members of room `a`: each keeps what it gets, when it left, and whether it was recovered.
async function gather(sidecast, count) {
  const members = await Promise.all(upto(count).map((i) => connect(sidecast, {
    transports: [i % 2 ? 'polling' : 'websocket'], upgrade: false, rooms: ['a'], ...reconnection,
  })));
  for (const member of members) {
    member.left = [];
    member.returns = [];
    member.on('disconnect', (reason) => member.left.push({ at: performance.now(), reason }));
    member.on('connect', () => member.returns.push(member.recovered));
  }
  return members;
}

// Publishes numbers until it is told; gives how many. What fails is sent once more under its id.
async function publish_numbers(sidecast, is_over, figures = {}) {
  let n = 0;
  for (; !is_over(); n++, await sleep(10)) {
    const body = { event: 'n', room: 'a', data: n, id: `n${n}` };
    let answer = await sidecast.publish(body).catch((error) => ({ text: error.message }));
    if (answer.status !== 202) {
      figures.retries = (figures.retries ?? 0) + 1;
      answer = await sidecast.publish(body);
    }
    assert.equal(answer.status, 202, answer.text);
  }
  return n;
}

async function until_all_have(members, count) {
  await until(() => members.every((member) => numbers(member).length >= count), patience_ms, () =>
    `${count} were published; received: ${members.map((member) => numbers(member).length)}`);
  for (const member of members)
    assert.deepEqual(numbers(member), upto(count));
}

test('a gateway that is stopped sends its clients to the next one, which recovers them [websocket polling]',
  with_sidecast(slow, async (sidecast, t) => {
    const members = await gather(sidecast, 8);
    const [old] = sidecast.pids.gateways;
    let is_over = false;
    const publishing = publish_numbers(sidecast, () => is_over);
    publishing.catch(() => {}); // told below
    await sleep(100);

    process.kill(old, 'SIGTERM');
    const began = performance.now();
    await until(() => members[0].left.length + members[1].left.length > 0 || members.some(({ left }) => left.length), patience_ms);
    const late = await connect(sidecast, { rooms: ['a'], ...reconnection });
    t.diagnostic(`somebody new is in after ${Math.round(performance.now() - began)} ms`);
    assert.ok(is_alive(old), 'it waited for the old one to end');
    await until(() => !is_alive(old), window_ms + bound(1000));
    await until(() => members.every(({ connected, left }) => connected && left.length), patience_ms);
    is_over = true;
    await until_all_have(members, await publishing);

    assert.deepEqual(members.map(({ returns }) => returns), members.map(() => [true]));
    assert.deepEqual([...new Set(members.map(({ left }) => left[0].reason))], ['transport close']);
    const times = members.map(({ left }) => left[0].at - began).sort((a, b) => a - b);
    assert.ok(times[7] - times[0] > window_ms / 2, `they left at ${times.map(Math.round)}`);
    assert.equal(late.connected, true); // it came to the new one
    const [now] = sidecast.children().filter((pid) => pid !== sidecast.pids.publisher);
    assert.notEqual(now, old);
    [late, ...members].forEach((member) => member.close());
  }));

test('who is still on the way in when a gateway is stopped arrives first', with_sidecast(slow, async (sidecast) => {
  const path_of = (sid) => `${sidecast.gateway}/socket.io/?EIO=4&transport=polling${sid ? `&sid=${sid}` : ''}`;
  // A connection each: one that lies idle is closed by who stops, perhaps as a request leaves.
  const text_of = async (url, more) =>
    (await sidecast.request(url, { headers: { connection: 'close' }, ...more })).text;
  const { sid } = JSON.parse((await text_of(path_of())).slice(1));
  const [old] = sidecast.pids.gateways;

  process.kill(old, 'SIGTERM');
  await until(() => sidecast.children().length > 2, patience_ms); // its successor
  await text_of(path_of(sid), { method: 'POST', body: `40${JSON.stringify({ token: sidecast.token })}` });
  assert.match(await text_of(path_of(sid)), /^40\{"sid"/);
  await until(() => !is_alive(old), window_ms + bound(1000));
}));

// The program lies where the test can exchange it.
function with_copy(options, body) {
  const folder = realpathSync(mkdtempSync(path.join(tmpdir(), 'sidecast-program-')));
  const binary = path.join(folder, 'sidecast');
  copyFileSync(program, binary);
  return async (t) => {
    t.after(() => rmSync(folder, { recursive: true }));
    await with_sidecast({ ...options, binary }, (sidecast) => body(Object.assign(sidecast, { binary }), t))(t);
  };
}

test('a rolling restart loses no event and fails no publish twice, and takes the new program [websocket polling]',
  with_copy({ set: ['drain.window=300ms'], args: ['--gateways', '2'] }, async (sidecast, t) => {
    copyFileSync(program, `${sidecast.binary}.new`);
    renameSync(`${sidecast.binary}.new`, sidecast.binary);
    const members = await gather(sidecast, 6);
    const before = sidecast.children();
    const figures = {};
    let is_over = false;
    const publishing = publish_numbers(sidecast, () => is_over, figures);
    publishing.catch(() => {});

    process.kill(sidecast.pids.self, 'SIGUSR2');
    const began = performance.now();
    await until(() => sidecast.log.includes('every child was started anew'), 60_000);
    t.diagnostic(`it took ${Math.round(performance.now() - began)} ms`);
    await until(() => members.every(({ connected, left }) => connected && left.length), patience_ms);
    is_over = true;
    const count = await publishing;
    t.diagnostic(`${count} events, ${figures.retries ?? 0} sent again`);
    await until_all_have(members, count);
    for (const { returns } of members)
      assert.ok(returns.length && returns.every(Boolean), `recovered: ${returns}`);
    assert.deepEqual(sidecast.children().filter((pid) => before.includes(pid)), []);
    assert.equal(sidecast.children().length, before.length);
    for (const pid of sidecast.children())
      assert.equal(readlinkSync(`/proc/${pid}/exe`), sidecast.binary);
    members.forEach((member) => member.close());
  }));

test('while all of it stops, events arrive and nobody waits at the door', async (t) => {
  const sidecast = await start({ ...slow, args: ['--gateways', '2'] });
  t.after(() => sidecast.kill());
  const members = await gather(sidecast, 8);
  members.forEach((member) => member.io.reconnection(false));
  const last = () => members.filter(({ connected }) => connected);

  const stopping = sidecast.stop();
  await until(() => last().length < members.length, patience_ms);
  const refused = await sidecast.request(`${sidecast.gateway}/socket.io/?EIO=4&transport=polling`);
  assert.equal(refused.status, 503);
  assert.ok(refused.headers['retry-after']);
  assert.equal((await sidecast.request(`${sidecast.gateway}/readyz`)).status, 503);
  const there = last();
  assert.equal((await sidecast.publish({ event: 'n', room: 'a', data: 0 })).status, 202);
  await until(() => there.some((member) => numbers(member).length === 1), patience_ms);
  const took = await stopping;
  t.diagnostic(`${Math.round(took)} ms with a window of ${window_ms} ms`);
  assert.ok(took <= window_ms + bound(1000), `took ${took} ms`);
  await until(() => last().length === 0, patience_ms);
  sidecast.forget();
});

// As systemd stops a service, unless KillMode=mixed: the publisher is told too early.
test('when every process is told to stop, events still arrive while clients leave', async (t) => {
  const sidecast = await start(slow);
  t.after(() => sidecast.kill());
  const members = await gather(sidecast, 4);
  members.forEach((member) => member.io.reconnection(false));

  sidecast.children().forEach((pid) => process.kill(pid, 'SIGTERM'));
  const stopping = sidecast.stop();
  const publish = () => sidecast.publish({ event: 'n', room: 'a', data: 0, id: 'once' }).catch(() => ({}));
  await until(async () => (await publish()).status === 202, patience_ms);
  await until(() => members.some((member) => numbers(member).length === 1), patience_ms);
  const took = await stopping;
  assert.ok(took <= window_ms + bound(1000), `took ${took} ms`);
  sidecast.forget();
});

test('a gateway alone says that it is not ready, serves who is there, refuses who comes', with_sidecast({}, async (sidecast, t) => {
  const alone = await start_alone(sidecast, t, 'alone', { set: ['drain.window=3s'] });
  // The oldest leaves first.
  const third = await connect(alone, { transports: ['polling'], rooms: ['a'], ...reconnection });
  const second = await native(alone, { rooms: ['a'] });
  const first = await native(alone, { rooms: ['a'] });
  assert.equal((await sidecast.request(`${alone.gateway}/readyz`)).status, 200);

  alone.signal('SIGTERM');
  const { in: in_ms } = await first.message((m) => m.t === 'drain');
  await second.message((m) => m.t === 'drain');
  assert.ok(in_ms > 0 && in_ms <= 3000, `in ${in_ms} ms`);
  const ready = await sidecast.request(`${alone.gateway}/readyz`);
  assert.deepEqual([ready.status, ready.text], [503, 'not ready']);
  const refused = await sidecast.request(`${alone.gateway}/socket.io/?EIO=4&transport=polling`);
  assert.deepEqual([refused.status, refused.json.code], [503, 'E_DRAINING']);
  const late = native_raw(alone, { query: `?token=${sidecast.token}` });
  await until(() => late.refused, patience_ms);
  assert.equal(late.refused.status, 503);
  const row = (await sidecast.request(`${sidecast.ops}/v1/stats`)).json.gateways.find(({ id }) => id === 'alone');
  assert.equal(row.ready, false);
  await sidecast.publish({ event: 'n', room: 'a', data: 0 });
  await first.message((m) => m.t === 'event');
  await until(() => first.closed && second.closed && !third.connected && alone.exited, patience_ms);
  assert.equal(first.closed.code, 1001);
  assert.deepEqual(alone.exited, { code: 0, signal: null });
  third.close();
}));

test('of gateways that share an address without serve, one stops and nobody is refused [websocket polling]',
  with_sidecast({}, async (sidecast, t) => {
    const set = ['gateway.count=2', `drain.window=${window_ms}ms`];
    const stays = await start_alone(sidecast, t, 'stays', { set });
    const goes = await start_alone(sidecast, t, 'goes', { port: stays.port, set });
    const members = await gather(goes, 8);
    const publish = (n) => sidecast.publish({ event: 'n', room: 'a', data: n });

    await publish(0);
    goes.signal('SIGTERM');
    for (let n = 1; !goes.exited; n++) {
      const late = await connect(goes, { transports: [n % 2 ? 'polling' : 'websocket'] });
      late.close();
      await publish(n);
    }
    assert.deepEqual(goes.exited, { code: 0, signal: null });
    await publish('last');
    await until(() => members.every((member) => numbers(member).includes('last')), patience_ms);
    const [first] = members;
    for (const member of members) {
      assert.deepEqual(numbers(member), numbers(first));
      assert.ok(member.returns.every(Boolean) && member.returns.length <= 1, `recovered: ${member.returns}`);
      member.close();
    }
    assert.ok(members.some(({ returns }) => returns.length));
    await stop_alone(stays);
  }));

test('a gateway that hangs at its end is killed, and the rest ends well', async (t) => {
  const sidecast = await start();
  t.after(() => sidecast.kill());
  const [gateway] = sidecast.pids.gateways;
  const pids = sidecast.children();
  process.kill(gateway, 'SIGSTOP');
  sidecast.child.kill('SIGTERM');
  await until(() => sidecast.exited && !pids.some(is_alive), 7000 + bound(2000));
  assert.deepEqual(sidecast.exited, { code: 1, signal: null });
  assert.match(sidecast.log, /killing a child that does not stop in time child=g1\n/);
  assert.match(sidecast.log, /publisher {2}stopped/);
  sidecast.forget();
});

test('a second signal ends it now', async (t) => {
  const sidecast = await start({ set: ['drain.window=1h'] });
  t.after(() => sidecast.kill());
  const clients = [await native(sidecast), await native(sidecast)];
  sidecast.child.kill('SIGTERM');
  await until(() => clients.some(({ closed }) => closed), patience_ms);
  await sleep(200);
  assert.equal(sidecast.exited, null);
  const pids = sidecast.children();
  sidecast.child.kill('SIGTERM');
  await until(() => sidecast.exited && !pids.some(is_alive), bound(1000));
  assert.deepEqual(sidecast.exited, { code: 143, signal: null });
  sidecast.forget();
});
