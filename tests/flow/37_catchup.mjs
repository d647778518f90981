// The past, by time: who is not recovered and says when its last event was gets what came
// since, before anything live, within the bounds of the file; who joins a room gets its
// history where the file says so.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test from 'node:test';
import { connect, native, native_raw } from './lib/clients.mjs';
import { with_sidecast } from './lib/sidecast.mjs';
import { random_from, sleep, until } from './lib/wait.mjs';

const wait_ms = 10_000;

function with_file(text, body, options = {}) {
  return async (t) => {
    const folder = mkdtempSync(path.join(tmpdir(), 'sidecast-catchup-'));
    const file = path.join(folder, 'sidecast.yaml');
    writeFileSync(file, text, { mode: 0o600 });
    try {
      await with_sidecast({ ...options, args: ['-c', file, ...(options.args ?? [])] }, body)(t);
    } finally {
      rmSync(folder, { recursive: true });
    }
  };
}

const plain = `
catchup: {from: "{auth.since}", done: {event: done, payload: "{catchup}"}}
connect: {auto_join: ["p:{claims.programs[]}"]}
namespaces: {/: {recovery: on}}
`;

// Much may come while a client does.
const wide = plain.replace('catchup: {', 'catchup: {per_room: 5000, total: 5000, ');

const member = (sidecast, programs) => sidecast.mint({ sub: `u${programs.join('-')}`, programs, rooms: ['**'] });

async function publish(sidecast, room, n, more = {}) {
  const { status, json } = await sidecast.publish({ event: 'e', room, data: { n, room }, ...more });
  assert.equal(status, 202, JSON.stringify(json));
}

// A client of each kind that asks since when; `got` lists what it hears: the data of an
// event, or the name and data of another.
const kinds = {
  websocket: (sidecast, token, since, more) => official(sidecast, token, since, { transports: ['websocket'], ...more }),
  polling: (sidecast, token, since, more) => official(sidecast, token, since, { transports: ['polling'], ...more }),
  native: async (sidecast, token, since) => {
    const client = native_raw(sidecast);
    await client.opened();
    client.send(JSON.stringify({ t: 'connect', token, ...(since === undefined ? {} : { data: { since } }) }));
    client.hello = await client.message((m) => m.t === 'connected');
    return {
      got: () => client.frames.map((frame) => JSON.parse(frame)).filter(({ t }) => t === 'event')
        .map(({ event, data }) => (event === 'e' ? data : { [event]: data })),
      close: () => client.close(),
    };
  },
};

async function official(sidecast, token, since, options) {
  const socket = await connect(sidecast, { token, auth: { token, ...(since === undefined ? {} : { since }) }, ...options });
  return {
    socket,
    got: () => socket.received.map(([event, data]) => (event === 'e' ? data : { [event]: data })),
    close: () => socket.close(),
  };
}

async function heard(client, count) {
  await until(() => client.got().length >= count, wait_ms, () => `only ${JSON.stringify(client.got())}`);
  return client.got();
}

// When events were accepted: a client that was there.
async function watch(sidecast, rooms) {
  const client = await native(sidecast, { token: member(sidecast, []), rooms });
  client.at = async (n) => (await client.message((m) => m.t === 'event' && m.data.n === n)).at;
  return client;
}

