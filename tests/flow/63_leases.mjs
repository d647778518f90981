// Leases and fencing: a gateway that stands still is given up after 10 s and taken back when
// it goes on; a supervised one is replaced; of two under one id the later start stays.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { describe, test } from 'node:test';
import { native } from './lib/clients.mjs';
import { counted, ended, gateway_row, pid_of, start_alone, stop_alone, until_counted } from './lib/gateways.mjs';
import { is_alive, program, with_sidecast } from './lib/sidecast.mjs';
import { bound, sleep, until } from './lib/wait.mjs';

const lease_ms = 10_000;
const silent_ms = 3000;

const data_of = (client) => client.messages.filter((m) => m.event === 'e').map((m) => m.data);

async function natives(sidecast, count, room) {
  const clients = [];
  for (let i = 0; i < count; i++)
    clients.push(await native(sidecast, { rooms: [room] }));
  return clients;
}

// They wait for the same 10 s.
describe('a gateway that stands still', { concurrency: true }, () => {
  test('alone: is not complete, then given up, then taken back with its clients [native]',
    with_sidecast({ args: ['--gateways', '1'] }, async (sidecast, t) => {
      const alone = await start_alone(sidecast, t, 'g2');
      const here = await natives(sidecast, 2, 'r');
      const there = await natives(alone, 3, 'r');
      await until_counted(sidecast, 'r', 5, 5000);

      alone.signal('SIGSTOP');
      const began = performance.now();
      await until(async () => !(await counted(sidecast, 'r')).complete, silent_ms + bound(1000));
      assert.ok(performance.now() - began >= silent_ms - 1100, 'given up too early');
      assert.deepEqual(await counted(sidecast, 'r'), { recipients: 5, complete: false });
      assert.equal((await gateway_row(sidecast, 'g2')).ready, false);
      for (let n = 0; n < 5; n++)
        await sidecast.publish({ event: 'e', room: 'r', data: n });

      await until_counted(sidecast, 'r', 2, lease_ms + bound(1000));
      const given_up_ms = performance.now() - began;
      assert.ok(given_up_ms >= lease_ms - 1100, `given up after ${given_up_ms} ms`);
      assert.equal(await gateway_row(sidecast, 'g2'), undefined);

      alone.signal('SIGCONT');
      await until_counted(sidecast, 'r', 5, bound(1500));
      await sidecast.publish({ event: 'e', room: 'r', data: 5 });
      for (const client of [...here, ...there]) {
        await until(() => data_of(client).length >= 6, 5000);
        assert.deepEqual(data_of(client), [0, 1, 2, 3, 4, 5]);
        assert.equal(client.closed, null);
      }
      t.diagnostic(`given up after ${Math.round(given_up_ms)} ms`);
      [...here, ...there].forEach((client) => client.close());
      await stop_alone(alone);
    }));

  // The publisher answers while the gateway stands still: that answer is read when it goes on,
  // and not the one to the request that it sends again by then, from which it is met anew.
  test('in the midst of a question: the same [native]',
    with_sidecast({ args: ['--gateways', '1'] }, async (sidecast, t) => {
      const alone = await start_alone(sidecast, t, 'g2');
      const there = await natives(alone, 3, 'r');
      await until_counted(sidecast, 'r', 3, 5000);

      process.kill(sidecast.pids.publisher, 'SIGSTOP');
      await sleep(1200); // a lease is renewed each second
      alone.signal('SIGSTOP');
      process.kill(sidecast.pids.publisher, 'SIGCONT');
      await until_counted(sidecast, 'r', 0, lease_ms + bound(1000));
      alone.signal('SIGCONT');
      await until_counted(sidecast, 'r', 3, bound(1500));
      there.forEach((client) => client.close());
      await stop_alone(alone);
    }));

  test('under serve: is killed and replaced, the other one undisturbed [native]',
    with_sidecast({ args: ['--gateways', '2'] }, async (sidecast, t) => {
      const [silent, other] = sidecast.pids.gateways;
      process.kill(silent, 'SIGSTOP');
      const began = performance.now();
      await until(() => !is_alive(silent), lease_ms + bound(1000));
      const killed_ms = performance.now() - began;
      t.diagnostic(`killed after ${Math.round(killed_ms)} ms`);
      assert.ok(killed_ms >= lease_ms - 1100, `killed after ${killed_ms} ms`);
      const successor = await until(async () => {
        const pid = await pid_of(sidecast, 'g1');
        return pid !== silent && pid;
      }, bound(2000));
      assert.ok(is_alive(successor) && is_alive(other));
      const clients = await natives(sidecast, 8, 'r');
      await until_counted(sidecast, 'r', 8, 5000);
      clients.forEach((client) => client.close());
    }));

  test('and was replaced by hand: ends when it goes on [native]',
    with_sidecast({ args: ['--gateways', '1'] }, async (sidecast, t) => {
      const stale = await start_alone(sidecast, t, 'g2');
      const [client] = await natives(stale, 1, 'r');
      stale.signal('SIGSTOP');
      const later = await start_alone(sidecast, t, 'g2');
      await natives(later, 2, 'r');
      await until_counted(sidecast, 'r', 2, bound(1000));
      stale.signal('SIGCONT');
      await assert_fenced(stale, client);
      assert.deepEqual(await counted(sidecast, 'r'), { recipients: 2, complete: true });
      await stop_alone(later);
    }));

  // With its supervisor, which would replace it. The directory counts the time in which it
  // could listen.
  test('or its publisher does: nobody is given up [native]',
    with_sidecast({ args: ['--gateways', '2'] }, async (sidecast) => {
      const { self, publisher, gateways } = sidecast.pids;
      const clients = await natives(sidecast, 6, 'r');
      await until_counted(sidecast, 'r', 6, 5000);
      [self, publisher].forEach((pid) => process.kill(pid, 'SIGSTOP'));
      await sleep(lease_ms + 1500);
      [publisher, self].forEach((pid) => process.kill(pid, 'SIGCONT'));
      for (let i = 0; i < 15; i++, await sleep(100))
        assert.deepEqual(await counted(sidecast, 'r'), { recipients: 6, complete: true });
      assert.ok(clients.every((client) => !client.closed), 'a client was disconnected');
      assert.ok([publisher, ...gateways].every(is_alive), 'a child was replaced');
      clients.forEach((client) => client.close());
    }));
});

