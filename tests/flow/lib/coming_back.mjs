// Official clients that lose their connection and come back, and what they then have.
import { after } from 'node:test';
import { connect } from './clients.mjs';
import { until } from './wait.mjs';

const patience_ms = 20_000;
export const quick = { reconnection: true, reconnectionDelay: 20, reconnectionDelayMax: 200 };

// A test that has failed leaves clients that come back for ever.
const sockets = [];
after(() => sockets.forEach((socket) => socket.close()));

// A client whose `numbers` are those of the events `n` that it got, in order.
export async function comer(sidecast, options = {}) {
  const socket = await connect(sidecast, { ...quick, ...options });
  sockets.push(socket);
  socket.numbers = [];
  socket.on('n', (n) => socket.numbers.push(n));
  return socket;
}

// Cuts the transport as a bad network does, unheard by the server where it is a WebSocket.
export async function leave(socket) {
  const gone = new Promise((resolve) => { socket.once('disconnect', resolve); });
  socket.io.reconnection(false);
  socket.io.engine.close();
  await gone;
}

// Until it is connected again, at `gateway` where it is another one.
export async function come_back(socket, gateway) {
  const back = new Promise((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('connect_error', () => {}); // it tries again
    setTimeout(() => reject(new Error('it did not come back')), patience_ms).unref();
  });
  if (gateway)
    socket.io.uri = gateway;
  socket.io.reconnection(true);
  socket.connect();
  await back;
}

export const has = (socket, count) => until(() => socket.numbers.length >= count, patience_ms, () =>
  `${socket.numbers.length} of ${count}: ${JSON.stringify(socket.numbers.slice(-5))}`);

export const upto = (count) => [...Array(count).keys()];