for (const [kind, come] of Object.entries(kinds)) {
  test(`who names the time of its last event gets what came since [${kind}]`, with_file(plain, async (sidecast) => {
    const watcher = await watch(sidecast, ['p:1', 'p:2']);
    for (let n = 0; n < 6; n++) {
      await publish(sidecast, n % 2 ? 'p:1' : 'p:2', n);
      await sleep(3);
    }
    await publish(sidecast, 'p:3', 6);
    const since = await watcher.at(2);
    const of = (...ns) => ns.map((n) => ({ n, room: n % 2 ? 'p:1' : 'p:2' }));
    const full = { done: { count: 4, truncated: false, rooms: [] } };

    const both = await come(sidecast, member(sidecast, [1, 2]), since);
    assert.deepEqual(await heard(both, 5), [...of(2, 3, 4, 5), full]);
    const one = await come(sidecast, member(sidecast, [1]), new Date(since).toISOString());
    assert.deepEqual(await heard(one, 3), [...of(3, 5), { done: { ...full.done, count: 2 } }]);
    const late = await come(sidecast, member(sidecast, [1]), since + 3_600_000);
    assert.deepEqual(await heard(late, 1), [{ done: { ...full.done, count: 0 } }]);
    const fresh = await come(sidecast, member(sidecast, [1]));
    await publish(sidecast, 'p:1', 7);
    assert.deepEqual(await heard(fresh, 1), of(7)); // who does not ask is told nothing
    assert.deepEqual((await heard(both, 6)).at(-1), of(7)[0]);
    [watcher, both, one, late, fresh].forEach((client) => client.close());
  }));

  test(`while events go on, the past comes first and nothing twice [${kind}]`, with_file(wide, async (sidecast) => {
    const watcher = await watch(sidecast, ['p:1']);
    let n = 0;
    let goes_on = true;
    const publishing = (async () => {
      for (; goes_on; n++)
        await publish(sidecast, 'p:1', n);
    })();
    const clients = [];
    for (let i = 0; i < 5; i++) {
      await until(() => n >= 6 * (i + 1), wait_ms);
      const first = n - 4;
      clients.push([await come(sidecast, member(sidecast, [1]), await watcher.at(first)), first]);
    }
    await until(() => n >= 60, wait_ms);
    goes_on = false;
    await publishing;
    for (const [client, first] of clients) {
      await until(() => client.got().some((event) => event.n === n - 1), wait_ms);
      const got = client.got();
      const at = got.findIndex((event) => event.done);
      const numbers = got.filter((event) => !event.done).map((event) => event.n);
      assert.ok(numbers[0] <= first, `asked from ${first} on, got ${numbers[0]} on of ${n}: ${JSON.stringify(got[at])}`);
      assert.deepEqual(numbers, Array.from({ length: numbers.length }, (_, i) => numbers[0] + i));
      assert.ok(at >= first - numbers[0] + 1, `the past comes before ${JSON.stringify(got[at])}`);
      assert.equal(got[at].done.truncated, false);
      client.close();
    }
    watcher.close();
  }));
}

const come = kinds.native;

test('what shares a millisecond with the last event comes, too', with_file(plain, async (sidecast) => {
  const watcher = await watch(sidecast, ['p:1']);
  const numbers = Array.from({ length: 40 }, (_, n) => n);
  await Promise.all(numbers.map((n) => publish(sidecast, 'p:1', n)));
  const all = await until(() => {
    const events = watcher.messages.filter(({ t }) => t === 'event');
    return events.length === 40 && events;
  }, wait_ms);
  for (const { at } of [all[10], all[20], all[39]]) {
    const client = await come(sidecast, member(sidecast, [1]), at);
    await until(() => client.got().some((event) => event.done), wait_ms);
    assert.deepEqual(client.got().filter((event) => !event.done).map(({ n }) => n),
      all.slice(all.findIndex((event) => event.at >= at)).map(({ data }) => data.n));
    client.close();
  }
  watcher.close();
}));

const bounded = (more) => `
catchup: {from: "{auth.since}", per_room: 3, total: 4, ${more} done: {event: done, payload: "{catchup}"}}
connect: {auto_join: ["p:{claims.programs[]}"]}
rooms:
  - {match: "p:9", allow: token, history: {size: 0}}
`;

for (const [order, expected] of [['newest', [5, 7, 8, 9]], ['oldest', [0, 1, 2, 3]]])
  test(`of too many the ${order} come, and what is left out is told`,
    with_file(bounded(`order: ${order},`), async (sidecast) => {
      const watcher = await watch(sidecast, ['p:1', 'p:2', 'p:9']);
      for (const [n, room] of ['p:1', 'p:1', 'p:2', 'p:1', 'p:1', 'p:2', 'p:9', 'p:1', 'p:1', 'p:1'].entries())
        await publish(sidecast, room, n);
      const client = await come(sidecast, member(sidecast, [1, 2, 9]), await watcher.at(0));
      const got = await heard(client, 5);
      assert.deepEqual(got.slice(0, 4).map(({ n }) => n), expected);
      const { done } = got[4];
      assert.deepEqual([done.count, done.truncated, done.rooms.sort()], [4, true, ['p:1', 'p:2', 'p:9']]);
      [watcher, client].forEach((one) => one.close());
    }));

