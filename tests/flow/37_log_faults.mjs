// What a backend and an operator see when the publisher's process or its disk fails: ids that are
// used again, a log of 64 MiB at a start, a disk that is full and has room again.
// SIDECAST_RETRIES=10000 repeats so many publishes.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import test from 'node:test';
import { Fleet } from '../chaos/lib/fleet.mjs';
import { native } from './lib/clients.mjs';
import { retries } from './lib/settings.mjs';
import { bound, random_from, sleep, until } from './lib/wait.mjs';

const outcome_ms = 30_000;

async function with_fleet(options, body) {
  const fleet = await Fleet.start({ proxied: false, gateways: 1, ...options });
  try {
    await body(fleet);
    await fleet.stop();
  } catch (error) {
    console.error(fleet.logs());
    await fleet.kill();
    throw error;
  }
}

// A client that only counts: `seen` has how often each id came, `order` the ids.
async function listener(fleet, room) {
  const client = await native(fleet.gateways[0], { rooms: [room] });
  const take_whole = client.take.bind(client);
  Object.assign(client, { seen: new Map(), order: [] });
  client.take = (data) => {
    const found = /"data":\{"id":"([^"]*)"/.exec(String(data));
    if (!found) {
      take_whole(data);
      return;
    }
    client.seen.set(found[1], (client.seen.get(found[1]) ?? 0) + 1);
    client.order.push(found[1]);
  };
  return client;
}

const body_of = (id) => JSON.stringify({ event: 'e', room: 'a', id, data: { id } });

