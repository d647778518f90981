// One event from curl reaches both kinds of client, through two processes and the bus.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import test from 'node:test';
import WebSocket from 'ws';
import { promisify } from 'node:util';
import { connect, join, native } from './lib/clients.mjs';
import { with_sidecast } from './lib/sidecast.mjs';
import { until } from './lib/wait.mjs';

const run = promisify(execFile);

async function curl(sidecast, event) {
  const { stdout } = await run('curl', ['-sS', `${sidecast.publisher}/broadcast`,
    '-H', `Authorization: Bearer ${sidecast.key}`, '-d', JSON.stringify(event)]);
  return JSON.parse(stdout);
}

test('one event from curl reaches both kinds of client [websocket native]',
  with_sidecast({}, async (sidecast) => {
    const official = await connect(sidecast, { rooms: ['project:7'] });
    const plain = await native(sidecast, { rooms: ['project:7'] });
    const bystander = await connect(sidecast, { rooms: ['project:8'] });

    await sidecast.until_counted();
    const answer = await curl(sidecast, { event: 'saved', room: 'project:7', data: { by: 'ann' } });
    const message = await plain.message((m) => m.t === 'event');
    await until(() => official.received.length, 5000);

    assert.deepEqual(official.received, [['saved', { by: 'ann' }]]);
    // The client may come back: the position goes behind the arguments.
    assert.equal(official._lastOffset, answer.position);
    assert.equal(message.event, 'saved');
    assert.deepEqual(message.data, { by: 'ann' });
    assert.equal(message.room, 'project:7');
    assert.equal(message.id, answer.id);
    assert.equal(message.position, answer.position);
    assert.equal(answer.recipients, 2);
    assert.equal(answer.complete, true);
    assert.equal(answer.duplicate, false);
    assert.deepEqual(answer.rooms, ['project:7']);
    assert.deepEqual(bystander.received, []);

    official.close();
    bystander.close();
    plain.close();
  }));

test('users, everybody and arguments are targets and shapes of their own [websocket native]',
  with_sidecast({}, async (sidecast) => {
    const ann = await connect(sidecast, { token: sidecast.mint({ sub: 'ann' }) });
    const bob = await native(sidecast, { token: sidecast.mint({ sub: 7 }) });

    await curl(sidecast, { event: 'to-ann', user: 'ann', data: 1 });
    await curl(sidecast, { event: 'to-bob', user: 7, args: [1, 'two'] });
    await curl(sidecast, { event: 'to-all', all: true });
    await until(() => ann.received.length === 2 && bob.messages.filter((m) => m.t === 'event').length === 2, 5000);

    assert.deepEqual(ann.received.map((e) => e[0]), ['to-ann', 'to-all']);
    assert.deepEqual(ann.received[0].slice(0, 2), ['to-ann', 1]);
    const [to_bob, to_all] = bob.messages.filter((m) => m.t === 'event');
    assert.deepEqual(to_bob.args, [1, 'two']);
    assert.equal(to_bob.room, undefined);
    assert.equal(to_all.event, 'to-all');
    assert.ok(!('data' in to_all));

    ann.close();
    bob.close();
  }));

test('a repeated id gets the first answer and is delivered once [websocket]',
  with_sidecast({}, async (sidecast) => {
    const official = await connect(sidecast, { rooms: ['a'] });
    const event = { event: 'once', room: 'a', id: 'order-1' };

    const first = await sidecast.publish(event);
    const second = await sidecast.publish(event);
    await sidecast.publish({ event: 'last', room: 'a' });
    await until(() => official.received.some((e) => e[0] === 'last'), 5000);

    assert.equal(first.status, 202);
    assert.equal(first.json.duplicate, false);
    assert.equal(second.status, 202);
    assert.equal(second.json.duplicate, true);
    assert.equal(second.json.position, first.json.position);
    assert.equal(second.headers['idempotency-replayed'], 'true');
    assert.deepEqual(official.received.map((e) => e[0]), ['once', 'last']);
    official.close();
  }));

test('a client joins what its token grants and nothing else [websocket native]',
  with_sidecast({}, async (sidecast) => {
    const token = sidecast.mint({ sub: 'ann', rooms: ['project:*'] });
    const official = await connect(sidecast, { token });
    const plain = await native(sidecast, { token });

    assert.deepEqual(await join(official, 'project:7'), { ok: true, room: 'project:7' });
    for (const room of ['agent:7', 'project', 'project:7:x', 'user:bob']) {
      const answer = await official.timeout(5000).emitWithAck('subscribe', { room });
      assert.equal(answer.ok, false, room);
      assert.equal(answer.error, 'E_FORBIDDEN', room);
    }
    await plain.subscribe('project:7', 1);
    plain.send('{"t":"subscribe","room":"agent:7","n":2}');
    const refusal = await plain.message((m) => m.t === 'ack' && m.n === 2);
    assert.equal(refusal.data.error, 'E_FORBIDDEN');

    const left = await official.timeout(5000).emitWithAck('unsubscribe', { room: 'project:7' });
    assert.equal(left.ok, true);
    const answer = await sidecast.publish({ event: 'x', room: 'project:7' });
    assert.equal(answer.json.recipients, 1);
    official.close();
    plain.close();
  }));

test('a token may come by query, header or subprotocol, and connects at once [native]',
  with_sidecast({}, async (sidecast) => {
    const url = `${sidecast.gateway.replace('http', 'ws')}/ws`;
    const long = sidecast.mint({ sub: 'tester', note: 'x'.repeat(2800) });
    const ways = [sidecast.token, long].flatMap((token) => [
      new WebSocket(`${url}?token=${token}`),
      new WebSocket(url, { headers: { authorization: `Bearer ${token}` } }),
      new WebSocket(url, ['sidecast.v1', `token.${token}`]),
    ]);
    for (const [data] of await Promise.all(ways.map((socket) => once(socket, 'message')))) {
      const message = JSON.parse(data);
      assert.equal(message.t, 'connected');
      assert.equal(message.user, 'tester');
    }
    assert.ok(long.length > 3800);
    assert.deepEqual(ways.map((socket) => socket.protocol), ['', '', 'sidecast.v1', '', '', 'sidecast.v1']);
    ways.forEach((socket) => socket.close());
  }));

test('two gateways on one port: each client gets each event once [websocket native]',
  with_sidecast({ args: ['--gateways', '2'] }, async (sidecast) => {
    const official = await Promise.all(Array.from({ length: 6 }, () => connect(sidecast, { rooms: ['a'] })));
    const plain = await Promise.all(Array.from({ length: 6 }, () => native(sidecast, { rooms: ['a'] })));
    await sidecast.until_counted();
    for (let i = 0; i < 20; i++) {
      const answer = await sidecast.publish({ event: 'e', room: 'a', data: i });
      assert.equal(answer.json.recipients, 12);
    }
    const expected = Array.from({ length: 20 }, (_, i) => i);
    for (const client of plain) {
      await client.message((m) => m.t === 'event' && m.data === 19);
      assert.deepEqual(client.messages.filter((m) => m.t === 'event').map((m) => m.data), expected);
    }
    for (const client of official) {
      await until(() => client.received.length >= 20, 5000);
      assert.deepEqual(client.received.map(([, data]) => data), expected);
    }
    const { json } = await sidecast.request(`${sidecast.ops}/v1/stats`);
    assert.deepEqual(json.gateways.map((gateway) => gateway.id).sort(), ['g1', 'g2']);
  }));
