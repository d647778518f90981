// The 24 requests that smuggle: where their body ends, or for whom they are, is a matter of
// taste, so that a proxy and a server that differ can be played against each other. Behind
// each stands another request, which is never answered. On both listeners, as first request
// of a connection, as a later one, and in one piece with an innocent one.
import assert from 'node:assert/strict';
import test from 'node:test';
import { with_sidecast } from './lib/sidecast.mjs';
import { bound, until } from './lib/wait.mjs';
import { assert_calm, Wire } from './lib/wire.mjs';

const innocent = 'GET /livez HTTP/1.1\r\nHost: h\r\n\r\n';
const behind = 'GET /readyz HTTP/1.1\r\nHost: h\r\n\r\n';
const post = (...fields) => `POST /broadcast HTTP/1.1\r\nHost: h\r\n${fields.join('\r\n')}\r\n\r\n`;
const get = (...fields) => `GET /livez HTTP/1.1\r\nHost: h\r\n${fields.join('\r\n')}\r\n\r\n`;

// What, bytes, the status, and another status as a later request, where the parser answers
// before the gate is asked.
const smuggling = [
  ['a length and chunks', `${post('Content-Length: 5', 'Transfer-Encoding: chunked')}0\r\n\r\n`, 400],
  ['chunks and a length', `${post('Transfer-Encoding: chunked', 'Content-Length: 5')}0\r\n\r\n`, 400],
  ['two lengths', `${post('Content-Length: 2', 'Content-Length: 0')}{}`, 400],
  ['the same length twice', `${post('Content-Length: 2', 'Content-Length: 2')}{}`, 400],
  ['a list of lengths', `${post('Content-Length: 2, 2')}{}`, 400],
  ['a signed length', `${post('Content-Length: +2')}{}`, 400],
  ['a negative length', post('Content-Length: -1'), 400],
  ['two numbers as a length', `${post('Content-Length: 2 0')}{}`, 400],
  ['a length in hex', `${post('Content-Length: 0x2')}{}`, 400],
  ['a length beyond all', post('Content-Length: 18446744073709551618'), 400, 413],
  ['an empty length', post('Content-Length:'), 400],
  ['an unknown encoding', `${post('Transfer-Encoding: xchunked')}0\r\n\r\n`, 501],
  ['an encoding and identity', `${post('Transfer-Encoding: chunked, identity')}0\r\n\r\n`, 501],
  ['the encoding twice', `${post('Transfer-Encoding: chunked', 'Transfer-Encoding: chunked')}0\r\n\r\n`, 501],
  ['the encoding in capitals', `${post('Transfer-Encoding: CHUNKED')}0\r\n\r\n`, 501],
  ['a blank before the colon', `${post('Transfer-Encoding : chunked')}0\r\n\r\n`, 400],
  ['a folded encoding', `${post('Transfer-Encoding:', ' chunked')}0\r\n\r\n`, 400],
  ['a control byte in the encoding', `${post('Transfer-Encoding: \x0bchunked')}0\r\n\r\n`, 400],
  ['bare line feeds', 'POST /broadcast HTTP/1.1\nHost: h\nContent-Length: 2\n\n{}', 400],
  ['a zero byte in the target', 'GET /livez\0x HTTP/1.1\r\nHost: h\r\n\r\n', 400],
  ['a zero byte in a field', get('A: b\0c'), 400],
  ['two hosts', get('Host: i'), 400],
  ['no host', 'GET /livez HTTP/1.1\r\n\r\n', 400],
  ['another host in the target', 'GET http://i/livez HTTP/1.1\r\nHost: h\r\n\r\n', 400],
];

// The distinct statuses that came, and whether the connection was closed.
async function send(url, before, bytes) {
  const wire = new Wire(url);
  for (const part of before) {
    await wire.send(part);
    await wire.answers(1);
  }
  await wire.send(bytes);
  await until(() => wire.ended, bound(1000), () => `still open: ${wire.text}`);
  wire.close();
  return wire;
}

async function assert_refused(what, url, before, bytes, status) {
  const wire = await send(url, before, bytes);
  const answers = wire.statuses().slice(before.length || bytes.startsWith(innocent) ? 1 : 0);
  // A length that is none is answered by the parser, whose header block comes twice.
  assert.deepEqual([...new Set(answers)], [status], `${what}: ${wire.text}`);
  assert.doesNotMatch(wire.text, /\r\n\r\n(ready|not ready)/, `${what}: what stood behind was served`);
}

function on_both(body) {
  return with_sidecast({}, async (sidecast) => {
    for (const [url, pid] of [[sidecast.publisher, sidecast.pids.publisher],
      [sidecast.gateway, sidecast.pids.gateways[0]]]) {
      await body(url);
      await assert_calm(url, pid);
    }
  });
}

test('24 requests that smuggle are refused and their connection closed', on_both(async (url) => {
  assert.equal(smuggling.length, 24);
  for (const [what, bytes, status] of smuggling)
    await assert_refused(what, url, [], bytes + behind, status);
}));

test('later requests that smuggle are refused, and their connection closed', on_both(async (url) => {
  for (const [what, bytes, status, later] of smuggling)
    for (const [before, after] of [[[innocent], bytes], [[], innocent + bytes]])
      await assert_refused(what, url, before, after + behind, later ?? status);
}));

// Where chunks end is the parser's taste as well, which takes a bare line feed for an end of
// line. So chunks are the last thing that a connection brings.
const chunks = [
  ['a chunk line with a bare line feed', '2\n{}\r\n0\r\n\r\n'],
  ['an extension with a bare line feed', '2;\n{}\r\n0\r\n\r\n'],
  ['an extension', '2;a=b\r\n{}\r\n0\r\n\r\n'],
  ['a bare line feed behind the data', '2\r\n{}\n0\r\n\r\n'],
  ['a trailer with a bare line feed', '2\r\n{}\r\n0\r\nA: b\n\r\n'],
  ['a folded trailer', '2\r\n{}\r\n0\r\nA: b\r\n c\r\n\r\n'],
  ['chunks as they should be', '2\r\n{}\r\n0\r\n\r\n'],
];

test('nothing behind a body of chunks is answered', with_sidecast({}, async (sidecast) => {
  const heads = [
    [sidecast.publisher, `POST /broadcast HTTP/1.1\r\nHost: h\r\nX-API-Key: ${sidecast.key}\r\n`],
    [sidecast.gateway, 'POST /socket.io/?EIO=4&transport=polling&sid=none HTTP/1.1\r\nHost: h\r\n'],
  ];
  for (const [url, head] of heads)
    for (const [what, body] of chunks) {
      const wire = await send(url, [innocent], `${head}Transfer-Encoding: chunked\r\n\r\n${body}${behind}`);
      assert.equal(wire.statuses().length, 2, `${what}: ${wire.text}`);
      assert.doesNotMatch(wire.text, /\r\n\r\n(ready|not ready)/, `${what}: what stood behind was served`);
    }
}));
