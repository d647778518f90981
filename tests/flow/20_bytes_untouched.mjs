// The payload's bytes are forwarded as they came: what is posted is found again, byte by
// byte, in the frames of both kinds of client.
import assert from 'node:assert/strict';
import test from 'node:test';
import { connect, native, socketio_text } from './lib/clients.mjs';
import { with_sidecast } from './lib/sidecast.mjs';
import { random_from, until } from './lib/wait.mjs';

const texts_wanted = 10_000;
const lanes = 8;

const numbers = ['0.1', '-0', '0', '1e308', '-1E-308', '9007199254740993', '1.0', '1.10', '0e0',
  '123456789012345678901234567890', '-0.0', '5e-324', '1E+2', '3.141592653589793238462643'];
const strings = ['""', '"\\u0000"', '"\\/"', '"/"', '"\\u00e9"', '"é"', '"😀"', '"\\ud83d\\ude00"', '"\\ud800"',
  '"\u2028"', '"\\u2028"', '"\\"\\\\\\b\\f\\n\\r\\t"', '"</script>"', '"\u007f"', '"\ufeff"',
  '"{\\"a\\":1}"', '"日本語"', '"a\u0301"', '"\u{10ffff}"'];
const words = ['true', 'false', 'null'];
const blanks = ['', '', '', ' ', '\n', '\t ', '\r\n'];

function random_json(random, depth) {
  const pick = (list) => list[random(list.length)];
  const blank = () => pick(blanks);
  const kind = random(depth > 0 ? 6 : 4);
  const count = random(4);

  if (kind < 2)
    return pick(strings);
  if (kind === 2)
    return random(2) ? pick(numbers) : `${random(2) ? '-' : ''}${random(1e6)}.${random(1e6)}e${random(300)}`;
  if (kind === 3)
    return pick(words);
  const items = Array.from({ length: count }, (_, i) => {
    const value = random_json(random, depth - 1);
    const key = `"${i}${pick(strings).slice(1)}`;
    return kind === 4 ? `${blank()}${value}${blank()}` : `${blank()}${key}${blank()}:${blank()}${value}${blank()}`;
  });
  return kind === 4 ? `[${items.join(',') || blank()}]` : `{${items.join(',') || blank()}}`;
}

function random_texts() {
  const random = random_from(20);
  return [...numbers, ...strings, ...words,
    ...Array.from({ length: texts_wanted }, () => random_json(random, 5))].slice(0, texts_wanted);
}

// Posts all texts on a few lanes; gives text by position.
async function post_all(sidecast, texts) {
  const by_position = new Map();
  let next = 0;

  const lane = async () => {
    while (next < texts.length) {
      const text = texts[next++];
      const answer = await sidecast.publish(`{"event":"e", "data" : ${text} ,"room":"bytes"}`);
      assert.equal(answer.status, 202, `${text}: ${answer.text}`);
      by_position.set(answer.json.position, text);
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  assert.equal(by_position.size, texts.length);
  return by_position;
}

test(`${texts_wanted} random JSON texts arrive byte for byte [websocket native]`,
  with_sidecast({ set: ['limits.outbox=64MiB', 'limits.outbox_frames=100000'] }, async (sidecast) => {
    const rooms = ['bytes'];
    const by_hand = await socketio_text(sidecast, { rooms });
    const official = await connect(sidecast, { rooms });
    const plain = await native(sidecast, { rooms });
    const is_event = (frame) => frame.subarray(0, 6).toString() === '42["e"';
    const count = () => [by_hand.frames.filter(is_event).length, official.received.length,
      plain.messages.filter((m) => m.t === 'event').length];

    const by_position = await post_all(sidecast, random_texts());
    await until(() => count().every((n) => n >= by_position.size), 30_000,
      () => `received ${count()} of ${by_position.size}`);
    assert.deepEqual(count(), [by_position.size, by_position.size, by_position.size]);

    // The log's order, as the native client was told it, is the order of all.
    const positions = plain.messages.filter((m) => m.t === 'event').map((m) => m.position);
    for (const [n, frame] of by_hand.frames.filter(is_event).entries()) {
      const offset = by_hand.hello.pid ? `,"${positions[n]}"` : '';
      const text = by_position.get(positions[n]);
      assert.ok(frame.equals(Buffer.from(`42["e",${text}${offset}]`)), `${frame} is not ${text}`);
    }
    for (const [n, frame] of plain.frames.filter((_, i) => plain.messages[i].t === 'event').entries()) {
      const text = by_position.get(positions[n]);
      const at = frame.indexOf(`"data":${text}`);
      const after = frame[at + Buffer.byteLength(`"data":${text}`)];
      assert.ok(at > 0 && (after === 0x2c || after === 0x7d), `${frame} is not ${text}`);
    }
    for (const [n, [name, data]] of official.received.entries()) {
      assert.equal(name, 'e');
      assert.deepEqual(data, JSON.parse(by_position.get(positions[n])));
    }
    official.close();
    by_hand.close();
    plain.close();
  }));
