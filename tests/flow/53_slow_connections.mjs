// 2,000 connections to each listener that take their time (slowhttptest: heads that never end,
// bodies that drip): whoever means well is answered meanwhile, and the slow ones are cut.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import test from 'node:test';
import { with_sidecast } from './lib/sidecast.mjs';
import { bound, sleep } from './lib/wait.mjs';
import { assert_calm, Wire } from './lib/wire.mjs';

const connections = 2000;
const seconds = 15; // it ends when all are cut: the deadlines are 5 s

// Gives how it says that it ended.
function attack(url, mode, bytes) {
  const child = spawn('slowhttptest', [mode, '-c', connections, '-r', connections, '-i', 2, '-l', seconds,
    '-s', bytes, '-p', 5, '-v', 1, '-u', url].map(String), { stdio: ['ignore', 'pipe', 'ignore'] });
  let text = '';
  child.stdout.on('data', (data) => { text += data; });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', () => { // all of its words are read by then
      const plain = text.replaceAll(/\x1b\[[0-9;]*[A-Za-z]/g, '');
      resolve(/Exit status: *([\w ]+)/.exec(plain)?.[1]);
    });
  });
}

async function health_ms(url) {
  const began = performance.now();
  const wire = new Wire(url);
  await wire.send('GET /livez HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n');
  await wire.answers(1, bound(500));
  wire.close();
  assert.equal(wire.statuses()[0], 200, wire.text);
  return performance.now() - began;
}

const descriptors = (pid) => readdirSync(`/proc/${pid}/fd`).length;

// Gives the slowest health answer and the most descriptors of each process until then.
async function watch(listeners, until_done) {
  const most = listeners.map(() => 0);
  let slowest = 0;
  let is_done = false;
  const done = until_done.finally(() => { is_done = true; });
  while (!is_done) {
    for (const [i, [url, pid]] of listeners.entries()) {
      slowest = Math.max(slowest, await health_ms(url));
      most[i] = Math.max(most[i], descriptors(pid));
    }
    await sleep(100);
  }
  return { slowest: Math.round(slowest), most, ends: await done };
}

test('4,000 slow connections keep nobody out, and are cut',
  with_sidecast({}, async (sidecast, t) => {
    const listeners = [[sidecast.publisher, sidecast.pids.publisher],
      [sidecast.gateway, sidecast.pids.gateways[0]]];
    const seen = await watch(listeners, Promise.all([
      attack(`${sidecast.publisher}/broadcast`, '-B', 1000), // bodies that drip
      attack(`${sidecast.gateway}/socket.io/?EIO=4`, '-H', 4000), // heads that never end
    ]));

    t.diagnostic(JSON.stringify(seen));
    assert.ok(seen.most.every((count) => count >= connections / 2), `too few came: ${seen.most}`);
    assert.ok(seen.slowest < bound(500), `a health answer took ${seen.slowest} ms`);
    assert.deepEqual(seen.ends, Array(2).fill('No open connections left'));
    for (const [url, pid] of listeners)
      await assert_calm(url, pid);
  }));