test('events without a history, volatile ones, and those that are too old do not come',
  with_file(bounded('ttl: 1s,'), async (sidecast) => {
    const watcher = await watch(sidecast, ['p:1']);
    await publish(sidecast, 'p:1', 0);
    const since = await watcher.at(0);
    await sleep(1100);
    await publish(sidecast, 'p:1', 1);
    await publish(sidecast, 'p:1', 2, { history: false });
    await publish(sidecast, 'p:1', 3, { volatile: true });
    await watcher.at(3);
    const client = await come(sidecast, member(sidecast, [1]), since);
    assert.deepEqual(await heard(client, 2),
      [{ n: 1, room: 'p:1' }, { done: { count: 1, truncated: true, rooms: ['p:1'] } }]);
    [watcher, client].forEach((one) => one.close());
  }));

test('without a last word of the file, only who lacks events is told', with_file(`
catchup: {from: "{auth.since}", per_room: 2}
connect: {auto_join: ["p:{claims.programs[]}"]}
log: {keep: {events: 10}}
`, async (sidecast) => {
  const watcher = await watch(sidecast, ['p:1', 'p:2']);
  await publish(sidecast, 'p:1', 0);
  const since = await watcher.at(0);
  const whole = await come(sidecast, member(sidecast, [1]), since);
  for (let n = 1; n < 40; n++)
    await publish(sidecast, 'p:2', n);
  await watcher.at(39);
  assert.deepEqual((await heard(whole, 1)), [{ n: 0, room: 'p:1' }]);
  // The log has let go of what the room had; nobody can tell since an unreadable time.
  for (const asked of [since, 'some day']) {
    const client = await come(sidecast, member(sidecast, [1]), asked);
    await until(async () => (await heard(client, 1))[0].catchup?.truncated, wait_ms);
    assert.deepEqual(client.got(), [{ catchup: { count: 0, truncated: true, rooms: ['p:1', ...(asked === since ? [] : ['user:u1', '*'])] } }]
      .map((event) => ({ catchup: { ...event.catchup, rooms: client.got()[0].catchup.rooms } })));
    assert.ok(client.got()[0].catchup.rooms.includes('p:1'));
    client.close();
  }
  [watcher, whole].forEach((one) => one.close());
}));

test('who is recovered gets no past, and no last word', with_file(`${plain}
commands: {whoami: {do: whoami}}
`, async (sidecast) => {
  const token = member(sidecast, [1]);
  const client = await kinds.websocket(sidecast, token, 1, { reconnection: true, reconnectionDelay: 50 });
  await heard(client, 1);
  assert.equal((await client.socket.emitWithAck('whoami')).recovered, false);
  await publish(sidecast, 'p:1', 1);
  await heard(client, 2);
  const gone = new Promise((resolve) => { client.socket.once('disconnect', resolve); });
  client.socket.io.engine.close();
  await gone;
  await publish(sidecast, 'p:1', 2);
  await until(() => client.socket.connected, wait_ms);
  assert.equal(client.socket.recovered, true, sidecast.log);
  assert.equal((await client.socket.emitWithAck('whoami')).recovered, true);
  await publish(sidecast, 'p:1', 3);
  assert.deepEqual((await heard(client, 4)).slice(1), [1, 2, 3].map((n) => ({ n, room: 'p:1' })));
  assert.equal(client.got().filter((event) => event.done).length, 1);
  client.close();
}));

