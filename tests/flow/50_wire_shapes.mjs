// What a stranger may put on a connection: pipelining, malformed heads, aborts, bad frames.
// Against both listeners, as first and as second request. All is answered or closed, and the
// process is alive and calm after it.
import assert from 'node:assert/strict';
import test from 'node:test';
import { native } from './lib/clients.mjs';
import { with_sidecast } from './lib/sidecast.mjs';
import { sleep, until } from './lib/wait.mjs';
import { assert_calm, exchange, Wire } from './lib/wire.mjs';

const get = 'GET /livez HTTP/1.1\r\nHost: h\r\n\r\n';
const head = 'HEAD /livez HTTP/1.1\r\nHost: h\r\n\r\n';
const missing = 'GET /nothing HTTP/1.1\r\nHost: h\r\n\r\n';
const options = 'OPTIONS /livez HTTP/1.1\r\nHost: h\r\n\r\n';
const post = 'POST /broadcast HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n{}';
const chunked = 'POST /broadcast HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n';
const last = 'GET /livez HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n';
const field = (text) => `GET /livez HTTP/1.1\r\nHost: h\r\n${text}\r\n\r\n`;
const upgrade = (text, line = 'GET /ws HTTP/1.1') =>
  `${line}\r\nHost: h\r\nUpgrade: websocket\r\n${text}\r\n\r\n`;
const ws_fields = 'Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==';

const kinds = { get, head, missing, options, post, chunked };

// Each pair of kinds, and longer trains; whole, and cut in the middle of the second.
function pipelining() {
  const shapes = [];
  for (const [a, first] of Object.entries(kinds))
    for (const [b, second] of Object.entries(kinds)) {
      shapes.push([`${a}+${b}`, [first + second], 2]);
      const cut = Math.floor(second.length / 2);
      shapes.push([`${a}+${b} in two parts`, [first + second.slice(0, cut), second.slice(cut)], 2]);
    }
  shapes.push(['get, the body of a post later', [get + post.slice(0, -2), '{}'], 2]);
  shapes.push(['twenty', [get.repeat(10) + post.repeat(10)], 20]);
  shapes.push(['close in the middle', [get + last + get], 2]);
  shapes.push(['byte by byte', [...(get + post)], 2]);
  return shapes;
}

