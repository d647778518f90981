// A gateway with 256 descriptors and 400 clients: the latecomers get 503, those that are in
// notice nothing, no CPU is burnt, and once clients leave others get in. Who is refused in the
// middle of a request takes nothing of the reserve.
import assert from 'node:assert/strict';
import test from 'node:test';
import { native } from './lib/clients.mjs';
import { cpu_ms, with_sidecast } from './lib/sidecast.mjs';
import { bound, sleep, until } from './lib/wait.mjs';
import { Wire } from './lib/wire.mjs';

const few = 256;
const many = 400;

const head = (sidecast) =>
  `GET /ws?token=${sidecast.token} HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
  'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n';

async function connect_all(sidecast, count) {
  const wires = Array.from({ length: count }, () => new Wire(sidecast.gateway));
  await Promise.all(wires.map((wire) => wire.send(head(sidecast))));
  await Promise.all(wires.map((wire) => wire.answered_or_closed(1, bound(2000))));
  return wires;
}

async function cpu_share(pid, ms) {
  const before = cpu_ms(pid);
  await sleep(ms);
  return (cpu_ms(pid) - before) / ms;
}

test('without descriptors latecomers get 503 and nobody else notices [native]',
  with_sidecast({ descriptors: few }, async (sidecast) => {
    const pid = sidecast.pids.gateways[0];
    const early = await native(sidecast, { rooms: ['a'] });
    assert.match(sidecast.log, /fewer descriptors than limits.connections/);

    const wires = await connect_all(sidecast, many);
    const status = (code) => wires.filter((wire) => wire.statuses()[0] === code);
    assert.ok(status(101).length >= few / 4, `${status(101).length} got in`);
    assert.ok(status(503).length >= many - few, `${status(503).length} got 503`);
    assert.equal(status(101).length + status(503).length, many, 'each was told');
    assert.match(status(503)[0].text, /Retry-After: [1-5]\r\n/);

    // Full, with somebody knocking all the time.
    let is_over = false;
    const knocking = (async () => {
      while (!is_over) {
        const wire = new Wire(sidecast.gateway);
        await sleep(20);
        wire.close();
      }
    })();
    const share = await cpu_share(pid, 2000);
    is_over = true;
    await knocking;
    assert.ok(share < bound(0.10), `${Math.round(share * 100)} % of CPU while full`);

    await sidecast.publish({ event: 'still', room: 'a' });
    await early.message((m) => m.t === 'event' && m.event === 'still');
    assert.ok(status(101).every((wire) => !wire.ended), 'a client that was in has been lost');

    status(101).forEach((wire) => wire.close());
    const began = performance.now();
    await until(async () => {
      const [wire] = await connect_all(sidecast, 1);
      wire.close();
      return wire.statuses()[0] === 101;
    }, bound(1000), () => 'nobody gets in although many have left');
    assert.ok(performance.now() - began < bound(1000));
    early.close();
    wires.forEach((wire) => wire.close());
  }));

test('refusals of half read requests leave the reserve to the publisher',
  with_sidecast({ descriptors: few }, async (sidecast) => {
    const wires = [];
    const connect = async (text) => {
      const wire = new Wire(sidecast.publisher);
      wires.push(wire);
      await wire.send(text);
      return wire;
    };
    await Promise.all(Array.from({ length: few }, () => connect('POST /livez HTTP/1.1\r\nHost: h\r\n')));
    await until(() => wires.some((wire) => wire.ended), bound(2000), () => 'the publisher is not full');

    // Bodies that nobody takes, of peers that do not close: their refusals linger.
    wires[0].socket.write('Content-Length: 999999\r\n\r\n');
    await wires[0].answers(1, bound(2000));
    for (let i = 0; i < few / 3; i++) {
      const wire = await connect('POST /nowhere HTTP/1.1\r\nHost: h\r\nContent-Length: 999999\r\n\r\n');
      await wire.answered_or_closed(1, bound(2000));
    }
    await connect('POST /nowhere HTTP/1.1\r\n'); // takes what the last of them had
    await sleep(100);
    const { status } = await sidecast.request(`${sidecast.ops}/livez`);
    assert.equal(status, 200);
    wires.forEach((wire) => wire.close());
  }));
