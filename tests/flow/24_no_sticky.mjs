// Three gateways on one port and no sticky proxy: each request of a polling session lands
// anywhere, over agents that would like to keep their connections, and nobody notices.
import assert from 'node:assert/strict';
import http from 'node:http';
import test from 'node:test';
import { connect } from './lib/clients.mjs';
import { gateway_of, pid_of, stats } from './lib/gateways.mjs';
import { is_alive, random_text, with_sidecast } from './lib/sidecast.mjs';
import { bound, until } from './lib/wait.mjs';

const three = { args: ['--gateways', '3'] };
const per_mode = 8;
const modes = { polling: ['polling'], websocket: ['websocket'], both: ['polling', 'websocket'] };

async function metric(sidecast, name, gateway) {
  const { text } = await sidecast.request(`${sidecast.ops}/metrics`);
  const rows = [...text.matchAll(new RegExp(`^${name}\\{gateway="(\\w+)"\\} (\\d+)$`, 'gm'))];
  return rows.filter(([, id]) => !gateway || id === gateway).reduce((sum, [, , value]) => sum + Number(value), 0);
}

// A client that counts what goes wrong.
async function join_in(sidecast, mode, agent, rooms) {
  const socket = await connect(sidecast, { rooms, agent, transports: modes[mode] });
  const client = { mode, socket, trouble: [], numbers: [] };
  socket.on('e', (n) => client.numbers.push(n));
  socket.on('disconnect', (reason, why) => client.trouble.push(`disconnect ${reason} ${why?.description ?? ''}`));
  socket.io.on('error', (error) => client.trouble.push(`error ${error.message}`));
  socket.io.engine.on('upgradeError', (error) => client.trouble.push(`upgrade ${error.message}`));
  return client;
}

test('every session is served whichever gateway a request comes to [polling, websocket, both]',
  with_sidecast(three, async (sidecast) => {
    const agent = new http.Agent({ keepAlive: true });
    const rooms = ['all:1'];
    const clients = await Promise.all(Object.keys(modes).flatMap((mode) =>
      Array.from({ length: per_mode }, () => join_in(sidecast, mode, agent, rooms))));
    assert.ok(new Set(clients.map(({ socket }) => gateway_of(socket.io.engine.id))).size > 1, 'all are on one gateway');

    // Both directions at once, across the upgrades.
    const total = 100;
    const said = Promise.all(clients.map(async ({ socket }) => {
      for (let n = 0; n < 10; n++)
        assert.deepEqual((await socket.timeout(bound(4000)).emitWithAck('subscribe', { room: rooms[0] })).room, rooms[0]);
    }));
    for (let n = 0; n < total; n++)
      assert.equal((await sidecast.publish({ event: 'e', room: rooms[0], data: n })).status, 202);
    await said;
    await until(() => clients.every(({ numbers }) => numbers.length >= total), bound(3000), () =>
      JSON.stringify(clients.map(({ mode, numbers, trouble }) => [mode, numbers.length, trouble])));
    const wanted = Array.from({ length: total }, (_, n) => n);
    for (const { mode, socket, numbers, trouble } of clients) {
      assert.deepEqual(trouble, [], mode);
      assert.deepEqual(numbers, wanted, mode);
      assert.equal(socket.io.engine.transport.name, mode === 'polling' ? 'polling' : 'websocket');
      socket.close();
    }
    agent.destroy();
    await until(async () => await metric(sidecast, 'sidecast_sockets_passed_total') > 0, bound(1000));
    assert.equal(await metric(sidecast, 'sidecast_sockets_returned_total'), 0);
  }));

const target = (sid) => `/socket.io/?EIO=4&transport=polling&sid=${sid}`;

async function poll(sidecast, sid) {
  const { status, headers, json } = await sidecast.request(`${sidecast.gateway}${target(sid)}`, { method: 'POST', body: '6' });
  assert.equal(headers.connection, 'close');
  return { status, json };
}

const unknown = { status: 400, json: { code: 1, message: 'Session ID unknown' } };

test('sessions that nobody has are unknown, wherever they are asked for', with_sidecast(three, async (sidecast) => {
  // Marks of all three, of nobody, and what is none.
  for (const mark of ['AB', 'AC', 'AD', 'zz', '-_', '//', '..', '%41']) {
    for (let i = 0; i < 6; i++)
      assert.deepEqual(await poll(sidecast, mark + random_text(17).slice(0, 22)), unknown);
  }
  await until(async () => {
    const passed = await metric(sidecast, 'sidecast_sockets_passed_total');
    return passed > 0 && passed === await metric(sidecast, 'sidecast_sockets_received_total');
  }, bound(2000));
}));

test('sessions of a gateway that died are unknown; its successor takes its mark', with_sidecast(three, async (sidecast) => {
  const open = async () => {
    const { text } = await sidecast.request(`${sidecast.gateway}/socket.io/?EIO=4&transport=polling`);
    return JSON.parse(text.slice(1)).sid;
  };
  const open_at_2 = () => until(async () => {
    const sid = await open();
    return gateway_of(sid) === 1 && sid;
  }, bound(2000));
  const at_2 = await open_at_2();
  const pid = await pid_of(sidecast, 'g2');
  process.kill(pid, 'SIGKILL');
  await until(() => !is_alive(pid), bound(1000));
  await until(async () => (await stats(sidecast)).gateways.some(({ id, pid: now, ready }) => id === 'g2' && now !== pid && ready), bound(4000));
  for (let i = 0; i < 9; i++)
    assert.deepEqual(await poll(sidecast, at_2), unknown);

  const next = await open_at_2();
  for (let i = 0; i < 9; i++)
    assert.equal((await poll(sidecast, next)).status, 200);
}));
