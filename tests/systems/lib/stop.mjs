// A server of its own for a check that ends it: its gateway is told to stop, and its clients leave
// one by one and come back to the next one.
import assert from 'node:assert/strict';
import { appendFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { connect } from '../../flow/lib/clients.mjs';
import { is_alive } from '../../flow/lib/sidecast.mjs';
import { bound, until } from '../../flow/lib/wait.mjs';
import { copy_system, serve_folder } from './system.mjs';

const window_ms = 1000;
const wait_ms = bound(4000);
const clients = 3;

// `more` is what the system's file says beside; `claims` are a user's. `let_in(socket)` is what a
// client does until it is somebody, at each connection; `tell(world, socket)` has an event sent to it, and
// `is_told(socket)` says whether it came. Gives what each client received.
export async function stop_gateway(world, name, { more = '', claims, namespace = '', let_in, tell, is_told }) {
  const folder = copy_system(name);
  appendFileSync(path.join(folder, 'sidecast.yaml'), more);
  const sidecast = await serve_folder(folder, { set: [`drain.window=${window_ms}ms`] });
  try {
    const there = { gateway: `${sidecast.gateway}${namespace}`, token: sidecast.mint(claims) };
    const sockets = await Promise.all(Array.from({ length: clients }, () => connect(there, {
      transports: [world.transport], upgrade: false, reconnection: true, reconnectionDelay: 50, reconnectionDelayMax: 300,
    })));
    for (const socket of sockets) {
      socket.reasons = [];
      socket.on('disconnect', (reason) => socket.reasons.push(reason));
      socket.closings = [];
      socket.on('server:closing', (...args) => socket.closings.push(args));
      socket.on('connect', () => let_in?.(socket, sidecast));
      let_in?.(socket, sidecast);
    }
    await leave(sidecast, sockets);
    // Who must say again who it is begins anew.
    assert.deepEqual(sockets.map(({ recovered }) => Boolean(recovered)), sockets.map(() => !let_in));
    for (const socket of sockets) {
      socket.received.length = 0;
      await until(async () => {
        await tell({ folder, sidecast, socket });
        return is_told(socket);
      }, wait_ms, () => `not told: ${JSON.stringify(socket.received)}`);
      socket.close();
    }
    await sidecast.stop();
    return sockets;
  } finally {
    sidecast.kill();
    sidecast.forget();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function leave(sidecast, sockets) {
  const [gateway] = sidecast.pids.gateways;
  process.kill(gateway, 'SIGTERM');
  await until(() => !is_alive(gateway), window_ms + bound(1000));
  await until(() => sockets.every(({ connected, reasons }) => connected && reasons.length), wait_ms, () =>
    `not back: ${JSON.stringify(sockets.map(({ connected, reasons }) => ({ connected, reasons })))}`);
  // A close of the transport: the client returns by itself.
  assert.deepEqual([...new Set(sockets.flatMap(({ reasons }) => reasons))], ['transport close']);
}
