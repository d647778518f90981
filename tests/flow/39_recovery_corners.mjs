// Corners of coming back: exactly what was missed, and never a word more; and where a return
// is not possible, a new session instead of a refusal.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, test } from 'node:test';
import { connect, join } from './lib/clients.mjs';
import { with_sidecast } from './lib/sidecast.mjs';
import { until } from './lib/wait.mjs';

const patience_ms = 10_000;
const reconnection = { reconnection: true, reconnectionDelay: 20, reconnectionDelayMax: 100 };

const folder = mkdtempSync(path.join(tmpdir(), 'sidecast-corners-'));
const config = path.join(folder, 'sidecast.yaml');
writeFileSync(config, `
rooms: [{match: "small:*", allow: any, max_members: 1}, {match: "**", allow: any}]
namespaces: {/news: {}}
commands:
  subscribe: {do: join, room: "{args.0.room}"}
  unsubscribe: {do: leave, room: "{args.0.room}"}
  say: {do: relay, room: "{args.0}", as: n, payload: "{args.1}"}
`);
test.after(() => rmSync(folder, { recursive: true }));
const two = { args: ['--gateways', '2', '--config', config, '--log-level', 'debug'], set: ['log.keep.events=200'] };

// Cuts the transport, and holds the client back until `meanwhile` is done.
async function away(socket, meanwhile, { auth } = {}) {
  const { io } = socket;
  const gone = new Promise((resolve) => socket.once('disconnect', resolve));
  io.reconnection(false);
  io.engine.close();
  await gone;
  await meanwhile();
  if (auth)
    socket.auth = auth;
  const back = new Promise((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('connect_error', reject);
  });
  socket.connect();
  await back;
}

const numbers = (socket) => socket.received.filter(([name]) => name === 'n').map(([, n]) => n);

async function until_heard(socket, wanted) {
  await until(() => numbers(socket).length >= wanted.length, patience_ms, () => `${numbers(socket)} and not ${wanted}`);
  assert.deepEqual(numbers(socket), wanted);
}

const one = (sidecast, options = {}) => connect(sidecast, { ...reconnection, ...options });

