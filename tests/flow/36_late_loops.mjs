// A gateway that the machine does not let run: nobody is thrown out for it.
import assert from 'node:assert/strict';
import test from 'node:test';
import { connect, native } from './lib/clients.mjs';
import { read_metrics } from './lib/metrics.mjs';
import { with_sidecast } from './lib/sidecast.mjs';
import { bound, sleep, until } from './lib/wait.mjs';

const ping_ms = { interval: 200, timeout: 800 };
const heartbeat = [`gateway.ping_interval=${ping_ms.interval}ms`, `gateway.ping_timeout=${ping_ms.timeout}ms`];
// Half of the time it stands still, each time for almost half of a client's time to answer.
const still_ms = 350;
const cycles = 4;

test('a gateway that stands still half of the time loses no client',
  with_sidecast({ set: heartbeat }, async (sidecast) => {
    const [pid] = sidecast.pids.gateways;
    const clients = [];
    for (let i = 0; i < 6; i++)
      clients.push(await connect(sidecast, { transports: i % 2 ? ['polling'] : ['websocket'] }));
    const plain = await native(sidecast);
    const gone = [];
    for (const client of clients)
      client.on('disconnect', (reason) => gone.push(reason));
    for (let i = 0; i < cycles; i++) {
      process.kill(pid, 'SIGSTOP');
      await sleep(still_ms);
      process.kill(pid, 'SIGCONT');
      await sleep(still_ms);
    }
    const late_ms = await until(async () =>
      (await read_metrics(sidecast))('loop_late_milliseconds_total'), bound(2000));
    assert.ok(late_ms > 0);
    await sleep(ping_ms.interval + ping_ms.timeout);
    assert.deepEqual(gone, []);
    assert.equal(plain.closed, null);
    assert.equal((await read_metrics(sidecast))('sessions'), clients.length + 1);
    for (const client of [...clients, plain])
      client.close();
  }));

// The time that they are given is what was lost, not more: a dead one is still found.
test('a client that has gone is found all the same', with_sidecast({ set: heartbeat }, async (sidecast) => {
  const [pid] = sidecast.pids.gateways;
  const silent = await native(sidecast);
  silent.socket.pause(); // and so answers no ping
  process.kill(pid, 'SIGSTOP');
  await sleep(2 * ping_ms.timeout);
  process.kill(pid, 'SIGCONT');
  await until(async () => (await read_metrics(sidecast))('sessions') === 0,
    bound(3 * (ping_ms.interval + ping_ms.timeout) + 1000));
  silent.close();
}));

test('a late gateway lets nobody new in, and says so', with_sidecast({
  set: ['limits.lag=100ms', 'limits.handshakes=10000/s'],
}, async (sidecast) => {
  const [pid] = sidecast.pids.gateways;
  const inside = await connect(sidecast);
  const refusal = await until(async () => {
    process.kill(pid, 'SIGSTOP');
    await sleep(300);
    process.kill(pid, 'SIGCONT');
    const answer = await sidecast.request(`${sidecast.gateway}/socket.io/?EIO=4&transport=polling`);
    return answer.status === 503 && answer;
  }, bound(4000));
  assert.match(refusal.headers['retry-after'], /^\d+$/);
  assert.equal(refusal.json.code, 'E_BUSY');
  assert.equal(inside.connected, true);
  await until(async () => {
    const metrics = await read_metrics(sidecast);
    return metrics('handshakes_refused_total') > 0 && metrics('overloaded') === 0;
  }, bound(4000));
  (await connect(sidecast)).close();
  inside.close();
}));
