// Acknowledged = delivered once, in order; also when the gateway is stopped in the middle
// and the bus has lost what it could not hold. The check itself is shown to notice loss.
import assert from 'node:assert/strict';
import test from 'node:test';
import { connect, native } from './lib/clients.mjs';
import { with_sidecast } from './lib/sidecast.mjs';
import { sleep, until } from './lib/wait.mjs';

const lanes = 16;
const padding = 'x'.repeat(400);
const deep_outbox = ['limits.outbox=64MiB', 'limits.outbox_frames=1000000'];

// Each lane posts its next event when the one before is acknowledged. `halfway` runs
// beside them once half of the events are out; it can look how many there are. Gives the
// number that was published.
async function publish_on_lanes(sidecast, total, halfway) {
  let published = 0;
  let interruption = null;
  const count = () => published;

  const lane = async (number) => {
    for (let n = 0; n < total / lanes; n++) {
      const answer = await sidecast.publish(
        `{"event":"e","room":"r","data":{"lane":${number},"n":${n},"padding":"${padding}"}}`);
      assert.equal(answer.status, 202, answer.text);
      published++;
      if (!interruption && published >= total / 2)
        interruption = halfway(count);
    }
  };
  await Promise.all(Array.from({ length: lanes }, (_, number) => lane(number)));
  await interruption;
  return published;
}

// Each client keeps the events as numbers: lane and place in it.
const code = ({ lane, n }) => lane * 1_000_000 + n;

async function join_clients(sidecast, count) {
  const clients = [];
  for (let i = 0; i < count; i++) {
    const seen = [];
    const name = `${i % 2 ? 'native' : 'socket.io'} client ${i}`;
    if (i % 2) {
      const client = await native(sidecast, { rooms: ['r'] });
      client.take = (data) => {
        const message = JSON.parse(data);
        if (message.t === 'event')
          seen.push(code(message.data));
      };
      clients.push({ name, seen, close: () => client.close() });
    } else {
      const client = await connect(sidecast, { rooms: ['r'] });
      client.offAny();
      client.on('e', (data) => seen.push(code(data)));
      clients.push({ name, seen, close: () => client.close() });
    }
  }
  return clients;
}

// Throws unless every client saw all of `total` events, each once, each lane in its order,
// and all clients saw one and the same order.
function check_history(clients, total) {
  const model = clients[0].seen;

  for (const { name, seen } of clients) {
    const next = new Array(lanes).fill(0);
    assert.equal(seen.length, total, `${name} saw ${seen.length} of ${total} events`);
    for (const [at, event] of seen.entries()) {
      const lane = Math.floor(event / 1_000_000);
      assert.equal(event % 1_000_000, next[lane]++, `${name}: lane ${lane} at event ${at}`);
      assert.equal(event, model[at], `${name} and ${clients[0].name} differ at event ${at}`);
    }
  }
}

// Waits until all have all, or nothing more comes for a while.
async function settle(clients, total, quiet_ms) {
  const sum = () => clients.reduce((all, { seen }) => all + seen.length, 0);
  for (let before = -1; sum() < total * clients.length && sum() !== before;) {
    before = sum();
    await until(() => sum() !== before, quiet_ms).catch(() => {});
  }
}

// Stops the gateway for a second at least, and until more has been published than the bus
// can hold: it has lost some of it then, however slow this machine is. A slow one sends
// each event in a frame of its own, so fewer will do; and after 10 s it would be replaced.
const beyond_the_bus = 8000;
const longest_ms = 7000;

async function stop_gateway(sidecast, published) {
  const [gateway] = sidecast.pids.gateways;
  const before = published();
  process.kill(gateway, 'SIGSTOP');
  await sleep(1000);
  await until(() => published() >= before + beyond_the_bus, longest_ms - 1000).catch(() => {});
  process.kill(gateway, 'SIGCONT');
}

function scenario({ clients: count, total, stops = false }, judge) {
  return async (sidecast, t) => {
    const clients = await join_clients(sidecast, count);
    const began = performance.now();

    const published = await publish_on_lanes(sidecast, total, (so_far) =>
      stops ? stop_gateway(sidecast, so_far) : null);
    const accepted = performance.now();
    await settle(clients, published, 5000);
    t.diagnostic(`${published} events accepted in ${Math.round(accepted - began)} ms, ` +
      `at ${count} clients ${Math.round(performance.now() - accepted)} ms later`);
    judge(clients, published);
    clients.forEach((client) => client.close());
  };
}

const all_is_well = (clients, total) => check_history(clients, total);
const loss_is_noticed = (clients, total) =>
  assert.throws(() => check_history(clients, total), /saw \d+ of|lane \d+ at event/);

test('20,000 events reach 50 clients once and in order, the gateway stopped for 1 s [websocket native]',
  with_sidecast({ set: deep_outbox },
    scenario({ clients: 50, total: 20_000, stops: true }, all_is_well)));

test('without replay the same stop is a loss, and is noticed [websocket native]',
  with_sidecast({ set: deep_outbox, hooks: ['no-replay'] },
    scenario({ clients: 4, total: 20_000, stops: true }, loss_is_noticed)));

test('dropped bus frames are replayed [websocket native]',
  with_sidecast({ set: deep_outbox, hooks: ['drop-frame=20'] },
    scenario({ clients: 4, total: 3200 }, all_is_well)));

test('without replay dropped bus frames are a loss, and are noticed [websocket native]',
  with_sidecast({ set: deep_outbox, hooks: ['drop-frame=20', 'no-replay'] },
    scenario({ clients: 4, total: 3200 }, loss_is_noticed)));
