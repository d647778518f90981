// A poll that is answered while its client leaves: what the answer carried is lost, and the
// session says so by ending, instead of going on with a gap.
import assert from 'node:assert/strict';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { with_sidecast } from './lib/sidecast.mjs';
import { bound, until } from './lib/wait.mjs';
import { Wire } from './lib/wire.mjs';

const conformance = fileURLToPath(new URL('../../examples/conformance/sidecast.yaml', import.meta.url));
const options = { args: ['--config', conformance], set: ['gateway.ping_interval=25s', 'gateway.ping_timeout=20s'] };

const target = (sid) => `/engine.io/?EIO=4&transport=polling${sid ? `&sid=${sid}` : ''}`;

// A session with a packet that waits: the echo of what it said.
async function session_with_packets(sidecast) {
  const handshake = await sidecast.request(sidecast.gateway + target());
  const { sid } = JSON.parse(handshake.text.slice(1));
  const post = await sidecast.request(sidecast.gateway + target(sid), { method: 'POST', body: '4hello' });
  assert.equal(post.text, 'ok');
  return sid;
}

test('who leaves while its poll is answered finds its session over', with_sidecast(options, async (sidecast) => {
  const gateway = sidecast.pids.gateways[0];
  const sid = await session_with_packets(sidecast);

  // The gateway sees the request and its end at once.
  process.kill(gateway, 'SIGSTOP');
  const wire = new Wire(sidecast.gateway);
  try {
    await wire.send(`GET ${target(sid)} HTTP/1.1\r\nHost: h\r\n\r\n`);
    wire.socket.end();
    await until(() => wire.socket.writableFinished, bound(1000));
    wire.close();
  } finally {
    process.kill(gateway, 'SIGCONT');
  }
  const answer = await until(async () => {
    const post = await sidecast.request(sidecast.gateway + target(sid), { method: 'POST', body: '6' });
    return post.status !== 200 && post;
  }, bound(1000), () => 'the session goes on');
  assert.deepEqual(answer.json, { code: 1, message: 'Session ID unknown' });
}));

test('who reads its answer finds its session as it was', with_sidecast(options, async (sidecast) => {
  const sid = await session_with_packets(sidecast);
  const answer = await sidecast.request(sidecast.gateway + target(sid), { headers: { connection: 'close' } });
  assert.equal(answer.text, '4hello');
  const post = await sidecast.request(sidecast.gateway + target(sid), { method: 'POST', body: '4again' });
  assert.equal(post.text, 'ok');
}));
