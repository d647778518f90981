// A client comes back on another gateway while its old connection is alive, and both go on
// writing: it has one session, where it came back, and no ghost takes that away.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SocketIoText, socketio_text } from './lib/clients.mjs';
import { start_alone, until_counted } from './lib/gateways.mjs';
import { with_sidecast } from './lib/sidecast.mjs';
import { bound, sleep, until } from './lib/wait.mjs';

const races = 12;
const rooms_each = 8;

// The Socket.IO client of `gateway` that comes back with this pid: what it was answered.
async function come_back(sidecast, gateway, { pid, offset }) {
  const client = new SocketIoText(`${gateway.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`);
  await client.opened();
  await client.find((f) => f[0] === 0x30);
  client.send(`40${JSON.stringify({ token: sidecast.token, pid, ...(offset && { offset }) })}`);
  client.hello = JSON.parse(String(await client.find((f) => String(f).startsWith('40'))).slice(2));
  return client;
}

// Joins of rooms that leave at once, whoever answers them.
function write_much(client, name) {
  for (let i = 0; i < rooms_each; i++)
    client.send(`421${i}["subscribe",${JSON.stringify({ room: `${name}:${i}` })}]`);
}

const events = (client, room) =>
  client.frames.map(String).filter((f) => f.startsWith('42["e"') && f.includes(`"${room}"`)).length;

test('of two connections of one client the one that came back stays', with_sidecast({}, async (sidecast, t) => {
  const other = await start_alone(sidecast, t, 'g2');
  const race = async (n) => {
    const room = `race:${n}`;
    const old = await socketio_text(n % 2 ? other : sidecast, { token: sidecast.token, rooms: [room] });
    write_much(old, `old:${n}`);
    const back = await come_back(sidecast, (n % 2 ? sidecast : other).gateway, old.hello);
    assert.equal(back.hello.pid, old.hello.pid, 'not recovered');
    assert.equal(back.hello.sid, old.hello.sid);
    if (!old.closed)
      write_much(old, `late:${n}`);
    write_much(back, `back:${n}`);
    await until(() => old.closed, bound(1500));
    for (let i = 0; i < rooms_each; i++)
      await back.find((f) => String(f).startsWith(`431${i}[{"ok":true`));
    return { room, back };
  };
  const results = await Promise.all([...Array(races).keys()].map(race));
  await sleep(1100); // a lease: nobody takes anything back afterwards
  for (const [n, { room, back }] of results.entries()) {
    await until_counted(sidecast, room, 1, 5000);
    await until_counted(sidecast, `back:${n}:0`, 1, 5000);
    await until_counted(sidecast, `late:${n}:0`, 0, 5000);
    assert.equal((await sidecast.publish({ event: 'e', room, data: room })).status, 202);
    await until(() => events(back, room) > 0, bound(1000));
    assert.equal(events(back, room), 1);
    assert.equal(back.closed, null);
    back.close();
  }
}));
