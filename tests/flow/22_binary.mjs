// Bytes from end to end, with the official client: from a backend's publish, both ways with
// acks, on to a room; plain WebSockets have base64.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test from 'node:test';
import { connect, native, socketio_text } from './lib/clients.mjs';
import { with_sidecast } from './lib/sidecast.mjs';
import { until } from './lib/wait.mjs';

const wait_ms = 10_000;
const system = `
limits: {attachments_timeout: 3s}
commands:
  subscribe: {do: join, room: "{args.0.room}"}
  message: {do: reply, event: message-back, args: "{args[]}"}
  message-with-ack: {do: ack, args: "{args[]}"}
  upload: {do: ack, payload: {ok: true}}
  say: {do: relay, room: "{args.0}", as: said, args: "{args[1..]}", except_self: false, member: false}
  share: {do: relay, room: "{args.0}", as: shared, payload: {file: "{args.1}"}, except_self: false, member: false}
events:
  "file.added": {to: "project:{payload.project}", envelope: {type: "{event}", body: "{payload}"}}
unknown_events: allow
contracts: contracts
`;
const bytes_schema = {
  type: 'object', required: ['$binary'], properties: { $binary: { type: 'string', maxLength: 64 } },
};
const file_schema = { type: 'object', required: ['file'], properties: { file: bytes_schema } };

// What is asked of one sidecast, part by part.
const parts = [];
const part = (name, body) => parts.push([name, body]);

// A sidecast with the system above.
function with_system(body) {
  return async (t) => {
    const folder = mkdtempSync(path.join(tmpdir(), 'sidecast-binary-'));
    const file = path.join(folder, 'sidecast.yaml');
    writeFileSync(file, system, { mode: 0o600 });
    mkdirSync(path.join(folder, 'contracts'));
    for (const [event, schema] of Object.entries({ shared: file_schema, upload: bytes_schema }))
      writeFileSync(path.join(folder, `contracts/${event}.schema.json`), JSON.stringify(schema));
    try {
      await with_sidecast({ args: ['-c', file] }, body)(t);
    } finally {
      rmSync(folder, { recursive: true });
    }
  };
}

async function heard(socket, name, count = 1) {
  const found = () => socket.received.filter((event) => event[0] === name);
  await until(() => found().length >= count, wait_ms, () => `no ${name}: ${JSON.stringify(socket.received)}`);
  return found().map(([, ...args]) => args);
}

const ask = (socket, ...words) => new Promise((resolve, reject) => {
  socket.timeout(wait_ms).emit(...words, (error, ...answer) => (error ? reject(error) : resolve(answer)));
});
const $binary = (bytes) => ({ $binary: Buffer.from(bytes).toString('base64') });

part('what a backend publishes as $binary arrives as bytes, in base64 on a plain WebSocket', async (sidecast) => {
  const socket = await connect(sidecast, { rooms: ['project:7'] });
  const polling = await connect(sidecast, { rooms: ['project:7'], transports: ['polling'] });
  const plain = await native(sidecast, { rooms: ['project:7'] });
  const bytes = randomBytes(3000);
  const data = { a: [1, $binary(bytes)], b: $binary(''), c: 'ü' };

  const answer = await sidecast.publish({ event: 'file', room: 'project:7', data });
  assert.equal(answer.status, 202);
  assert.deepEqual(await heard(socket, 'file'), [[{ a: [1, bytes], b: Buffer.alloc(0), c: 'ü' }]]);
  assert.deepEqual(await heard(polling, 'file'), await heard(socket, 'file'));
  const told = await plain.message((m) => m.event === 'file');
  assert.deepEqual(told.data, data);

  await sidecast.publish({ event: 'two', room: 'project:7', args: [$binary('a'), 2, $binary('b')] });
  assert.deepEqual(await heard(socket, 'two'), [[Buffer.from('a'), 2, Buffer.from('b')]]);
  assert.deepEqual((await plain.message((m) => m.event === 'two')).args, [$binary('a'), 2, $binary('b')]);

  // PHP writes "\/", the catalog wraps.
  await sidecast.publish('{"event":"file.added","data":{"project":7,"file":{"$binary":"\\/+8="}}}');
  assert.deepEqual(await heard(socket, 'file.added'),
    [[{ type: 'file.added', body: { project: 7, file: Buffer.from([0xff, 0xef]) } }]]);
  [socket, polling, plain].forEach((client) => client.close());
});