// What, bytes, and the codes that will do for it as a first request.
const malformed = [
  ['no Host', 'GET /livez HTTP/1.1\r\n\r\n', 400],
  ['two Hosts', field('Host: i'), 400],
  ['bare LF', 'GET /livez HTTP/1.1\nHost: h\n\n', 400],
  ['LF in a field', field('A: b\nC: d'), 400],
  ['obs-fold', field('A: b\r\n c'), 400],
  ['blank before the colon', field('A : b'), 400],
  ['no colon', field('nonsense'), 400],
  ['empty field name', field(': b'), 400],
  ['NUL in a field', field('A: b\0c'), 400],
  ['NUL in the target', 'GET /li\0vez HTTP/1.1\r\nHost: h\r\n\r\n', 400],
  ['control byte', field('A: b\x01'), 400],
  ['DEL in the target', 'GET /livez\x7f HTTP/1.1\r\nHost: h\r\n\r\n', 400],
  ['absolute target', 'GET http://h/livez HTTP/1.1\r\nHost: h\r\n\r\n', 400],
  ['asterisk', 'OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n', 400],
  ['authority', 'CONNECT h:80 HTTP/1.1\r\nHost: h\r\n\r\n', 405],
  ['no target', 'GET HTTP/1.1\r\nHost: h\r\n\r\n', 400],
  ['blank in the target', 'GET /li vez HTTP/1.1\r\nHost: h\r\n\r\n', 400],
  ['no version', 'GET /livez\r\nHost: h\r\n\r\n', 400],
  ['HTTP/2.0', 'GET /livez HTTP/2.0\r\nHost: h\r\n\r\n', 400],
  ['HTTP/1.10', 'GET /livez HTTP/1.10\r\nHost: h\r\n\r\n', 400],
  ['unknown method', 'BREW /livez HTTP/1.1\r\nHost: h\r\n\r\n', 405],
  ['small letters', 'get /livez HTTP/1.1\r\nHost: h\r\n\r\n', 405],
  ['TRACE', 'TRACE /livez HTTP/1.1\r\nHost: h\r\n\r\n', 405],
  ['two lengths', `POST /broadcast HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}`, 400],
  ['a list of lengths', 'POST /broadcast HTTP/1.1\r\nHost: h\r\nContent-Length: 2, 2\r\n\r\n{}', 400],
  ['length no number', 'POST /broadcast HTTP/1.1\r\nHost: h\r\nContent-Length: abc\r\n\r\n', 400],
  ['length negative', 'POST /broadcast HTTP/1.1\r\nHost: h\r\nContent-Length: -1\r\n\r\n', 400],
  ['length signed', 'POST /broadcast HTTP/1.1\r\nHost: h\r\nContent-Length: +2\r\n\r\n{}', 400],
  ['length beyond all', 'POST /broadcast HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999999999999999\r\n\r\n', 400],
  ['length and chunked', 'POST /broadcast HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n', 400],
  ['unknown encoding', 'POST /broadcast HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip\r\n\r\n', 501],
  ['encoding twice', 'POST /broadcast HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n', 501],
  ['encoding and its friend', 'POST /broadcast HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n', 501],
  ['200 fields', field(Array.from({ length: 200 }, (_, i) => `A${i}: b`).join('\r\n')), 431],
  ['a head of 10 kB', field(`A: ${'b'.repeat(10_000)}`), 431],
  ['binary', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n', 400],
  ['only line ends', '\r\n\r\n\r\n\r\n', 400],
];

const bad_upgrades = [
  ['no key', upgrade('Connection: Upgrade\r\nSec-WebSocket-Version: 13'), [400]],
  ['short key', upgrade('Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: abc'), [400]],
  ['two keys', upgrade(`${ws_fields}\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==`), [400]],
  ['version 8', upgrade(ws_fields.replace('13', '8')), [426]],
  ['POST', upgrade(ws_fields, 'POST /ws HTTP/1.1'), [400]],
  ['HTTP/1.0', upgrade(ws_fields, 'GET /ws HTTP/1.0'), [400]],
  ['no Connection', upgrade(ws_fields.replace('Connection: Upgrade\r\n', '')), [400]],
  ['a body', upgrade(`${ws_fields}\r\nContent-Length: 2`), [400]],
  ['unknown subprotocol', upgrade(`${ws_fields}\r\nSec-WebSocket-Protocol: chat`), [400]],
  ['unknown path', upgrade(ws_fields, 'GET /nothing HTTP/1.1'), [404]],
  ['no upgrade at all', 'GET /ws HTTP/1.1\r\nHost: h\r\n\r\n', [400, 404, 426]],
  ['h2c', 'GET /livez HTTP/1.1\r\nHost: h\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n', [200]],
];

// Runs `body(url, pid)` against both listeners, and expects calm after each.
function on_both(body) {
  return with_sidecast({}, async (sidecast, t) => {
    const listeners = [['publisher', sidecast.publisher, sidecast.pids.publisher],
      ['gateway', sidecast.gateway, sidecast.pids.gateways[0]]];
    for (const [name, url, pid] of listeners)
      await t.test(name, async () => {
        await body(url, sidecast);
        await assert_calm(url, pid);
      });
    assert.ok(listeners.every(([, , pid]) => sidecast.children().includes(pid)), 'a process was lost');
  });
}

test('pipelined requests are all answered, in order', on_both(async (url) => {
  for (const [what, parts, count] of pipelining()) {
    const wire = await exchange(url, parts, count);
    const statuses = wire.statuses();
    const may_close = /connection: *close/i.test(wire.text);
    assert.ok(statuses.length === count || (may_close && statuses.length >= 1),
      `${what}: ${statuses} of ${count}\n${wire.text}`);
    assert.ok(statuses.every((status) => status < 500), `${what}: ${statuses}`);
  }
}));

test('malformed heads are refused as a first request', on_both(async (url) => {
  for (const [what, bytes, code] of malformed) {
    const wire = await exchange(url, bytes, 1);
    assert.equal(wire.statuses()[0], code, `${what}: ${wire.text}`);
  }
}));

test('malformed heads are answered or closed as a second request', on_both(async (url) => {
  // Line ends before a request are no request: the parser skips them and waits.
  for (const [what, bytes] of malformed.filter(([name]) => name !== 'only line ends'))
    for (const parts of [[get + bytes], [get, bytes], [post, bytes]]) {
      const wire = await exchange(url, parts, 2, 8000);
      assert.ok(wire.statuses()[0] < 500, `${what}: ${wire.text}`);
    }
}));

test('incomplete upgrades are refused before a WebSocket is there [native]',
  with_sidecast({}, async (sidecast) => {
    for (const [what, bytes, codes] of bad_upgrades) {
      const wire = await exchange(sidecast.gateway, bytes + get, 1);
      assert.ok(codes.includes(wire.statuses()[0]), `${what}: ${wire.statuses()}\n${wire.text}`);
    }
    for (const [what, bytes] of bad_upgrades) {
      const wire = await exchange(sidecast.gateway, [get, bytes], 2, 8000);
      assert.ok(!wire.statuses().includes(101), `${what}: ${wire.text}`);
    }
    await assert_calm(sidecast.gateway, sidecast.pids.gateways[0]);
  }));

test('an upgrade that comes byte by byte is accepted [native]',
  with_sidecast({}, async (sidecast) => {
    const wire = new Wire(sidecast.gateway);
    await wire.send(...upgrade(ws_fields, `GET /ws?token=${sidecast.token} HTTP/1.1`));
    await until(() => wire.text.includes('"t":"connected"'), 5000, () => wire.text);
    assert.equal(wire.statuses()[0], 101);
    wire.close();
  }));

test('large answers to refusals arrive although the body is still being sent', on_both(async (url) => {
  for (let i = 0; i < 30; i++) {
    const wire = new Wire(url);
    await wire.send(`POST /broadcast HTTP/1.1\r\nHost: h\r\nContent-Length: 9000000\r\n\r\n${'x'.repeat(100_000)}`);
    await wire.answers(1);
    assert.ok([401, 404, 405, 413].includes(wire.statuses()[0]), wire.text);
    wire.close();
  }
}));

test('aborted requests leave nothing behind', on_both(async (url) => {
  const cuts = [get.slice(0, 10), get, post.slice(0, -1), get + post.slice(0, 30)];
  for (const bytes of cuts)
    for (const leave of ['close', 'reset', 'end'])
      for (let i = 0; i < 10; i++) {
        const wire = new Wire(url);
        await wire.send(bytes);
        if (i % 2)
          await sleep(3);
        if (leave === 'end')
          wire.socket.end();
        else
          wire[leave]();
        if (leave === 'end')
          setTimeout(() => wire.close(), 100);
      }
}));

test('500 half heads cost nothing and do not keep others out', on_both(async (url, sidecast) => {
  const wires = Array.from({ length: 500 }, () => new Wire(url));
  await Promise.all(wires.map((wire) => wire.send('GET /livez HTTP/1.1\r\nHo')));
  await sleep(300);
  const answer = await sidecast.request(`${url}/livez`);
  assert.equal(answer.status, 200);
  wires.forEach((wire) => wire.close());
}));

test('frames that break the protocol end that connection only [native]',
  with_sidecast({}, async (sidecast) => {
    const bystander = await native(sidecast, { rooms: ['a'] });
    // RSV bit, reserved opcodes, a stray continuation, bad UTF-8.
    const ending = ['\xc1\x80abcd', '\x83\x80abcd', '\x8b\x80abcd', '\x80\x80abcd',
      '\x81\x82\0\0\0\0\xff\xfe'];
    // Unmasked, a length beyond all, a long ping, a bad close: closed or left without effect.
    const tolerable = ['\x81\x02hi', '\x81\xff\xff\xff\xff\xff\xff\xff\xff\xff', '\x89\xfe\0\xff',
      '\x88\x81\0\0\0\0x'];
    // At once: a peer that does not answer the close frame is waited for.
    await Promise.all([...ending, ...tolerable].map(async (frame) => {
      const wire = new Wire(sidecast.gateway);
      await wire.send(upgrade(ws_fields, `GET /ws?token=${sidecast.token} HTTP/1.1`) + frame);
      await until(() => wire.text.includes('101 '), 5000);
      if (ending.includes(frame))
        await until(() => wire.ended, 10_000, () => `still open after ${JSON.stringify(frame)}`);
      wire.close();
    }));
    await sidecast.publish({ event: 'e', room: 'a' });
    await bystander.message((m) => m.t === 'event');
    bystander.close();
    await assert_calm(sidecast.gateway, sidecast.pids.gateways[0]);
  }));
