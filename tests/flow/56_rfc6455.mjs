// The WebSocket protocol under the gateway, frame by frame (RFC 6455): an echo program with the
// gateway's own front, library options and transport. Whole suites can be pointed at it, too:
// build/<preset>/ws_echo PORT.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import path from 'node:path';
import test from 'node:test';
import { program, sanitizer_report } from './lib/sidecast.mjs';
import { bound, sleep, until } from './lib/wait.mjs';
import { Wire } from './lib/wire.mjs';

const TEXT = 1, BINARY = 2, CLOSE = 8, PING = 9, PONG = 10;
const echo = { url: '', child: null, log: '', exited: null };

test.before(async () => {
  echo.child = spawn(path.join(path.dirname(program), 'ws_echo'), [], { stdio: ['ignore', 'pipe', 'pipe'] });
  echo.child.stdout.on('data', (data) => { echo.url += data; });
  echo.child.stderr.on('data', (data) => { echo.log += data; });
  echo.child.on('exit', (code) => { echo.exited = { code }; });
  await until(() => echo.url.includes('\n') || echo.exited, 20_000);
  echo.url = echo.url.trim().replace('ws:', 'http:');
});

test.after(async () => {
  echo.child.kill('SIGTERM');
  await until(() => echo.exited, 20_000).catch(() => echo.child.kill('SIGKILL'));
  assert.equal(echo.exited?.code, 0, echo.log);
  assert.doesNotMatch(echo.log, sanitizer_report);
});

function length_of(size) {
  if (size < 126)
    return [size];
  const bytes = Buffer.alloc(size < 65536 ? 2 : 8);
  if (size < 65536)
    bytes.writeUInt16BE(size);
  else
    bytes.writeBigUInt64BE(BigInt(size));
  return [size < 65536 ? 126 : 127, ...bytes];
}

// A client's frame.
function frame(op, payload = '', { fin = true, rsv = 0, masked = true, length } = {}) {
  const body = Buffer.from(payload);
  const mask = masked ? randomBytes(4) : Buffer.alloc(0);
  const [size, ...rest] = length ?? length_of(body.length);
  const head = Buffer.from([(fin ? 128 : 0) | (rsv << 4) | op, (masked ? 128 : 0) | size, ...rest]);
  return Buffer.concat([head, mask, body.map((byte, i) => (masked ? byte ^ mask[i % 4] : byte))]).toString('latin1');
}

const close = (code, reason = '') => {
  const body = Buffer.alloc(2);
  body.writeUInt16BE(code);
  return frame(CLOSE, Buffer.concat([body, Buffer.from(reason)]));
};

// What a server sent after its 101: [[op, payload], …].
function read_frames(text) {
  const bytes = Buffer.from(text.slice(text.indexOf('\r\n\r\n') + 4), 'latin1');
  const frames = [];
  for (let at = 0; at + 2 <= bytes.length;) {
    const first = bytes[at];
    let size = bytes[at + 1];
    at += 2;
    assert.ok((first & 0x70) === 0 && (first & 128), 'whole frames without extensions');
    assert.ok(size < 128, 'a server does not mask');
    if (size === 126) {
      size = bytes.readUInt16BE(at);
      at += 2;
    } else if (size === 127) {
      size = Number(bytes.readBigUInt64BE(at));
      at += 8;
    }
    if (at + size > bytes.length)
      break;
    frames.push([first & 15, bytes.subarray(at, at + size).toString('latin1')]);
    at += size;
  }
  return frames;
}

async function open() {
  const key = randomBytes(16).toString('base64');
  const wire = new Wire(echo.url);
  await wire.send('GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n'
    + `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}\r\n\r\n`);
  await until(() => wire.text.includes('\r\n\r\n'), bound(1000));
  const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
  assert.match(wire.text, /^HTTP\/1\.1 101 /);
  assert.ok(wire.text.toLowerCase().includes(`sec-websocket-accept: ${accept.toLowerCase()}\r\n`));
  return wire;
}

const latin1 = (text) => Buffer.from(text).toString('latin1');

