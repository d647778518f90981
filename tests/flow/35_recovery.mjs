// A client that comes back gets what it missed, once and in order, and `recovered` is true
// only then: the unmodified client, over both transports.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connect } from './lib/clients.mjs';
import { with_sidecast } from './lib/sidecast.mjs';
import { until } from './lib/wait.mjs';

const patience_ms = 10_000;
const reconnection = { reconnection: true, reconnectionDelay: 20, reconnectionDelayMax: 100 };

// Cuts the transport, as a bad network does, and holds the client back until `meanwhile` is done.
async function away(socket, meanwhile) {
  const { io } = socket;
  const gone = new Promise((resolve) => socket.once('disconnect', resolve));
  io.reconnection(false);
  io.engine.close();
  await gone;
  await meanwhile();
  io.reconnection(true);
  const back = new Promise((resolve) => socket.once('connect', resolve));
  socket.connect();
  await back;
}

const numbers = (socket) => socket.received.filter(([name]) => name === 'n').map(([, n]) => n);

for (const transport of ['websocket', 'polling']) {
  test(`a client that was away gets what it missed [${transport}]`, with_sidecast({}, async (sidecast) => {
    const socket = await connect(sidecast, { transports: [transport], rooms: ['a', 'b'], ...reconnection });
    const { id } = socket;
    const publish = (n, room = 'a') => sidecast.publish({ event: 'n', room, data: n });

    for (let n = 0; n < 3; n++)
      await publish(n);
    await until(() => numbers(socket).length === 3, patience_ms);
    assert.equal(socket.recovered, false);
    await away(socket, async () => {
      for (let n = 3; n < 50; n++)
        await publish(n, n % 2 ? 'a' : 'b');
    });
    assert.equal(socket.recovered, true);
    assert.equal(socket.id, id);
    await publish(50);
    await until(() => numbers(socket).length >= 51, patience_ms);
    assert.deepEqual(numbers(socket), [...Array(51).keys()]);
    socket.close();
  }));
}