async function assert_fenced(gateway, client) {
  await until(() => gateway.exited && client.closed, bound(2000));
  assert.deepEqual(gateway.exited, { code: 75, signal: null });
  assert.match(gateway.log, /another gateway began later under this id/);
  assert.equal(client.closed.code, 1001);
}

test('of two gateways under one id the later start stays [native]',
  with_sidecast({ args: ['--gateways', '1'] }, async (sidecast, t) => {
    const first = await start_alone(sidecast, t, 'g2');
    const [client] = await natives(first, 1, 'r');
    await until_counted(sidecast, 'r', 1, 5000);
    const second = await start_alone(sidecast, t, 'g2');
    await assert_fenced(first, client);
    await natives(second, 2, 'r');
    await until_counted(sidecast, 'r', 2, 5000);
    assert.equal(await pid_of(sidecast, 'g2'), second.pid);
    await stop_alone(second);
  }));

test('a second serve on the same bus gives up and disturbs nobody [native]',
  with_sidecast({}, async (sidecast, t) => {
    const [client] = await natives(sidecast, 1, 'r');
    const before = sidecast.children();
    const second = spawn(program, ['serve', '--port', '0', '--set', `bus.url=ipc://${sidecast.folder}/bus`], {
      env: { ...process.env, SIDECAST_PUBLISHER_API_KEYS: sidecast.key, SIDECAST_AUTH_JWT_HMAC_SECRET: sidecast.secret },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let text = '';
    second.stderr.on('data', (data) => { text += data; });
    t.after(() => second.exitCode === null && second.kill('SIGKILL'));
    await until(() => second.exitCode !== null, bound(4000));
    assert.equal(second.exitCode, 1, text);
    assert.match(text, /another publisher already uses this bus.url/);
    assert.doesNotMatch(text, /\bg1\b/);
    assert.deepEqual(sidecast.children(), before);
    assert.equal(client.closed, null);
  }));

// By mistake, beside a sidecast that runs: its supervisor starts the gateway once more, and
// that start is the last.
test('a supervised gateway takes its id back [native]',
  with_sidecast({ args: ['--gateways', '1'] }, async (sidecast, t) => {
    const [supervised] = sidecast.pids.gateways;
    const intruder = await start_alone(sidecast, t, 'g1');
    await ended(supervised);
    await until(() => intruder.exited, bound(2000));
    assert.equal(intruder.exited.code, 75);
    await natives(sidecast, 2, 'r');
    await until_counted(sidecast, 'r', 2, 5000);
    await sleep(300);
    assert.equal(sidecast.log.match(/a child has ended/g).length, 1);
  }));
