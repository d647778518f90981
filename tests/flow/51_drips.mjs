// One byte at a time keeps no connection: each phase has a deadline of its own that bytes do
// not put off. All drips run at once, against both listeners.
import assert from 'node:assert/strict';
import test from 'node:test';
import { with_sidecast } from './lib/sidecast.mjs';
import { sleep } from './lib/wait.mjs';
import { Wire } from './lib/wire.mjs';

const byte_every_ms = 200;
const slack_ms = 5000;
const get = 'GET /livez HTTP/1.1\r\nHost: h\r\n';
const post = (key, field) =>
  `POST /broadcast HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer ${key}\r\n${field}\r\n\r\n`;

// What, what is sent at once, what then drips for ever, and its deadline.
function drips(key) {
  return [
    ['the first head', '', `${get}A: `, 5000],
    ['a body', post(key, 'Content-Length: 10000'), '{', 5000],
    ['the size of a chunk', post(key, 'Transfer-Encoding: chunked'), '1', 5000],
    ['a chunk', `${post(key, 'Transfer-Encoding: chunked')}1000\r\n`, '{', 5000],
    ['the body of a second request', `${get}\r\n${post(key, 'Content-Length: 10000')}`, '{', 5000],
    ['the second head', `${get}\r\n`, `${get}A: `, 30_000],
  ];
}

// The target of its requests.
async function begin_polling(sidecast) {
  const target = '/socket.io/?EIO=4&transport=polling';
  const { text } = await sidecast.request(sidecast.gateway + target);
  return `${target}&sid=${JSON.parse(text.slice(1)).sid}`;
}

async function ms_until_cut(url, at_once, slowly, deadline_ms) {
  const wire = new Wire(url);
  const began = performance.now();
  const elapsed = () => performance.now() - began;

  await wire.send(at_once);
  for (let i = 0; !wire.ended && elapsed() < deadline_ms + 2 * slack_ms; i++) {
    await wire.send(slowly[i] ?? 'x');
    await sleep(byte_every_ms);
  }
  wire.close();
  return elapsed();
}

test('drips are cut at a deadline that their bytes do not put off', { concurrency: true },
  with_sidecast({}, async (sidecast, t) => {
    const all = [['publisher', sidecast.publisher], ['gateway', sidecast.gateway]].flatMap(
      ([name, url]) => drips(sidecast.key).map((drip) => [name, url, ...drip]));

    const session = await begin_polling(sidecast);
    all.push(['gateway', sidecast.gateway, 'a POST of a client that polls',
      `POST ${session} HTTP/1.1\r\nHost: h\r\nContent-Length: 10000\r\n\r\n`, '4', 5000]);
    await Promise.all(all.map(([name, url, what, at_once, slowly, deadline_ms]) =>
      t.test(`${name}: ${what}`, async (t) => {
        const ms = await ms_until_cut(url, at_once, slowly, deadline_ms);
        t.diagnostic(`${Math.round(ms)} ms`);
        assert.ok(ms < deadline_ms + slack_ms, `cut after ${Math.round(ms)} ms`);
      })));
    assert.equal((await sidecast.request(sidecast.gateway + session)).json?.code, 1, 'its session is over');
  }));