describe('a client that comes back', { concurrency: 4 }, () => {
  const corner = (what, body) => test(what, with_sidecast(two, async (sidecast) => {
    const publish = async (n, to = { room: 'a' }) => {
      const answer = await sidecast.publish({ event: 'n', data: n, ...to });
      assert.equal(answer.status, 202, answer.text);
    };
    await body(sidecast, publish);
  }));

  corner('gets an event of two of its rooms once, none that leaves it out, none that is over [websocket]',
    async (sidecast, publish) => {
      const socket = await one(sidecast, { rooms: ['a', 'b', 'left'] });
      await socket.timeout(patience_ms).emitWithAck('unsubscribe', { room: 'left' });
      await publish(0);
      await until_heard(socket, [0]);
      const { id } = socket;
      await away(socket, async () => {
        await publish(1, { rooms: ['a', 'b'] });
        await publish(-1, { room: 'a', except: [id] });
        await publish(-2, { room: 'a', ttl: '1ms' });
        await publish(-3, { room: 'a', volatile: true });
        await publish(-4, { room: 'left' });
        await publish(-5, { room: 'never' });
        await publish(-6, { room: 'a', namespace: '/news' });
        await publish(2, { user: 'tester' });
        await publish(3, { all: true });
        await publish(4, { sockets: [id] });
        await publish(5, { rooms: ['left', 'b'] });
      });
      assert.equal(socket.recovered, true);
      await publish(6);
      await until_heard(socket, [0, 1, 2, 3, 4, 5, 6]);
      socket.close();
    });

  corner('gets nothing from before it joined, however often it was away [websocket]', async (sidecast, publish) => {
    const socket = await one(sidecast, { rooms: ['a'] });
    let n = 0;
    const heard = [];
    for (let round = 0; round < 4; round++) {
      await away(socket, async () => {
        await publish(-1, { room: `late:${round}` });
        await publish(n, { room: 'a' });
        heard.push(n++);
      });
      assert.equal(socket.recovered, true, `round ${round}`);
      await join(socket, `late:${round}`);
      await away(socket, async () => {
        await publish(n, { room: `late:${round}` });
        heard.push(n++);
      });
      assert.equal(socket.recovered, true, `round ${round}, the second time`);
      await until_heard(socket, heard);
    }
    socket.close();
  });

  corner('and finds its room full has a new session, and is not refused [websocket]', async (sidecast, publish) => {
    const socket = await one(sidecast, { rooms: ['a'] });
    const others = [];
    const { id } = socket;
    await join(socket, 'small:1');
    await away(socket, async () => {
      // On both gateways: each counts its own.
      for (let i = 0; i < 12; i++) {
        const other = await connect(sidecast);
        await other.timeout(patience_ms).emitWithAck('subscribe', { room: 'small:1' });
        others.push(other);
      }
    });
    assert.equal(socket.recovered, false);
    assert.notEqual(socket.id, id);
    await join(socket, 'a');
    await publish(1);
    await until_heard(socket, [1]);
    [socket, ...others].forEach((client) => client.close());
  });

  corner('with a token of somebody else takes nothing, and disturbs nobody [websocket]', async (sidecast, publish) => {
    const socket = await one(sidecast, { rooms: ['a'] });
    await publish(0);
    await until_heard(socket, [0]);
    const thief = await one(sidecast, {
      auth: { token: sidecast.mint({ sub: 'thief', rooms: ['**'] }), pid: socket._pid, offset: socket._lastOffset },
    });
    assert.equal(thief.recovered, false);
    assert.notEqual(thief.id, socket.id);
    await publish(1);
    await until_heard(socket, [0, 1]);
    assert.deepEqual(numbers(thief), []);
    await away(socket, () => publish(2));
    assert.equal(socket.recovered, true);
    await until_heard(socket, [0, 1, 2]);
    assert.ok(!sidecast.log.includes(socket._pid), 'the secret of the session is in the log');
    [socket, thief].forEach((client) => client.close());
  });

  corner('is told that what it missed is gone where it is, and only then [websocket]', async (sidecast, publish) => {
    const socket = await one(sidecast, { rooms: ['a'] });
    const quiet = await one(sidecast, { rooms: ['quiet'] });
    const many = async () => {
      for (let i = 0; i < 40; i++)
        await Promise.all(Array.from({ length: 10 }, () => publish(7, { room: 'others' })));
    };
    await publish(0, { room: 'quiet' });
    await publish(0);
    await until_heard(socket, [0]);
    await until_heard(quiet, [0]);
    await away(quiet, async () => {
      await away(socket, async () => {
        await publish(1);
        await many();
        await until(async () => Number((await sidecast.request(`${sidecast.ops}/metrics`)).text
          .match(/^sidecast_log_events(?:\{[^}]*\})? (\d+)$/m)[1]) <= 226, patience_ms);
      });
      // Gone from the log; its gateway may still have it.
      await publish(2);
      await until_heard(socket, socket.recovered ? [0, 1, 2] : [0]);
    });
    assert.equal(quiet.recovered, true, 'others talked, its room was quiet');
    [socket, quiet].forEach((client) => client.close());
  });

  corner('gets a backlog larger than all that may wait for it [polling]', async (sidecast, publish) => {
    const socket = await one(sidecast, { rooms: ['a'], transports: ['polling'] });
    const text = 'x'.repeat(20_000);
    await away(socket, async () => {
      for (let n = 0; n < 150; n++)
        await sidecast.publish({ event: 'n', room: 'a', args: [n, text] });
    });
    assert.equal(socket.recovered, true);
    await publish(150);
    await until_heard(socket, [...Array(151).keys()]);
    socket.close();
  });

  corner('in two namespaces comes back to both [websocket]', async (sidecast, publish) => {
    const socket = await one(sidecast, { rooms: ['a'] });
    const news = socket.io.socket('/news', { auth: socket.auth });
    news.received = [];
    news.onAny((...event) => news.received.push(event));
    await new Promise((resolve) => news.once('connect', resolve));
    await join(news, 'a');
    const back = new Promise((resolve) => news.once('disconnect', () => news.once('connect', resolve)));
    await away(socket, async () => {
      await publish(1);
      await publish(2, { room: 'a', namespace: '/news' });
    });
    await back;
    assert.deepEqual([socket.recovered, news.recovered], [true, true]);
    await until_heard(socket, [1]);
    await until_heard(news, [2]);
    socket.close();
    news.close();
  });

  corner('does not hear its own words [websocket]', async (sidecast, publish) => {
    const socket = await one(sidecast, { rooms: ['a'] });
    const other = await one(sidecast, { rooms: ['a'] });
    socket.emit('say', 'a', -1);
    await until_heard(other, [-1]);
    await away(socket, () => publish(1));
    await until_heard(socket, [1]);
    [socket, other].forEach((client) => client.close());
  });
});