test('who joins gets the history of the room where the file says so: after the ack, once', with_file(`
rooms:
  - {match: "h:*", allow: token, history: {size: 3, on_join: on}}
  - {match: "**", allow: token, history: {size: 3}}
connect: {auto_join: ["h:own"]}
`, async (sidecast) => {
  for (let n = 0; n < 5; n++)
    for (const room of ['h:1', 'h:2', 'h:own', 'other'])
      await publish(sidecast, room, n);
  const of = (room, ...ns) => ns.map((n) => ({ n, room }));
  const client = await kinds.websocket(sidecast, sidecast.token);
  assert.deepEqual(await heard(client, 3), of('h:own', 2, 3, 4));
  // Both at once, and one again: in the order of the joins.
  const order = [];
  client.socket.onAny((event, { room }) => order.push(room));
  for (const room of ['h:1', 'h:2', 'h:1', 'other'])
    client.socket.emit('subscribe', { room }, () => order.push(`ack ${room}`));
  assert.deepEqual((await heard(client, 9)).slice(3), [...of('h:1', 2, 3, 4), ...of('h:2', 2, 3, 4)]);
  assert.ok(order.indexOf('ack h:1') < order.indexOf('h:1') && order.indexOf('ack h:2') < order.indexOf('h:2'));
  await publish(sidecast, 'h:1', 9);
  assert.deepEqual((await heard(client, 10)).at(-1), of('h:1', 9)[0]);
  client.close();
}));

test('what clients said is past like any other: on a join, and by time', with_file(`
catchup: {from: "{auth.since}", done: {event: done, payload: "{catchup}"}}
rooms: [{match: "c:*", allow: any, history: {size: 10, on_join: on}}]
commands:
  subscribe: {do: join, room: "{args.0.room}"}
  say: {do: relay, room: "{args.0.room}", as: e, except_self: false}
connect: {auto_join: ["c:{claims.own}"]}
`, async (sidecast) => {
  const said = { room: 'c:1', n: 7 };
  const client = (own) => sidecast.mint({ sub: `u${own}`, own });
  const ada = await kinds.websocket(sidecast, client(1));
  assert.equal((await ada.socket.emitWithAck('say', said)).ok, true);
  const bob = await kinds.websocket(sidecast, client(2));
  bob.socket.emit('subscribe', { room: 'c:1' });
  assert.deepEqual((await heard(bob, 1)).at(0), said);
  const eve = await kinds.websocket(sidecast, client(1), 1);
  assert.deepEqual((await heard(eve, 2))[0], said);
  for (const one of [ada, bob, eve])
    one.close();
}));

test('who leaves in the middle of it leaves nothing behind, and disturbs nobody', with_file(`
catchup: {from: "{auth.since}", done: {event: done, payload: "{catchup}"}}
connect: {auto_join: ["h:own"]}
namespaces: {/: {recovery: on}}
rooms: [{match: "**", allow: token, history: {size: 50, on_join: on}}]
`, async (sidecast) => {
  for (let n = 0; n < 60; n++)
    await publish(sidecast, 'h:own', n, { data: { n, room: 'h:own', fat: 'x'.repeat(3000) } });
  const honest = await come(sidecast, sidecast.token, 1);
  await heard(honest, 51);
  const random = random_from(7);
  const strangers = Array.from({ length: 150 }, async (_, i) => {
    await sleep(random(1500));
    const client = native_raw(sidecast);
    await client.opened();
    client.send(JSON.stringify({ t: 'connect', token: sidecast.token, ...(i % 2 ? { data: { since: 1 } } : {}) }));
    if (i % 3)
      await client.message((m) => m.t === 'connected');
    for (let n = 0; i % 3 && n < 3; n++)
      client.send(JSON.stringify({ t: 'subscribe', room: `h:${n ? random(5) : 'own'}` }));
    await sleep(random(12));
    client.close();
  });
  let n = 60;
  for (; n < 160; n++) {
    await publish(sidecast, 'h:own', n);
    await sleep(10);
  }
  await Promise.all(strangers);
  await heard(honest, 151);
  assert.deepEqual(honest.got().slice(51).map((event) => event.n), Array.from({ length: 100 }, (_, i) => i + 60));
  honest.close();
  await until(async () => (await sidecast.request(`${sidecast.ops}/v1/stats`)).json.connections === 0, wait_ms);
}));