part('what is no base64, or too many, or looks like a placeholder is refused with a pointer', async (sidecast) => {
  for (const [data, pointer, detail] of [
    [{ a: [{ $binary: 'no base64' }] }, '/data/a/0', /not base64/],
    [Array(11).fill($binary('x')), '/data/10', /too many/],
    [[$binary('x'), { _placeholder: true, num: 5 }], '/data/1', /placeholder/],
  ]) {
    const { status, json } = await sidecast.publish({ event: 'file', all: true, data });
    assert.equal(status, 422);
    assert.equal(json.code, 'E_BAD_PAYLOAD');
    assert.equal(json.errors[0].pointer, pointer);
    assert.match(json.detail, detail);
  }
});

part('in a plain event, what looks like bytes is passed on as it is', async (sidecast) => {
  const socket = await connect(sidecast, { rooms: ['project:7'] });
  const odd = [{ _placeholder: true, num: 0 }, { $binary: 5 }, { $binary: 'YQ==', subType: '00' }];

  await sidecast.publish({ event: 'odd', room: 'project:7', args: odd });
  assert.deepEqual(await heard(socket, 'odd'), [odd]);
  assert.deepEqual(await ask(socket, 'message-with-ack', ...odd, $binary('a')), [...odd, $binary('a')]);
  socket.close();
});

const transports = { websocket: ['websocket'], polling: ['polling'], upgrade: ['polling', 'websocket'] };

for (const [name, transport] of Object.entries(transports))
  part(`bytes come back from commands, in events and in acks [${name}]`, (sidecast) => echo(sidecast, transport));

async function echo(sidecast, transport) {
  const socket = await connect(sidecast, { transports: transport });
  const [small, large] = [Buffer.from([0, 1, 255]), randomBytes(200_000)];
  const sent = [1, small, { file: large, list: [Buffer.alloc(0), 'ü'] }];

  socket.emit('message', ...sent);
  assert.deepEqual(await heard(socket, 'message-back'), [sent]);
  assert.deepEqual(await ask(socket, 'message-with-ack', ...sent), sent);
  assert.deepEqual(await ask(socket, 'message-with-ack', new Uint8Array([7])), [Buffer.from([7])]);
  const most = Array.from({ length: 10 }, (_, i) => Buffer.from(`${i}`));
  assert.deepEqual(await ask(socket, 'message-with-ack', most), [most]);
  const whole = Buffer.alloc(transport.includes('polling') ? 700_000 : 1_000_000, 5); // base64 in a POST
  assert.deepEqual(await ask(socket, 'message-with-ack', whole), [whole]);
  socket.close();
}

part('bytes of a client reach a room, over all gateways, and keep contracts', async (sidecast) => {
  const [from, to] = [await connect(sidecast), await connect(sidecast, { rooms: ['a'] })];
  const plain = await native(sidecast, { rooms: ['a'] });

  assert.deepEqual(await ask(from, 'say', 'a', { b: Buffer.from('abc') }, 1), [{ ok: true, room: 'a' }]);
  assert.deepEqual(await heard(to, 'said'), [[{ b: Buffer.from('abc') }, 1]]);
  assert.deepEqual((await plain.message((m) => m.event === 'said')).args, [{ b: $binary('abc') }, 1]);
  plain.send(JSON.stringify({ t: 'emit', event: 'say', args: ['a', $binary('def')] }));
  assert.deepEqual(await heard(to, 'said', 2), [[{ b: Buffer.from('abc') }, 1], [Buffer.from('def')]]);

  assert.deepEqual(await ask(from, 'share', 'a', Buffer.from('xyz')), [{ ok: true, room: 'a' }]);
  assert.deepEqual(await heard(to, 'shared'), [[{ file: Buffer.from('xyz') }]]);
  assert.deepEqual(await ask(from, 'upload', Buffer.from('xyz')), [{ ok: true }]);
  for (const [command, ...args] of [
    ['share', 'a', 'no bytes'], ['share', 'a', randomBytes(49)], ['upload', 'no bytes'],
  ]) {
    const [refused] = await ask(from, command, ...args);
    assert.deepEqual([refused.ok, refused.error], [false, 'E_BAD_PAYLOAD'], refused.message);
  }
  [from, to, plain].forEach((client) => client.close());
});

test('bytes stay bytes', with_system(async (sidecast, t) => {
  const placeholder = JSON.stringify({ _placeholder: true, num: 0 });
  const [late, large] = [await socketio_text(sidecast), await socketio_text(sidecast)];
  late.send(`451-["message",${placeholder}]`);

  for (const [name, body] of parts)
    await t.test(name, () => body(sidecast));
  await t.test('attachments that do not come in time, or too large together, end the connection', async () => {
    large.send(`452-["message",${placeholder}]`);
    large.socket.send(Buffer.alloc(600_000));
    large.socket.send(Buffer.alloc(600_000));
    await until(() => late.closed && large.closed, wait_ms);
    assert.deepEqual([late.closed.code, large.closed.code], [1005, 1009]);
  });
}));
