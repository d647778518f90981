// The publisher and the gateways are killed in turn while backends publish and browsers
// connect: nobody is refused, and what was not answered is answered when it is sent again.
// SIDECAST_RESTARTS=100 for the long run.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import net from 'node:net';
import test from 'node:test';
import { native } from './lib/clients.mjs';
import { until_counted } from './lib/gateways.mjs';
import { is_alive, with_sidecast } from './lib/sidecast.mjs';
import { restarts } from './lib/settings.mjs';
import { sleep, until } from './lib/wait.mjs';

const publishes_per_s = 200;
const connects_per_s = 50;
const kill_each_ms = 370;
const roles = [['publisher'], ...['g1', 'g2', 'g3', 'g4'].map((id) => ['gateway', '--id', id])];
const patience_ms = 20_000;

// Calls `start` so many times a second, also when the calls before it are not done; gives
// what they gave once told to stop.
function steadily(per_s, start) {
  const calls = [];
  let is_stopped = false;
  const done = (async () => {
    for (const began = performance.now(); !is_stopped; await sleep(5)) {
      while (calls.length < (performance.now() - began) * per_s / 1000)
        calls.push(start(calls.length));
    }
    return Promise.all(calls);
  })();
  return () => { is_stopped = true; return done; };
}

// One event, sent again under its id until it is accepted: how often, and what came instead.
async function publish_until_kept(sidecast, n, tally) {
  const end = performance.now() + patience_ms;
  const began = performance.now();
  for (;;) {
    const answer = await sidecast.publish({ event: 'e', room: 'r', id: `event-${n}` })
      .catch((error) => ({ status: error.code ?? error.message }));
    tally[answer.status] = (tally[answer.status] ?? 0) + 1;
    if (answer.status === 202)
      return performance.now() - began;
    if (performance.now() > end)
      throw new Error(`event ${n} was not kept; at last: ${answer.status}`);
    await sleep(50);
  }
}

// A close frame behind the answer to the upgrade: its code; none: the process has died.
function how_closed(text) {
  const frame = text.slice(text.indexOf('\r\n\r\n') + 4);
  return frame.charCodeAt(0) === 0x88 ? `closed ${frame.charCodeAt(2) * 256 + frame.charCodeAt(3)}` : 'reset';
}

// A browser that connects and says hello: "open", or what went wrong.
function connect_once(sidecast) {
  const { hostname, port, host } = new URL(sidecast.gateway);
  return new Promise((resolve) => {
    const socket = net.connect({ host: hostname, port });
    const timer = setTimeout(() => end('late'), patience_ms);
    let text = '';
    let is_accepted = false;
    const end = (result) => {
      clearTimeout(timer);
      socket.destroy();
      resolve(result);
    };
    socket.on('connect', () => {
      is_accepted = true;
      socket.write(`GET /ws?token=${sidecast.token} HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade\r\n` +
        'Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n');
    });
    socket.on('data', (data) => {
      text += data.toString('latin1');
      if (text.includes('"t":"connected"'))
        end('open');
    });
    socket.on('close', () => end(text.startsWith('HTTP/1.1 101') ? how_closed(text)
      : text ? text.slice(9, 12) : 'reset'));
    socket.on('error', (error) => end(is_accepted ? 'reset' : error.code));
  });
}

const count = (results) => results.reduce((all, one) => ({ ...all, [one]: (all[one] ?? 0) + 1 }), {});

// The child whose command line ends in the words of `role`, once there is one.
function child_of(sidecast, role) {
  return until(() => sidecast.children().find((pid) => {
    try {
      return is_alive(pid) && readFileSync(`/proc/${pid}/cmdline`, 'utf8').endsWith(`\0${role.join('\0')}\0`);
    } catch {
      return false; // gone
    }
  }), 10_000, () => `no ${role.join(' ')} for 10 s`);
}

async function kill_children(sidecast) {
  let next = performance.now();
  for (let killed = 0; killed < restarts; killed++) {
    process.kill(await child_of(sidecast, roles[killed % roles.length]), 'SIGKILL');
    next = Math.max(next, performance.now() - kill_each_ms) + kill_each_ms;
    await sleep(Math.max(0, next - performance.now()));
  }
}

const ended = (sidecast) => (sidecast.log.match(/a child has ended/g) ?? []).length;

test(`${restarts} killed children: no connection is refused, each event is kept [native]`,
  with_sidecast({ args: ['--gateways', '4'] }, async (sidecast, t) => {
    const answers = {};
    const stop_publishing = steadily(publishes_per_s, (n) => publish_until_kept(sidecast, n, answers));
    const stop_connecting = steadily(connects_per_s, () => connect_once(sidecast));
    await kill_children(sidecast);
    const waits = (await stop_publishing()).sort((a, b) => a - b);
    const connects = count(await stop_connecting());
    t.diagnostic(`${waits.length} events: ${JSON.stringify(answers)}, kept after at most ${Math.round(waits.at(-1))} ms`);
    t.diagnostic(`connects: ${JSON.stringify(connects)}`);

    await until(() => ended(sidecast) === restarts, 5000, () => `${ended(sidecast)} of ${restarts} were killed`);
    assert.equal(answers.ECONNREFUSED, undefined);
    assert.equal(connects.ECONNREFUSED, undefined);
    for (const status of Object.keys(answers))
      assert.match(status, /^(202|503|ECONNRESET|EPIPE|socket hang up)$/);
    // 408: on a machine so slow that the head of a request comes seconds after its connect.
    for (const result of Object.keys(connects))
      assert.match(result, /^(open|reset|408|503|closed 1011)$/);
    assert.ok(connects.open >= 0.5 * Object.values(connects).reduce((a, b) => a + b));

    await until(() => sidecast.children().filter(is_alive).length === roles.length, 5000);
    const clients = await Promise.all(Array.from({ length: 8 }, () => native(sidecast, { rooms: ['last'] })));
    await until_counted(sidecast, 'last', 8, 15_000);
    for (const client of clients)
      await client.message((m) => m.event === 'count', 5000);
    clients.forEach((client) => client.close());
  }));