// What is sent, and which messages come back.
const good = [
  ['an empty text', [frame(TEXT)], [[TEXT, '']]],
  ['an empty binary', [frame(BINARY)], [[BINARY, '']]],
  ['a text', [frame(TEXT, 'hello')], [[TEXT, 'hello']]],
  ['UTF-8', [frame(TEXT, 'Hello-µ@ßöäüàá-UTF-8!! 🐙')], [[TEXT, latin1('Hello-µ@ßöäüàá-UTF-8!! 🐙')]]],
  ['fragments', [frame(TEXT, 'a', { fin: false }), frame(0, 'b', { fin: false }), frame(0, 'c')], [[TEXT, 'abc']]],
  ['a character over two fragments', [frame(TEXT, Buffer.from([0xc3]), { fin: false }), frame(0, Buffer.from([0xb6]))], [[TEXT, latin1('ö')]]],
  ['empty fragments', [frame(TEXT, '', { fin: false }), frame(0, '', { fin: false }), frame(0)], [[TEXT, '']]],
  ['a ping between fragments', [frame(BINARY, 'a', { fin: false }), frame(PING, 'p'), frame(0, 'b')], [[PONG, 'p'], [BINARY, 'ab']]],
  ['a ping', [frame(PING)], [[PONG, '']]],
  ['the longest ping', [frame(PING, 'x'.repeat(125))], [[PONG, 'x'.repeat(125)]]],
  ['a pong that nobody asked for', [frame(PONG, 'x'), frame(TEXT, 'y')], [[TEXT, 'y']]],
  ['the sizes at which headers grow', [125, 126, 127, 65535, 65536].map((n) => frame(BINARY, 'x'.repeat(n))),
    [125, 126, 127, 65535, 65536].map((n) => [BINARY, 'x'.repeat(n)])],
  // RFC 6455 §5.1 would have it closed; libwebsockets 4.1 reads it, and does not tell us.
  ['a frame without a mask', [frame(TEXT, 'x', { masked: false })], [[TEXT, 'x']]],
  ['a mebibyte', [frame(TEXT, 'm'.repeat(1 << 20))], [[TEXT, 'm'.repeat(1 << 20)]]],
];

for (const [name, sent, wanted] of good) {
  test(`what answers ${name}`, async () => {
    for (const whole of [true, false]) {
      const bytes = sent.join('');
      if (!whole && bytes.length > 60)
        continue;
      const wire = await open();
      await wire.send(...(whole ? [bytes] : bytes)); // in one piece, and byte by byte
      await until(() => read_frames(wire.text).length >= wanted.length, bound(2000), () => JSON.stringify(read_frames(wire.text)));
      // A pong has no place among messages, only among pongs.
      for (const is_pong of [true, false]) {
        const kind = (frames) => frames.filter(([op]) => (op === PONG) === is_pong);
        assert.deepEqual(kind(read_frames(wire.text)), kind(wanted));
      }
      wire.close();
    }
  });
}

// What ends the connection, and with which codes it may. Some servers hang up without one.
const bad = [
  ['a reserved bit', [frame(TEXT, 'x', { rsv: 4 })], [1002]],
  ['a reserved opcode', [frame(3, 'x')], [1002]],
  ['a reserved control opcode', [frame(11)], [1002]],
  ['a continuation of nothing', [frame(0, 'x')], [1002]],
  ['a new message inside another', [frame(TEXT, 'a', { fin: false }), frame(TEXT, 'b')], [1002]],
  ['a ping in fragments', [frame(PING, 'x', { fin: false })], [1002]],
  ['a ping that is too long', [frame(PING, 'x'.repeat(126))], [1002]],
  ['a length of 2^63', [frame(TEXT, '', { length: [127, 128, 0, 0, 0, 0, 0, 0, 0] })], [1002, 1009]],
  ['a text that is no UTF-8', [frame(TEXT, Buffer.from([0xce, 0xba, 0xe1, 0xbd, 0xb9, 0xed, 0xa0, 0x80]))], [1007]],
  ['half a character at the end', [frame(TEXT, Buffer.from([0xc3]))], [1007]],
  ['a close', [close(1000, 'bye')], [1000]],
  ['a close of an application', [close(4999)], [4999]],
  ['a close without a code', [frame(CLOSE)], [1000, 1005]],
  ['a close of one byte', [frame(CLOSE, 'x')], [1002]],
];

for (const [name, sent, codes] of bad) {
  test(`${name} ends the connection`, async () => {
    const wire = await open();
    await wire.send(sent.join(''));
    await until(() => wire.ended || read_frames(wire.text).some(([op]) => op === CLOSE), bound(3000), () => JSON.stringify(wire.text));
    const frames = read_frames(wire.text);
    const ending = frames.find(([op]) => op === CLOSE);
    assert.deepEqual(frames.filter(([op]) => op !== CLOSE), []);
    if (ending && ending[1].length >= 2)
      assert.ok(codes.includes(Buffer.from(ending[1], 'latin1').readUInt16BE()), JSON.stringify(ending));
    wire.socket.end();
    await until(() => wire.ended, bound(3000), () => 'the connection stays open');
    wire.close();
  });
}

test('it is there after all that', async () => {
  const wire = await open();
  await wire.send(frame(TEXT, 'still'));
  await until(() => read_frames(wire.text).length >= 1, bound(1000));
  wire.close();
  await sleep(50);
  assert.equal(echo.exited, null);
});