// Sends the request and hangs up soon, or when there is an answer (`after_ms` null) that it does
// not look at: nobody knows what became of it.
async function publish_and_vanish(fleet, id, after_ms) {
  const { hostname, port } = new URL(fleet.publisher);
  const body = body_of(id);
  const socket = net.connect(port, hostname);
  socket.on('error', () => {});
  socket.write(`POST /broadcast HTTP/1.1\r\nHost: ${hostname}\r\nAuthorization: Bearer ${fleet.key}\r\n`
    + `Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
  if (after_ms === null)
    await Promise.race([once(socket, 'data'), once(socket, 'close')]).catch(() => {});
  else
    await sleep(after_ms);
  socket.destroy();
}

// Until somebody says what became of it. In flight is not yet an outcome.
const publish_surely = (fleet, id) => until(async () => {
  const answer = await fleet.publish(body_of(id)).catch(() => null);
  return answer && answer.status < 500 && answer.status !== 409 ? answer : null;
}, outcome_ms, () => `no outcome of ${id}`);

test('a publish that nobody knows the outcome of is repeated under its id: none is there twice', (t) =>
  with_fleet({}, async (fleet) => {
    const seed = process.pid;
    const random = random_from(seed);
    const client = await listener(fleet, 'a');
    const positions = new Map();
    let next = 0, known = 0, is_over = false;
    const lane = async () => {
      while (next < retries) {
        const id = `r${next++}`;
        await publish_and_vanish(fleet, id, random(4) ? random(6) : null);
        const { status, json } = await publish_surely(fleet, id);
        assert.equal(status, 202);
        known += json.duplicate;
        positions.set(id, json.position);
      }
    };
    const killing = (async () => {
      for (let i = 0; !is_over || i === 0; i++) {
        await sleep(100 + random(500));
        await fleet.publisher_process.kill();
        fleet.publisher_process.start();
        await fleet.until_ready();
      }
    })();
    await Promise.all(Array.from({ length: 16 }, lane));
    is_over = true;
    await killing;
    await until(() => client.seen.size >= retries, bound(1000), () => `${client.seen.size} of ${retries} came`);
    for (const [id, position] of positions) {
      const again = await publish_surely(fleet, id);
      assert.equal(again.json.position, position, id);
      assert.equal(again.json.duplicate, true, id);
    }
    await sleep(100); // a double would come now
    assert.equal(new Set(positions.values()).size, retries);
    assert.deepEqual([...client.seen].filter(([, count]) => count !== 1), []);
    t.diagnostic(`seed ${seed}: ${retries} repeated, ${known} of them had been published by the first attempt`);
    assert.ok(known > 0, 'no first attempt arrived');
    client.close();
  }));

const cpu_ms = (pid) => {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10;
};

test('a killed publisher with a log of 64 MiB is ready in time, and the gateways have caught up', (t) =>
  with_fleet({}, async (fleet) => {
    const client = await listener(fleet, 'caught:up');
    const filler = JSON.stringify({ event: 'fill', room: 'nobody', data: 'x'.repeat(200_000) });
    for (let sent = 0; sent < 62 << 20; sent += filler.length)
      assert.equal((await fleet.publish(filler)).status, 202);
    await fleet.publisher_process.kill();
    const began = performance.now();
    fleet.publisher_process.start();
    await until(async () => (await fleet.api.request(`${fleet.publisher}/readyz`).catch(() => null))?.status === 200, 20_000);
    const cpu = cpu_ms(fleet.publisher_process.child.pid);
    const ready = performance.now();
    await fleet.publish({ event: 'e', room: 'caught:up', data: { id: 'first' } });
    await until(() => client.seen.has('first'), bound(500));
    t.diagnostic(`ready after ${Math.round(ready - began)} ms, ${cpu} of them computing; caught up ${Math.round(performance.now() - ready)} ms later`);
    // Others use the machine as well: what it took of a processor is what it took.
    assert.ok(cpu <= bound(300), `${cpu} ms`);
    client.close();
  }));

// A mount that only this process and its children see: as root, or as the root of its own users.
function own_mounts() {
  const wrap = [['unshare', '-Urm'], ['unshare', '-m']].find(([command, ...args]) =>
    spawnSync(command, [...args, 'sh', '-c', 'mount -t tmpfs none /tmp']).status === 0);
  assert.ok(wrap, 'no namespace may be made here: see unshare(1)');
  return wrap;
}

test('a full disk refuses, loses nothing that was accepted, and accepts again when it has room', (t) =>
  with_fleet({
    publisher_inside: (data) => {
      mkdirSync(data, { recursive: true, mode: 0o700 });
      return [...own_mounts(), 'sh', '-c', 'mount -t tmpfs -o size=6m,mode=0700 none "$0" && exec "$@"', data];
    },
  }, async (fleet) => {
    const disk = `/proc/${fleet.publisher_process.child.pid}/root${path.join(fleet.folder, 'data')}`;
    const ballast = path.join(disk, 'ballast');
    const client = await listener(fleet, 'a');
    const kept = new Map();
    let next = 0, refused = null;
    writeFileSync(ballast, Buffer.alloc(2 << 20));
    const publish_next = async () => {
      const id = `d${next++}`;
      const answer = await fleet.publish({ event: 'e', room: 'a', id, data: { id, text: 'x'.repeat(20_000) } });
      if (answer.status === 202)
        kept.set(id, answer.json.position);
      return answer;
    };
    for (let i = 0; i < 1000 && !refused; i++) {
      const answer = await publish_next();
      refused = answer.status === 202 ? null : answer;
    }
    assert.equal(refused?.status, 503);
    assert.equal(refused.json.code, 'E_LOG_DOWN');
    assert.ok(refused.headers['retry-after']);
    for (let i = 0; i < 20; i++)
      await publish_next();
    await until(async () => (await publish_next()).status === 503 &&
      (await fleet.api.request(`${fleet.publisher}/readyz`)).status === 503, bound(1000));

    rmSync(ballast);
    const began = performance.now();
    await until(async () => (await publish_next()).status === 202, bound(1000));
    t.diagnostic(`${kept.size} kept; accepted again ${Math.round(performance.now() - began)} ms after there was room`);
    await fleet.until_ready();
    await until(() => client.seen.size >= kept.size, bound(1000), () => `${client.seen.size} of ${kept.size} came`);
    assert.deepEqual(client.order, [...kept.keys()]);
    client.close();
    assert.match(fleet.publisher_process.log, /publishes are refused/);
    assert.match(fleet.publisher_process.log, /can be written again/);
  }));
