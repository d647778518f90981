// Unmodified clients, each over polling, over WebSocket and over the upgrade between them: with
// one gateway, and with three that share the port and no proxy that keeps a client with one.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import http from 'node:http';
import path from 'node:path';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { io } from 'socket.io-client';
import { io as io_4_4 } from 'socket.io-client-4.4';
import { io as io_4_0 } from 'socket.io-client-4.0';
import { io as io_3_1 } from 'socket.io-client-3.1';
import io_2_5 from 'socket.io-client-2.5';
import { is_reference, with_conformance } from './lib/conformance.mjs';
import { run_application, transports, while_talking } from './lib/official_clients.mjs';
import { bound, until } from './lib/wait.mjs';

const versions = { '3.1': io_3_1, '4.0': io_4_0, '4.4': io_4_4, '4.8': io };
const python = '/usr/bin/python3'; // Debian's, which has Debian's packages
const script = path.join(path.dirname(fileURLToPath(import.meta.url)), 'lib/python_client.py');

function run_python(gateway, transport) {
  return new Promise((resolve, reject) => {
    execFile(python, [script, gateway, transport], { timeout: 60_000 }, (error, out, err) =>
      (error ? reject(new Error(`${error.message}\n${err.slice(-3000)}`)) : resolve()));
  });
}

// Name of each client and what runs it.
function clients(gateway) {
  const official = Object.entries(versions).flatMap(([version, connect]) => Object.keys(transports).flatMap((transport) => [
    [`socket.io-client ${version} [${transport}]`, () => run_application(connect, gateway, { transport })],
  ]));
  const kept = Object.keys(transports).map((transport) => [`socket.io-client 4.8 with an agent that keeps connections [${transport}]`,
    () => run_application(io, gateway, { transport, agent: new http.Agent({ keepAlive: true, maxSockets: 2 }) })]);
  const others = Object.keys(transports).map((transport) => [`python3-socketio [${transport}]`, () => run_python(gateway, transport)]);
  return [...official, ...kept, ...others];
}

async function run_all(gateway) {
  const failures = [];
  await while_talking(io, gateway, () => Promise.all(clients(gateway).map(async ([name, run]) => {
    try {
      await run();
    } catch (error) {
      failures.push(`${name}: ${error.stack.slice(0, 2000)}`);
    }
  })));
  assert.equal(failures.length, 0, `${failures.length} clients:\n${failures.join('\n')}`);
}

test('real clients find all that they know [one gateway]', with_conformance('calm', (sidecast) => run_all(sidecast.gateway)));
test('real clients find all that they know [three gateways]', with_conformance('calm', (sidecast) => run_all(sidecast.gateway),
  { args: ['--gateways', '3'] }));

function refusal_of_old(gateway, options) {
  const socket = io_2_5(gateway, { forceNew: true, reconnection: false, ...options });
  return new Promise((resolve) => socket.on('connect_error', (error) => {
    socket.close();
    resolve(error);
  }));
}

test('socket.io-client 2.5 is refused, and the log says what helps', with_conformance('calm', async (sidecast) => {
  const by_polling = await refusal_of_old(sidecast.gateway, { transports: ['polling'] });
  assert.deepEqual([by_polling.message, by_polling.description], ['xhr poll error', 400]);
  const by_websocket = await refusal_of_old(sidecast.gateway, { transports: ['websocket'] });
  assert.equal(by_websocket.message, 'websocket error');
  if (!is_reference)
    await until(() => /socket\.io-client 3 or later/.test(sidecast.log), bound(1000), () => sidecast.log);
}));
